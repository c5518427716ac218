package director

import (
	"slices"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
)

// What the hooks of services are told follows the states, and only what has changed.
func TestHooksAreToldOfServersAndQuorums(t *testing.T) {
	two := &config.Policy{MinHealthy: config.Quantity{N: 2}}
	for _, tt := range []struct {
		name   string
		policy *config.Policy
		script []rounds
		want   []string
	}{
		{"at the start, as each is known", nil, []rounds{{"ppr", 1, "1 2"}}, []string{"1 up 1/3", "quorum_reached 1/3", "2 up 2/3", "3 down 2/3 connection refused"}},
		{"one is down, and up again", nil, []rounds{{"ppp", 2, "1 2 3"}, {"rpp", 3, "2 3"}, {"ppp", 2, "1 2 3"}},
			[]string{"1 up 1/3", "quorum_reached 1/3", "2 up 2/3", "3 up 3/3", "1 down 2/3 connection refused", "1 up 3/3"}},
		{"without min_healthy, one is a quorum", nil, []rounds{{"ppr", 2, "1 2"}, {"rrr", 3, "F"}, {"prr", 2, "1"}},
			[]string{"1 up 1/3", "quorum_reached 1/3", "2 up 2/3", "3 down 2/3 connection refused",
				"1 down 1/3 connection refused", "2 down 0/3 connection refused", "quorum_lost 0/3 real servers: 3 down", "1 up 1/3", "quorum_reached 1/3"}},
		{"with it, so many are, once it is certain", two, []rounds{{"ppr", 2, "1 2"}, {"rpr", 3, "2*0 F"}, {"ppr", 2, "1 2"}},
			[]string{"1 up 1/3", "2 up 2/3", "quorum_reached 2/3", "3 down 2/3 connection refused",
				"1 down 0/3 connection refused", "quorum_lost 0/3 fewer take connections than min_healthy", "1 up 2/3", "quorum_reached 2/3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := farm(3, false, tt.policy)
			for i := range c.Services[0].Servers {
				c.Services[0].Servers[i].Name = string(rune('1' + i))
			}
			c.Services[0].Hooks = []config.Hook{{Owner: config.Owner{Service: "web"}, On: config.ServerDown}}
			s := tellOf(t, c)
			s.handle(TableSeen{Converged: true})
			s.play(tt.script)
			if !slices.Equal(s.told, tt.want) {
				t.Errorf("told %q\nwant %q", s.told, tt.want)
			}
		})
	}
}

// A reload tells of what is new or gone, and nothing is known of services without hooks.
func TestHooksAreToldOfWhatAReloadChanges(t *testing.T) {
	configure := func(n int, hooked bool) *config.Config {
		c := farm(n, false, nil)
		for i := range c.Services[0].Servers {
			c.Services[0].Servers[i].Name = string(rune('1' + i))
		}
		if hooked {
			c.Services[0].Hooks = []config.Hook{{Owner: config.Owner{Service: "web"}, On: config.ServerDown}}
		}
		return c
	}
	s := tellOf(t, configure(2, true))
	s.play([]rounds{{"pp", 2, "1 2"}})
	for _, step := range []struct {
		n      int
		hooked bool
		want   []string
	}{
		{3, true, nil}, // the third has no result yet
		{1, true, []string{"2  0/0", "3  0/0"}},
		{1, false, nil},
		{1, true, []string{"1 up 1/1", "quorum_reached 1/1"}},
	} {
		s.told = nil
		s.core.configure(s.now, Loaded{Config: configure(step.n, step.hooked)})
		s.write(s.core.Expire(s.now))
		if !slices.Equal(s.told, step.want) {
			t.Errorf("%d servers, with hooks %v: told %q, want %q", step.n, step.hooked, s.told, step.want)
		}
		if !step.hooked && s.core.told != nil {
			t.Error("states are known of a service without hooks")
		}
	}
}
