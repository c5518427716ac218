package director

import (
	"testing"
	"time"
)

// "Planning followed each few results, and there was no time for checks."
func TestResultsAreGatheredAfterALongPlan(t *testing.T) {
	results := func(n int) Probed { return make(Probed, n) }
	var g gathering
	ripe := func(what string, at time.Duration, want bool) {
		t.Helper()
		if got := g.ripe(start.Add(at)); got != want {
			t.Errorf("%s: ripe %t, want %t", what, got, want)
		}
	}
	ms := time.Millisecond
	ripe("without any", 0, false)
	g.add(results(1))
	ripe("the first one", 0, true)
	g.told(start, start.Add(2*ms))
	g.add(results(1))
	ripe("after a short plan", 2*ms, true)
	g.told(start, start.Add(40*ms))
	if !g.due().IsZero() {
		t.Errorf("none is there, and due at %v", g.due())
	}
	g.add(results(1))
	ripe("soon after a long plan", 41*ms, false)
	if want := start.Add(120 * ms); !g.due().Equal(want) {
		t.Errorf("due at %v, want %v", g.due(), want)
	}
	g.add(results(2))
	ripe("twice the plan's time later", 120*ms, true)
	if len(g.all) != 3 {
		t.Errorf("%d results, want all 3", len(g.all))
	}
	g.told(start, start.Add(time.Second))
	g.add(results(1))
	ripe("after the longest", time.Second+longestRest-ms, false)
	ripe("a tenth of a second later", time.Second+longestRest, true)
	g.told(start, start.Add(time.Second))
	g.add(results(burstLimit))
	ripe("so many that they are planned for at once", time.Second, true)
}
