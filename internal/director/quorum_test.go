package director

import (
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
)

func TestAServiceWithTooFewServersIsServedByItsFallback(t *testing.T) {
	servers := func(n uint32) config.Quantity { return config.Quantity{N: n} }
	percent := func(n uint32) config.Quantity { return config.Quantity{N: n, Measure: config.Percent} }
	weight := func(n uint32) config.Quantity { return config.Quantity{N: n, Measure: config.Weight} }
	for _, tt := range []struct {
		name         string
		min, recover config.Quantity
		weights      [4]uint32
		script       []rounds
		events       []string
	}{
		{"as long as there are enough, they serve", servers(2), servers(0), [4]uint32{1, 1, 1, 1}, []rounds{
			{"pppp", 2, "1 2 3 4"}, {"rrpp", 3, "3 4"}}, nil},
		{"with fewer, the fallback does, and they keep what they have", servers(2), servers(0), [4]uint32{1, 1, 1, 1}, []rounds{
			{"pppp", 2, "1 2 3 4"}, {"rrrp", 3, "4*0 F"}}, []string{"quorum-lost"}},
		{"until there are as many", servers(2), servers(0), [4]uint32{1, 1, 1, 1}, []rounds{
			{"pppp", 2, "1 2 3 4"}, {"rrrp", 3, "4*0 F"}, {"rrpp", 2, "3 4"}}, []string{"quorum-lost", "quorum-reached"}},
		{"or as many as recover_healthy says", servers(2), servers(3), [4]uint32{1, 1, 1, 1}, []rounds{
			{"pppp", 2, "1 2 3 4"}, {"rrrp", 3, "4*0 F"}, {"rrpp", 4, "3*0 4*0 F"}, {"rppp", 2, "2 3 4"}, {"rrpp", 3, "3 4"}}, []string{"quorum-lost", "quorum-reached"}},
		{"a share of those that have a weight", percent(50), percent(0), [4]uint32{1, 1, 1, 0}, []rounds{
			{"pppp", 2, "1 2 3 4*0"}, {"rppp", 3, "2 3 4*0"}, {"rrpp", 3, "3*0 4*0 F"}}, []string{"quorum-lost"}},
		{"a sum of weights, as keepalived's quorum", weight(5), weight(7), [4]uint32{4, 3, 2, 1}, []rounds{
			{"pppp", 2, "1*4 2*3 3*2 4"}, {"rppp", 3, "2*3 3*2 4"}, {"rrpp", 3, "3*0 4*0 F"}, {"rppp", 2, "2*0 3*0 4*0 F"}, {"pppp", 2, "1*4 2*3 3*2 4"}},
			[]string{"quorum-lost", "quorum-reached"}},
		{"none is left", servers(2), servers(0), [4]uint32{1, 1, 1, 1}, []rounds{
			{"pppp", 2, "1 2 3 4"}, {"rrrr", 3, "F"}, {"prrr", 2, "1*0 F"}, {"pprr", 2, "1 2"}}, []string{"quorum-lost", "quorum-reached"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := farm(4, false, &config.Policy{MinHealthy: tt.min, RecoverHealthy: tt.recover})
			for i, w := range tt.weights {
				c.Services[0].Servers[i].Destination.Weight = w
			}
			s := tellOf(t, c)
			s.play(tt.script)
			if got := s.events("quorum"); !slices.Equal(got, tt.events) {
				t.Errorf("the events are %q, want %q", got, tt.events)
			}
		})
	}
}

// A start is no loss of the quorum: the results of most servers are to come.
func TestAQuorumIsNotLostBeforeTheFirstResults(t *testing.T) {
	s := tellOf(t, farm(4, false, &config.Policy{MinHealthy: config.Quantity{N: 3}}))
	s.handle(TableSeen{Converged: true})
	s.play([]rounds{{"p", 1, "1"}})
	if got := s.events("quorum"); got != nil {
		t.Errorf("the events are %q, want none", got)
	}
	s.play([]rounds{{"p", 15, "1*0 F"}})
}

// Without a fallback, a few servers are better than none, and it is told.
func TestAServiceWithTooFewServersAndNoFallbackServesOn(t *testing.T) {
	c := farm(3, false, &config.Policy{MinHealthy: config.Quantity{N: 2}})
	fallback := c.Services[0].Fallback
	c.Services[0].Fallback = nil
	s := tellOf(t, c)
	for range 3 {
		s.round("rrp")
	}
	c.Services[0].Fallback = fallback // serving() looks for it.
	if got := s.serving(); got != "3" {
		t.Errorf("%q serve, want 3", got)
	}
	c.Services[0].Fallback = nil
	if st := s.core.Status(s.now, Edges{}).Services[0]; st.Supply != api.Served || !st.BelowMinimum {
		t.Errorf("supply %s, below its minimum %v; want %s and true", st.Supply, st.BelowMinimum, api.Served)
	}
}

