package keeper

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
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
	c := &Client{changed: make(chan struct{}, 1), follow: func([]*vrrp.Status, []vrrp.Event) {}}
	c.take(snapshot{Report: vrrp.Report{Renewed: true, Total: 1, Places: []int{0}, Statuses: status(vrrp.Master, time.Minute)}})
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
		anchor(later, next, []*vrrp.Status{&first[0]})
		if got := later.Sub(next[0].Since); got != tt.want {
			t.Errorf("%s: for %v, want %v", tt.name, got, tt.want)
		}
	}
	never := []vrrp.Status{{Name: "outside"}}
	if anchor(now, never, []*vrrp.Status{&first[0]}); !never[0].Since.IsZero() {
		t.Errorf("a router that never ran has been so since %v", never[0].Since)
	}
}

// A Master that resumes by a clock that was set back would be one beside its successor;
// by one that was set forward it would not resume at all.
func TestSettingTheClockDoesNotChangeUntilWhenARouterResumes(t *testing.T) {
	died := boottime()
	c := &Client{statuses: []*vrrp.Status{{Name: "outside", State: vrrp.Master, Interval: time.Second}, {Name: "inside", State: vrrp.Backup, Interval: time.Second}}}
	sent, err := json.Marshal(order{Resume: c.masters(died)})
	if err != nil {
		t.Fatal(err)
	}
	if moment := regexp.MustCompile(`\d\d:\d\d`).Find(sent); moment != nil {
		t.Errorf("the order has a time of the wall clock: %s", sent)
	}
	var o order
	if err := json.Unmarshal(sent, &o); err != nil {
		t.Fatal(err)
	}
	// The new keeper reads it 0.7 s later, when the clock shows another year.
	now := time.Now()
	got := resumptions(now, died+700*time.Millisecond, o.Resume)
	if len(got) != 1 || got[0].Router != "outside" || got[0].Before.Sub(now) != 1300*time.Millisecond {
		t.Fatalf("%s is read as %v, want outside until 1.3s after %v", sent, got, now)
	}
	if !strings.Contains(got[0].Before.String(), "m=+") {
		t.Errorf("%v is by the wall clock", got[0].Before)
	}
	if late := resumptions(now, died+time.Hour, o.Resume); !late[0].Before.Before(now) {
		t.Errorf("an hour later: until %v", late[0].Before)
	}
}

// A thousand routers are reported up to fifty times a second: 0.7 ms each time where it
// is looked up which one is which, 9 ms where each was compared with each (measured on
// two busy processors).
func BenchmarkAnchor(b *testing.B) {
	now := time.Now()
	statuses, before := make([]vrrp.Status, 1000), make([]*vrrp.Status, 1000)
	for i := range before {
		before[i] = &vrrp.Status{Name: fmt.Sprintf("outside-%03d", i), State: vrrp.Master, Since: now, Age: time.Minute}
		statuses[i] = *before[i]
	}
	for b.Loop() {
		anchor(now, statuses, before)
	}
}
