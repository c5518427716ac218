package director

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/machine"
)

// What a director runs, it has kept: that of its start, and each that a reload brings. One
// that is refused is not kept, nor one that was only rehearsed.
func TestTheConfigurationThatRunsIsKept(t *testing.T) {
	files := func(text string) []api.File { return []api.File{{Name: "/etc/lvsd/web.hcl", Text: text}} }
	kept := func(effects []Effect) (all []string) {
		for _, e := range effects {
			if s, ok := e.(SaveConfiguration); ok {
				all = append(all, s.Digest+"="+s.Files[0].Text)
			}
		}
		return all
	}
	first := clusterOf()
	first.Digest = "first"
	core, effects := Begin(start, "/etc/lvsd", Loaded{Config: first, Files: files("1")}, machine.Facts{})
	if got := kept(effects); !slices.Equal(got, []string{"first=1"}) {
		t.Errorf("at the start: %q", got)
	}
	second := *first
	second.Digest = "second"
	core.rehearse(start, Loaded{Config: &second, Files: files("2")})
	for _, tt := range []struct {
		name string
		Loaded
		want []string
	}{
		{"refused", Loaded{Err: errors.New("web.hcl:3: no")}, nil},
		{"unchanged", Loaded{}, nil},
		{"another one", Loaded{Config: &second, Files: files("2")}, []string{"second=2"}},
	} {
		core.Handle(start, Reload{})
		if got := kept(core.Handle(start, ReadingEnded{core.reload.number, tt.Loaded})); !slices.Equal(got, tt.want) {
			t.Errorf("%s: kept %q, want %q", tt.name, got, tt.want)
		}
	}
	var log []string
	for _, e := range core.Handle(start, ConfigurationSaved{errors.New("no space left on device")}) {
		if tell, ok := e.(Tell); ok {
			log = append(log, tell.Code)
		}
	}
	if strings.Join(log, " ") != "configuration-unkept" {
		t.Errorf("told %q", log)
	}
}
