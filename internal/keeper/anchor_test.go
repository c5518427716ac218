package keeper

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// What a keeper says of the time by its wall clock does not count, since somebody may
// set that; for how long a router has been in its state does.
func TestSettingTheClockDoesNotChangeHowLongARouterHasBeenMaster(t *testing.T) {
	now := time.Now()
	status := func(state vrrp.State, age time.Duration) []vrrp.Status {
		return []vrrp.Status{{Name: "outside", State: state, Since: now.Add(6 * time.Hour), Age: age}}
	}
	c := &Client{changed: make(chan struct{}, 1)}
	c.take(snapshot{Statuses: status(vrrp.Master, time.Minute)})
	if got := time.Since(c.Statuses()[0].Since); got < time.Minute || got > 2*time.Minute {
		t.Errorf("it has been Master for %v, want a minute", got)
	}
	first := status(vrrp.Master, time.Minute)
	anchor(now, first, nil)
	if got := now.Sub(first[0].Since); got != time.Minute {
		t.Fatalf("it has been Master for %v, want a minute", got)
	}
	for _, tt := range []struct {
		name  string
		state vrrp.State
		age   time.Duration
		want  time.Duration // since it has been so
	}{
		{"the same a second later, told a little late", vrrp.Master, time.Minute + 950*time.Millisecond, time.Minute + time.Second},
		{"another state", vrrp.Backup, time.Minute, time.Minute},
		{"another keeper", vrrp.Master, 0, 0},
	} {
		next, later := status(tt.state, tt.age), now.Add(time.Second)
		anchor(later, next, first)
		if got := later.Sub(next[0].Since); got != tt.want {
			t.Errorf("%s: for %v, want %v", tt.name, got, tt.want)
		}
	}
	never := []vrrp.Status{{Name: "outside"}}
	if anchor(now, never, first); !never[0].Since.IsZero() {
		t.Errorf("a router that never ran has been so since %v", never[0].Since)
	}
}

// A thousand routers are reported up to fifty times a second: 0.7 ms each time where it
// is looked up which one is which, 9 ms where each was compared with each (measured on
// two busy processors).
func BenchmarkAnchor(b *testing.B) {
	now := time.Now()
	before := make([]vrrp.Status, 1000)
	for i := range before {
		before[i] = vrrp.Status{Name: fmt.Sprintf("outside-%03d", i), State: vrrp.Master, Since: now, Age: time.Minute}
	}
	statuses := slices.Clone(before)
	for b.Loop() {
		anchor(now, statuses, before)
	}
}
