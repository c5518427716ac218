package director

import (
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
)

func TestStreamsThatDoNotRunOrRead(t *testing.T) {
	for _, c := range []struct {
		name   string
		stream api.Stream
		want   string
	}{
		{"it runs and reads", api.Stream{Running: true, Skipped: 7}, ""},
		{"it has ended", api.Stream{Failure: "exited with status 3", Retry: time.Now()},
			`the program of stream "all" does not run (it is started again after a pause of up to a minute): /etc/lvsd/hooks/collect: exited with status 3`},
		{"it does not read", api.Stream{Running: true, Behind: true, Skipped: 3001},
			`the program of stream "all", /etc/lvsd/hooks/collect, does not read, so lines are left out until it does (3001 lines so far)`},
		{"it is about to be started for the first time", api.Stream{}, ""},
	} {
		var all findings
		c.stream.Name, c.stream.Program = "all", "/etc/lvsd/hooks/collect"
		all.streams([]api.Stream{c.stream})
		switch {
		case c.want == "" && len(all) > 0, c.want != "" && (len(all) != 1 || all[0].Text != c.want || all[0].Severity != api.Warning):
			t.Errorf("%s: %+v, want %q", c.name, all, c.want)
		}
	}
}
