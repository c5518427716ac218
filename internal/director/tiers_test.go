package director

import (
	"slices"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// reserve is a farm of four servers in these tiers.
func reserve(p *config.Policy, tiers ...uint8) *config.Config {
	c := farm(len(tiers), false, p)
	for i, tier := range tiers {
		c.Services[0].Servers[i].Tier = tier
	}
	return c
}

// "The servers of the other site are to serve only when ours are gone."
func TestTheServersOfALaterTierServeWhenTheFirstIsShort(t *testing.T) {
	two := &config.Policy{MinHealthy: config.Quantity{N: 2}}
	for _, tt := range []struct {
		name   string
		policy *config.Policy
		tiers  []uint8
		script []rounds
		events []string
	}{
		{"the first serves, and the others are ready", nil, []uint8{1, 1, 2, 2}, []rounds{{"pppp", 2, "1 2 3*0 4*0"}}, nil},
		{"one of the first is enough", nil, []uint8{1, 1, 2, 2}, []rounds{{"pppp", 2, "1 2 3*0 4*0"}, {"rppp", 3, "2 3*0 4*0"}}, nil},
		{"none is left: the second serves", nil, []uint8{1, 1, 2, 2}, []rounds{{"pppp", 2, "1 2 3*0 4*0"}, {"rrpp", 3, "3 4"}}, []string{"tier-serves"}},
		{"until the first is back", nil, []uint8{1, 1, 2, 2}, []rounds{{"pppp", 2, "1 2 3*0 4*0"}, {"rrpp", 3, "3 4"}, {"rppp", 2, "2 3*0 4*0"}}, []string{"tier-serves", "tier-serves"}},
		{"then the third, and then the fallback", nil, []uint8{3, 1, 2, 3}, []rounds{
			{"pppp", 2, "1*0 2 3*0 4*0"}, {"prpp", 3, "1*0 3 4*0"}, {"prrp", 3, "1 4"}, {"rrrr", 3, "F"}, {"rrpr", 2, "3"}}, []string{"tier-serves", "tier-serves", "tier-serves"}},
		{"with min_healthy, those that are left keep what they have", two, []uint8{1, 1, 2, 2}, []rounds{
			{"pppp", 2, "1 2 3*0 4*0"}, {"rppp", 3, "2*0 3 4"}, {"pppp", 2, "1 2 3*0 4*0"}}, []string{"tier-serves", "tier-serves"}},
		{"and when the second is short, too, the fallback serves", two, []uint8{1, 1, 2, 2}, []rounds{
			{"pppp", 2, "1 2 3*0 4*0"}, {"rprp", 3, "2*0 4*0 F"}, {"rppp", 2, "2*0 3 4"}}, []string{"quorum-lost", "tier-serves", "tier-serves", "quorum-reached"}},
		{"recover_healthy is of the tier", &config.Policy{MinHealthy: config.Quantity{N: 50, Measure: config.Percent}, RecoverHealthy: config.Quantity{N: 100, Measure: config.Percent}}, []uint8{1, 1, 2, 2}, []rounds{
			{"pppp", 2, "1 2 3*0 4*0"}, {"rrpp", 3, "3 4"}, {"rppp", 9, "2*0 3 4"}, {"pppp", 2, "1 2 3*0 4*0"}}, []string{"tier-serves", "tier-serves"}},
		{"at the start, the first results decide", nil, []uint8{1, 1, 2, 2}, []rounds{{"nnpp", 1, "3*0 4*0 F"}, {"rrpp", 1, "3 4"}}, []string{"tier-serves"}},
		{"tiers that begin with the second", nil, []uint8{2, 2, 3, 3}, []rounds{{"pppp", 2, "1 2 3*0 4*0"}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tellOf(t, reserve(tt.policy, tt.tiers...))
			s.handle(TableSeen{Converged: true})
			s.play(tt.script)
			if got := append(s.events("quorum"), s.events("tier")...); !sameElements(got, tt.events) {
				t.Errorf("the events are %q, want %q", got, tt.events)
			}
		})
	}
}

// The verdicts of the last plan are of the services that there were then.
func TestAReloadWithFewerServicesWhileALaterTierServes(t *testing.T) {
	c := reserve(nil, 1, 1, 2, 2)
	s := tellOf(t, c)
	s.handle(TableSeen{Converged: true})
	s.play([]rounds{{"pppp", 2, "1 2 3*0 4*0"}, {"rrpp", 3, "3 4"}})
	less := *c
	less.Services, less.Digest = nil, "less"
	s.handle(Reload{})
	s.handle(ReadingEnded{Number: s.core.reload.number, Loaded: Loaded{Config: &less}})
	if got := s.core.reserves(); len(got) > 0 {
		t.Errorf("the findings are %v", got)
	}
}

func sameElements(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// A client that has stayed with a server would stay with one that only waits for its turn.
func TestWithPersistenceAServerThatWaitsForItsTurnHasNoRow(t *testing.T) {
	c := reserve(&config.Policy{MinHealthy: config.Quantity{N: 2}}, 1, 1, 2, 2)
	c.Services[0].Service.Flags |= ipvsctl.Persistent
	tellOf(t, c).play([]rounds{{"pppp", 2, "1 2"}, {"rppp", 3, "2*0 3 4"}, {"pppp", 2, "1 2"}})
}

// The last tier is a fallback that is checked, and may have several servers; without it, what
// is up serves, of whatever tier.
func TestWithoutAFallbackTheLastTierIsOne(t *testing.T) {
	for _, tt := range []struct {
		letters, want string
	}{
		{"pppp", "1 2 3*0 4*0"},
		{"rppp", "2*0 3 4"},
		{"rprp", "2*0 4"},
		{"rprr", "2"},
		{"rrrr", ""},
	} {
		c := reserve(&config.Policy{MinHealthy: config.Quantity{N: 2}}, 1, 1, 2, 2)
		fallback := c.Services[0].Fallback
		c.Services[0].Fallback = nil
		s := tellOf(t, c)
		for range 3 {
			s.round(tt.letters)
		}
		if low := strings.Count(tt.letters, "p") < 3; s.core.planned.Verdicts[0].Below != low {
			t.Errorf("%s: below its minimum is %v", tt.letters, !low)
		}
		c.Services[0].Fallback = fallback // serving() looks for it.
		if got := s.serving(); got != tt.want {
			t.Errorf("%s: %q serve, want %q", tt.letters, got, tt.want)
		}
	}
}

func TestTheStatusTellsOfTiers(t *testing.T) {
	s := tellOf(t, reserve(nil, 1, 1, 2, 2))
	s.play([]rounds{{"pppp", 2, "1 2 3*0 4*0"}})
	st := s.core.Status(s.now, Edges{})
	if v := st.Services[0]; v.Tier != 1 || v.Supply != api.Served || v.Servers[0].Tier != 1 || v.Servers[2].Tier != 2 || v.Servers[2].DecidedBy != api.ByTier || v.Servers[0].DecidedBy != "" {
		t.Errorf("%+v", v)
	}
	s.play([]rounds{{"rrpp", 3, "3 4"}})
	st = s.core.Status(s.now, Edges{})
	if !slices.ContainsFunc(st.Findings, func(f api.Finding) bool { return f.Code == "tier-serves" && f.Severity == api.Warning }) || st.Services[0].Tier != 2 {
		t.Errorf("tier %d, findings %+v", st.Services[0].Tier, st.Findings)
	}
	plain := tellOf(t, farm(2, false, nil))
	plain.play([]rounds{{"pp", 2, "1 2"}})
	if v := plain.core.Status(plain.now, Edges{}).Services[0]; v.Tier != 0 || v.Servers[0].Tier != 0 {
		t.Errorf("without tiers: %+v", v)
	}
}