// A virtual router that tracks a service without a minimum of its own follows that of
// the service, with its hysteresis.
func TestATrackedServiceFollowsItsOwnMinimum(t *testing.T) {
	c := farm(3, false, &config.Policy{MinHealthy: config.Quantity{N: 2}, RecoverHealthy: config.Quantity{N: 3}})
	c.Conditions = []config.Condition{{Name: "service web", Service: "web", Minimum: 1, Own: true}}
	s := tellOf(t, c)
	for i, step := range []struct {
		letters string
		times   int
		met     bool
	}{{"ppp", 2, true}, {"rpp", 3, true}, {"rrp", 3, false}, {"rpp", 2, false}, {"ppp", 2, true}} {
		for range step.times {
			s.round(step.letters)
		}
		if got := s.core.watch.judged[0].OK; got != step.met {
			t.Errorf("step %d: met is %v, want %v", i, got, step.met)
		}
	}
}

func TestAServerThatRecoversWaitsForUpAfter(t *testing.T) {
	s := tellOf(t, farm(2, false, &config.Policy{UpAfter: 10 * time.Second}))
	s.play([]rounds{
		{"pp", 1, "1 2"}, // At the start, the first result decides.
		{"rp", 3, "2"},
		{"pp", 3, "2"}, // With rise it is up, and waits.
	})
	if got := s.core.Status(s.now, Edges{}).Services[0].Servers[0]; got.Health != api.Up || got.DecidedBy != api.ByUpAfter {
		t.Errorf("the status says %s by %q, want %s by %q", got.Health, got.DecidedBy, api.Up, api.ByUpAfter)
	}
	s.play([]rounds{{"pp", 7, "2"}, {"pp", 1, "1 2"}, {"pp", 20, "1 2"}})
	s.play([]rounds{{"rp", 3, "2"}, {"pp", 8, "2"}, {"rp", 3, "2"}, {"pp", 10, "2"}, {"pp", 1, "1 2"}}) // It fell again meanwhile.
}

// "The server came back with empty caches, and all at once was too much."
func TestAServerThatRecoversStartsSlowly(t *testing.T) {
	c := farm(2, false, &config.Policy{SlowStart: 50 * time.Second})
	c.Services[0].Servers[0].Destination.Weight = 4
	s := tellOf(t, c)
	s.play([]rounds{
		{"pp", 1, "1*4 2"}, // Nobody is slow at the start.
		{"rp", 3, "2"},
		{"pp", 2, "1 2"},                    // 4 × 1/5, and at least 1, for 12.5 s
		{"pp", 11, "1 2"}, {"pp", 1, "1 2"}, // 4 × 2/5
		{"pp", 12, "1*2 2"}, // 4 × 3/5
		{"pp", 13, "1*3 2"}, // 4 × 4/5
		{"pp", 12, "1*4 2"},
		{"pp", 60, "1*4 2"},
		{"rp", 3, "2"}, {"pp", 2, "1 2"}, // again from the start
	})
}

// Each step is as long as the others, none is below 1, and the last one is the weight.
func TestSlowStartRisesInEqualSteps(t *testing.T) {
	for _, weight := range []uint32{1, 2, 3, 9, 10, 11, 100, 65535} {
		server := &config.Server{}
		server.Destination.Weight = weight
		p := config.Policy{SlowStart: time.Minute}
		up := Standing{State: checker.Up, Since: start, Recovered: true}
		steps, last, now := 0, uint32(0), start
		for {
			w := weigh(now, server, p, up, nil)
			if !w.Listed || w.Value < max(1, last) || w.Value > weight {
				t.Fatalf("weight %d: %+v after %v", weight, w, now.Sub(start))
			}
			if steps, last = steps+1, w.Value; w.Until.IsZero() {
				break
			}
			if !w.Until.After(now) {
				t.Fatalf("weight %d: at %v, the next step is at %v", weight, now.Sub(start), w.Until.Sub(start))
			}
			now = w.Until
		}
		want := int(min(weight, maxSteps)) + 1
		if weight == 1 {
			want = 1
		}
		if steps != want || last != weight || weight > 1 && now.Sub(start) != p.SlowStart {
			t.Errorf("weight %d: %d steps to %d in %v, want %d in %v", weight, steps, last, now.Sub(start), want, p.SlowStart)
		}
	}
}

