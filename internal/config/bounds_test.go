package config_test

import (
	"fmt"
	"strings"
	"testing"
)

// Few lines can ask for much: each way is bounded, and says so once.
func TestWhatFewLinesAskForIsBounded(t *testing.T) {
	const service = "virtual_service \"web\" {\n  address = \"10.13.0.200\"\n  port = 80\n  forward = \"nat\"\n  %s\n}\n"
	const many = "dynamic \"real_server\" {\n    for_each = %s\n    labels = [\"10.0.${floor(real_server.key / 250)}.${real_server.key %% 250}\"]\n    content {}\n  }"
	thousand := "range(1000)"
	for name, tt := range map[string]struct{ text, want string }{
		"a long text": {fmt.Sprintf(service, "scheduler = join(\"\", [for i in range(1000) : \"a long text a long text a long text a long text a long text a long text\"])"),
			"Text too long: scheduler has 71000 bytes, but the limit is 65536."},
		"blocks that are generated": {fmt.Sprintf(service, fmt.Sprintf(many, "flatten([for i in range(101) : "+thousand+"])")),
			"Too many blocks: The dynamic blocks within one block make more than 100000."},
		"a name that fills the screen": {strings.Replace(fmt.Sprintf(service, ""), "\"web\"", "\""+strings.Repeat("x", 100_000)+"\"", 1),
			"Invalid name: A name has at most 200 bytes and no control characters."},
	} {
		t.Run(name, func(t *testing.T) {
			diags := diagnose(t, tt.text)
			if got := strings.TrimPrefix(diags[0].String(), "web.hcl:1: "); !strings.Contains(got, tt.want) {
				t.Errorf("%d mistakes, the first is %.200s, want %s", len(diags), got, tt.want)
			}
			for _, d := range diags {
				if n := len(d.Summary) + len(d.Detail) + len(d.Block) + len(d.Source); n > 10_000 {
					t.Errorf("a message of %d bytes: %.200s", n, d.Summary)
				}
			}
		})
	}
}
