package checker

import (
	"testing"
	"testing/synctest"
	"time"
)

// What is suspected is asked at once, and so often that its state may change soon.
func TestWhatIsSuspectedIsAskedSoon(t *testing.T) {
	for _, tt := range []struct {
		name string
		pace Pace
		want []time.Duration // from the suspicion on
	}{
		{"by its fast pace", Pace{Fast: In(100 * time.Millisecond), Rise: 2, Fall: 4}, []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond}},
		{"without one, by a quarter of the interval", Pace{}, []time.Duration{0, 500 * time.Millisecond, 1000 * time.Millisecond}},
		{"also if nobody needs it", Pace{Idle: In(time.Minute), Rise: 2, Fall: 2}, []time.Duration{0, 500 * time.Millisecond}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := targets(2)
				one, other := all[0], all[1]
				one.Interval, one.Pace = 2*time.Second, tt.pace
				l := newLog()
				c := New(answers(0), DefaultInFlight)
				c.Set(all)
				run(t, c, l.report)
				c.SetIdle(all[:1])
				passes(10*time.Second + 5*time.Millisecond)
				// It comes just after one, so that the next one on the grid is far away.
				for {
					l.mu.Lock()
					n := len(l.times[*one])
					recent := time.Since(l.began)-l.times[*one][n-1] < 50*time.Millisecond
					l.mu.Unlock()
					if recent || tt.pace.Idle > 0 {
						break
					}
					passes(10 * time.Millisecond)
				}
				l.mu.Lock()
				before, from, others := len(l.times[*one]), time.Since(l.began), len(l.times[*other])
				l.mu.Unlock()
				gone := *one
				gone.Port = 9999
				c.Suspect([]Target{*one, gone})
				passes(1500 * time.Millisecond)
				l.mu.Lock()
				defer l.mu.Unlock()
				got := l.times[*one][before:]
				if len(got) < len(tt.want) {
					t.Fatalf("results at %v, from %v on", got, from)
				}
				for i, want := range tt.want {
					if late := got[i] - from - want; late < -20*time.Millisecond || late > 20*time.Millisecond {
						t.Errorf("result %d %v after the suspicion, want %v", i, got[i]-from, want)
					}
				}
				if len(got) > len(tt.want)+1 {
					t.Errorf("%d results in 1.5 s, want %d and perhaps one on its grid", len(got), len(tt.want))
				}
				if n := len(l.times[*other]) - others; n > 1 {
					t.Errorf("%d results of another target", n)
				}
			})
		})
	}
}
