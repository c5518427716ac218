package director

import (
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// spare is a farm whose last servers are fallbacks; the others are of these tiers.
func spare(p *config.Policy, fallbacks int, tiers ...uint8) *config.Config {
	for range fallbacks {
		tiers = append(tiers, config.FallbackTier)
	}
	c := reserve(p, tiers...)
	c.Services[0].Fallback = nil
	return c
}

// "The server with the apology was dead as well, and there was another one."
func TestFallbacksThatAreCheckedServeWhenNoRealServerDoes(t *testing.T) {
	two := &config.Policy{MinHealthy: config.Quantity{N: 2}}
	for _, tt := range []struct {
		name   string
		policy *config.Policy
		tiers  []uint8
		script []rounds
		events []string
	}{
		{"they wait", nil, []uint8{1, 1}, []rounds{{"pppp", 2, "1 2 3*0 4*0"}}, nil},
		{"one real server is enough", nil, []uint8{1, 1}, []rounds{{"pppp", 2, "1 2 3*0 4*0"}, {"rppp", 3, "2 3*0 4*0"}}, nil},
		{"they share what there is to serve", nil, []uint8{1, 1}, []rounds{{"pppp", 2, "1 2 3*0 4*0"}, {"rrpp", 3, "3 4"}, {"rppp", 2, "2 3*0 4*0"}}, []string{"service-unserved", "service-served"}},
		{"those that are up", nil, []uint8{1, 1}, []rounds{{"pprp", 2, "1 2 4*0"}, {"rrrp", 3, "4"}, {"rrpr", 3, "3"}}, []string{"service-unserved"}},
		{"none is up", nil, []uint8{1, 1}, []rounds{{"pprr", 3, "1 2"}, {"rrrr", 3, ""}}, []string{"service-unserved"}},
		{"with min_healthy, in the place of too few", two, []uint8{1, 1}, []rounds{{"pppp", 2, "1 2 3*0 4*0"}, {"rppp", 3, "2*0 3 4"}, {"pppp", 2, "1 2 3*0 4*0"}}, []string{"quorum-lost", "service-unserved", "quorum-reached", "service-served"}},
		{"too few, and no fallback is up: those that are left serve", two, []uint8{1, 1}, []rounds{{"pprr", 3, "1 2"}, {"rprr", 3, "2"}}, []string{"quorum-lost"}},
		{"after all tiers", nil, []uint8{1, 2}, []rounds{{"pppp", 2, "1 2*0 3*0 4*0"}, {"rppp", 3, "2 3*0 4*0"}, {"rrpp", 3, "3 4"}, {"rppp", 2, "2 3*0 4*0"}},
			[]string{"tier-serves", "service-unserved", "service-served", "tier-serves"}},
		{"at the start, the first results decide", nil, []uint8{1, 1}, []rounds{{"nnpp", 1, "3*0 4*0"}, {"rrpp", 1, "3 4"}}, []string{"service-unserved"}},
		{"they do not count for min_healthy", &config.Policy{MinHealthy: config.Quantity{N: 50, Measure: config.Percent}}, []uint8{1, 1}, []rounds{{"pppp", 2, "1 2 3*0 4*0"}, {"rppp", 3, "2 3*0 4*0"}}, nil},
		{"nor for a panic, and stay neither out nor small", &config.Policy{PanicPercent: 60, PanicFor: time.Minute, ManualResume: true, SlowStart: time.Minute, UpAfter: time.Minute}, []uint8{1, 1},
			[]rounds{{"pppp", 2, "1 2 3*0 4*0"}, {"ppss", 3, "1 2"}, {"pppp", 2, "1 2 3*0 4*0"}, {"rrpp", 3, "3 4"}}, []string{"service-unserved"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tellOf(t, spare(tt.policy, 2, tt.tiers...))
			s.handle(TableSeen{Converged: true})
			s.play(tt.script)
			got := slices.Concat(s.events("quorum"), s.events("tier"), s.events("service-"), s.events("panic"))
			if !sameElements(got, tt.events) {
				t.Errorf("the events are %q, want %q", got, tt.events)
			}
		})
	}
}

func TestTheStatusTellsOfFallbacks(t *testing.T) {
	c := spare(&config.Policy{MinHealthy: config.Quantity{N: 2}}, 2, 1, 1)
	for i, name := range []string{"fallback", "fallback-2"} {
		c.Services[0].Servers[2+i].Name = name
	}
	s := tellOf(t, c)
	status := func() (*api.Status, api.Service) {
		table := s.core.planned.Table
		st := s.core.Status(s.now, Edges{Table: ipvsctl.Snapshot{Table: table}})
		return st, st.Services[0]
	}
	s.play([]rounds{{"pppp", 2, "1 2 3*0 4*0"}})
	if _, v := status(); v.Supply != api.Served || v.FallbackServes() || !v.HasFallback() || len(v.Servers) != 2 || len(v.Fallbacks) != 2 || v.Tier != 1 {
		t.Errorf("%+v", v)
	}
	s.play([]rounds{{"rppr", 3, "2*0 3"}})
	st, v := status()
	if v.Supply != api.Unserved || v.Reason != string(TooFew) && v.Reason != string(NoneUp) || !v.FallbackServes() || v.Tier != 0 || v.Fallbacks[1].Health != api.Down {
		t.Errorf("%+v", v)
	}
	for _, code := range []string{"fallback-serves", "fallbacks-down", "servers-down"} {
		if !slices.ContainsFunc(st.Findings, func(f api.Finding) bool { return f.Code == code && f.Severity == api.Warning }) {
			t.Errorf("no finding %s: %+v", code, st.Findings)
		}
	}
	if slices.ContainsFunc(st.Findings, func(f api.Finding) bool { return f.Code == "tier-serves" }) {
		t.Error("a fallback is called a tier")
	}
}

// A condition about a service is about its real servers.
func TestFallbacksAreNoServersOfACondition(t *testing.T) {
	c := spare(nil, 2, 1, 1)
	c.Conditions = []config.Condition{{Name: "farm", Service: "web", Minimum: 1}}
	s := tellOf(t, c)
	s.play([]rounds{{"pppp", 2, "1 2 3*0 4*0"}, {"rrpp", 3, "3 4"}})
	if v := s.core.watch.judged; len(v) != 1 || v[0].OK || v[0].Unknown {
		t.Errorf("judged %+v", v)
	}
}
