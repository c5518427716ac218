package cluster

import (
	"testing"
	"time"
)

func TestLongestHeld(t *testing.T) {
	epoch := time.Unix(1000, 0)
	at := func(s float64) time.Time { return epoch.Add(time.Duration(s * float64(time.Second))) }
	changes := []holders{
		{at: at(0)}, {at: at(1), serve: [2]bool{true}}, {at: at(2), serve: [2]bool{true, true}},
		{at: at(2.5), serve: [2]bool{true, true}}, {at: at(3), serve: [2]bool{false, true}}, {at: at(8)},
	}
	for _, tt := range []struct {
		name          string
		from, now     float64
		number        int
		want, firstAt float64 // firstAt of the second director; 0: never
	}{
		{"both, and nothing has changed meanwhile", 0, 9, Both, 1, 2},
		{"it began before", 2.75, 9, Both, 0.25, 2.75},
		{"nobody, and it goes on", 1.5, 10, Nobody, 2, 2},
		{"it was over", 3.5, 4, Both, 0, 3.5},
		{"one", 0, 9, 1, 5, 2},
		{"nobody any more", 9, 10, 1, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := longestHeld(at(tt.from), at(tt.now), changes, tt.number)
			if want := time.Duration(tt.want * float64(time.Second)); got != want {
				t.Errorf("longest: %v, want %v", got, want)
			}
			w := &Holders{changes: changes}
			first := w.FirstAt(at(tt.from), 1)
			if tt.firstAt == 0 && !first.IsZero() || tt.firstAt != 0 && !first.Equal(at(tt.firstAt)) {
				t.Errorf("first at %v, want %v", first.Sub(epoch), tt.firstAt)
			}
		})
	}
}