// What decides about a server is the first of these that has something to say. Each row
// has all that its order leaves, and one thing less than the row before.
func TestPrecedence(t *testing.T) {
	server := &config.Server{}
	server.Destination.Weight = 8
	now := start.Add(time.Minute)
	policy := config.Policy{UpAfter: 10 * time.Minute, SlowStart: time.Hour}
	panics := Hold{By: api.ByPanic, From: start, Until: now.Add(time.Second)}
	isolation := Hold{By: api.ByIsolation, From: start}
	down := Standing{State: checker.Down, Silent: true, Since: start}
	up := Standing{State: checker.Up, Recovered: true, Since: start}
	for _, tt := range []struct {
		name     string
		standing Standing
		policy   config.Policy
		holds    []Hold
		by       api.Decider
		listed   bool
		value    uint32
	}{
		{"maintenance, before panic", Standing{State: checker.Down, Silent: true, Since: start, advised: advised{mode: checker.Maintenance}}, policy, []Hold{panics, isolation}, api.ByMaintenance, false, 0},
		{"maintenance, of a server that is up", Standing{State: checker.Up, advised: advised{mode: checker.Maintenance}}, config.Policy{}, nil, api.ByMaintenance, false, 0},
		{"manual_resume, before panic", Standing{State: checker.Down, Silent: true, Since: start, KeptOut: true}, policy, []Hold{panics, isolation}, api.ByManualResume, false, 0},
		{"manual_resume, before up_after", Standing{State: checker.Up, Recovered: true, Since: start, KeptOut: true}, policy, nil, api.ByManualResume, false, 0},
		{"panic, before isolation", down, policy, []Hold{panics, isolation}, api.ByPanic, true, 8},
		{"isolation, before health", down, policy, []Hold{isolation}, api.ByIsolation, true, 8},
		{"who is held has the weight that its checks left it", Standing{State: checker.Down, Silent: true, Since: start, advised: advised{reduced: true, percent: 50}}, policy, []Hold{panics}, api.ByPanic, true, 4},
		{"who was drained is held so", Standing{State: checker.Down, Silent: true, Since: start, advised: advised{mode: checker.Drain}}, policy, []Hold{panics}, api.ByPanic, true, 0},
		{"health: it is down", down, policy, nil, "", false, 0},
		{"a panic that is over holds nobody", down, policy, []Hold{{By: api.ByPanic, From: start, Until: now}}, "", false, 0},
		{"nor does one that began after it fell", down, policy, []Hold{{By: api.ByPanic, From: now}}, "", false, 0},
		{"who refuses is not held", Standing{State: checker.Down, Since: start}, policy, []Hold{panics, isolation}, "", false, 0},
		{"up_after, before slow_start", up, policy, []Hold{panics, isolation}, api.ByUpAfter, false, 0},
		{"slow_start, before the weight", up, config.Policy{SlowStart: time.Hour}, []Hold{panics, isolation}, api.BySlowStart, true, 1},
		{"slow_start rises to the weight that its checks leave it", Standing{State: checker.Up, Recovered: true, Since: now.Add(-59 * time.Minute), advised: advised{reduced: true, percent: 50}}, config.Policy{SlowStart: time.Hour}, nil, api.BySlowStart, true, 3},
		{"who was let in waits for no up_after", Standing{State: checker.Up, Recovered: true, Since: start.Add(-time.Hour), Resumed: now}, policy, nil, api.BySlowStart, true, 1},
		{"the weight", up, config.Policy{}, []Hold{panics, isolation}, "", true, 8},
		{"the weight that its checks leave it", Standing{State: checker.Up, advised: advised{reduced: true, percent: 50}}, config.Policy{}, nil, api.ByChecks, true, 4},
		{"drained by a check", Standing{State: checker.Up, advised: advised{mode: checker.Drain}}, config.Policy{}, nil, api.ByDrain, true, 0},
		{"found at weight 0", Standing{State: checker.Drained}, policy, []Hold{panics, isolation}, "", true, 0},
		{"unknown", Standing{}, policy, []Hold{panics, isolation}, "", false, 0},
	} {
		if w := weigh(now, server, tt.policy, tt.standing, tt.holds); w.By != tt.by || w.Listed != tt.listed || w.Value != tt.value {
			t.Errorf("%s: %+v, want listed %v with %d by %q", tt.name, w, tt.listed, tt.value, tt.by)
		}
	}
	// on_failure comes after all that could keep its weight, and concerns who is down alone.
	server.DrainOnFailure = true
	for _, tt := range []struct {
		name     string
		standing Standing
		by       api.Decider
		listed   bool
		value    uint32
	}{
		{"panic, before on_failure", down, api.ByPanic, true, 8},
		{"on_failure: it is down", Standing{State: checker.Down, Since: start}, api.ByOnFailure, true, 0},
		{"it is kept out", Standing{State: checker.Up, KeptOut: true}, api.ByManualResume, true, 0},
		{"nothing is known of it", Standing{}, "", false, 0},
		{"it is up", Standing{State: checker.Up}, "", true, 8},
		{"it comes up", up, api.ByUpAfter, false, 0},
	} {
		if w := weigh(now, server, policy, tt.standing, []Hold{panics}); w.By != tt.by || w.Listed != tt.listed || w.Value != tt.value {
			t.Errorf("%s: %+v, want listed %v with %d by %q", tt.name, w, tt.listed, tt.value, tt.by)
		}
	}
	// Those that are held in count for the watermark, which comes after them.
	s := farm(2, false, &config.Policy{MinHealthy: config.Quantity{N: 2}}).Services[0]
	var held, fallen []Weight
	for i := range s.Servers {
		held = append(held, weigh(now, &s.Servers[i], *s.Policy, down, []Hold{panics}))
		fallen = append(fallen, weigh(now, &s.Servers[i], *s.Policy, down, nil))
	}
	states := []checker.State{checker.Down, checker.Down}
	few, _ := below(&s, states, fallen, false, false)
	if heldFew, _ := below(&s, states, held, false, false); heldFew || !few {
		t.Error("the watermark does not follow what is in the table")
	}
}
