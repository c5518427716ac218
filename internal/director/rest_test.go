package director

import (
	"testing"
	"testing/synctest"
	"time"
)

// "Planning followed each few results, and there was no time for checks."
func TestResultsAreGatheredAfterALongPlan(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		time.Millisecond: 0, 40 * time.Millisecond: 80 * time.Millisecond, time.Second: longestRest,
	} {
		if got := rest(took); got != want {
			t.Errorf("after %v it gathers for %v, want %v", took, got, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		d := &Director{results: make(chan *observations, resultQueue)}
		come := func() { d.results <- &observations{all: make(Probed, 3)} }
		go func() {
			for range 4 {
				time.Sleep(20 * time.Millisecond)
				come()
			}
		}()
		first, begun := &observations{all: make(Probed, 1)}, time.Now()
		d.burst(first, 70*time.Millisecond)
		if took := time.Since(begun); len(first.all) != 1+3*3 || took != 70*time.Millisecond {
			t.Errorf("%d results after %v", len(first.all), took)
		}
		synctest.Wait()
		come()
		next := &observations{all: make(Probed, 1)}
		if d.burst(next, 0); len(next.all) != 1+3 {
			t.Errorf("without a rest %d results, want those that waited", len(next.all))
		}
		time.Sleep(time.Second)
	})
}
