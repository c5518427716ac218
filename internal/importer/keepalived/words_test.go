package keepalived

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
)

// TestEveryWordOfTheTableIsAccountedFor puts each word for which lvsd has an answer into
// each block, with values that fit many words, and none.
func TestEveryWordOfTheTableIsAccountedFor(t *testing.T) {
	const around = `
%s
global_defs {
%s
}
vrrp_script s {
script /bin/true
%s
}
vrrp_track_process p {
process haproxy
%s
}
track_file f {
file /run/f
%s
}
vrrp_instance v {
interface eth0
virtual_router_id 1
virtual_ipaddress {
10.0.0.1
}
track_script {
s
}
track_process {
p
}
track_file {
f
}
%s
}
vrrp_instance w {
interface eth1
virtual_router_id 2
virtual_ipaddress {
10.1.0.1
}
}
vrrp_sync_group g {
group {
v
w
}
%s
}
`
	for _, word := range config.ForeignWords("keepalived") {
		for _, form := range []string{"%s", "%s 2 on", "%s x\n{\ny z { 1 }\n}"} {
			line := fmt.Sprintf(form, word)
			for at := range strings.Count(around, "%s") {
				args := make([]any, strings.Count(around, "%s"))
				for i := range args {
					args[i] = ""
				}
				args[at] = line
				checkWord(t, word, fmt.Sprintf(around, args...))
			}
		}
	}
}

func checkWord(t *testing.T, word, text string) {
	t.Helper()
	files := disk{"k.conf": text}
	r, err := Import(files, "k.conf", Options{})
	if err != nil {
		t.Fatal(word, err)
	}
	list, _, _ := Parse(files, "k.conf", Options{})
	for _, s := range list {
		if !s.Is(lvsWords...) {
			checkAccounted(t, r, []*Statement{s})
		}
	}
	for _, l := range r.Losses {
		if l.Reason == notUnderstood {
			t.Errorf("%s: %q was overlooked in\n%s", word, l.Text, text)
		}
	}
}
