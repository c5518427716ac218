package cluster

import (
	"testing"
	"time"
)

func TestStallsThatOverlapCountOnce(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }
	stalls := []stall{{at(5), at(20)}, {at(10), at(30)}, {at(25), at(40)}, {at(60), at(70)}, {at(90), at(120)}}
	for _, tt := range []struct {
		name             string
		begin, end, want int
	}{
		{"all", 0, 200, 35 + 10 + 30},
		{"a part of the first ones", 15, 35, 20},
		{"none", 41, 59, 0},
		{"the beginning of the last", 80, 100, 10},
	} {
		if got := stalled(stalls, at(tt.begin), at(tt.end)); got != time.Duration(tt.want)*time.Millisecond {
			t.Errorf("%s: %v, want %d ms", tt.name, got, tt.want)
		}
	}
}
