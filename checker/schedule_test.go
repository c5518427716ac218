package checker

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// target returns the nth of many TCP targets.
func target(n int) Target {
	return Target{
		Spec:     SpecOf(TCP{}),
		Addr:     netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}),
		Port:     80,
		Interval: 2 * time.Second,
		Timeout:  time.Second,
	}
}

// targets returns the first n of them.
func targets(n int) []*Target {
	all := make([]*Target, n)
	for i := range all {
		all[i] = new(target(i))
	}
	return all
}

// these are targets as the checker takes them.
func these(targets ...Target) (all []*Target) {
	for _, t := range targets {
		all = append(all, &t)
	}
	return all
}

// startAll starts whatever is due.
func startAll(s *schedule, now time.Time) (started []*entry) {
	for {
		e, _ := s.start(now)
		if e == nil {
			return started
		}
		started = append(started, e)
	}
}

func TestScheduleFirstAtOnceThenSpread(t *testing.T) {
	const n = 10_000
	s := newSchedule(epoch)
	now := epoch.Add(time.Hour)
	s.set(now, targets(n))
	first := startAll(s, now)
	if len(first) != n {
		t.Fatalf("%d of %d targets are due at once", len(first), n)
	}
	for _, e := range first {
		s.finish(e)
	}
	perTick := make(map[time.Time]int)
	for s.deadline().Before(now.Add(2 * time.Second)) {
		at := s.deadline()
		for _, e := range startAll(s, at) {
			perTick[at]++
			s.finish(e)
		}
	}
	// 10,000 targets over the 200 ticks of 2 s are 50 a tick.
	if len(perTick) < 199 || len(perTick) > 201 {
		t.Errorf("the probes start at %d times, want 200", len(perTick))
	}
	for at, n := range perTick {
		if n > 100 {
			t.Errorf("%d probes start at %v, want about 50", n, at.Sub(now))
		}
	}
}

func TestScheduleFixedCadence(t *testing.T) {
	s := newSchedule(epoch)
	now := epoch.Add(123456789 * time.Nanosecond)
	s.set(now, targets(1))
	e, _ := s.start(now)
	s.finish(e)
	grid := s.deadline()
	if wait := grid.Sub(now); wait <= 0 || wait > 2*time.Second {
		t.Fatalf("the second probe is due %v after the first, want within one interval", wait)
	}
	for i := range 1000 {
		want := grid.Add(time.Duration(i) * 2 * time.Second)
		if got := s.deadline(); !got.Equal(want) {
			t.Fatalf("probe %d is due at %v, want %v: from start to start, however long each took", i, got, want)
		}
		e, _ := s.start(want.Add(7 * time.Millisecond))
		s.finish(e)
	}
}

// refuse lets the next probe start when it is due and end a moment later, with a
// refusal or not. It returns how long after the start the one after it is due.
func refuse(s *schedule, refused bool) (next time.Duration) {
	var reason Reason
	if refused {
		reason = Refused
	}
	started := s.deadline()
	e, _ := s.start(started)
	s.observe(started.Add(time.Millisecond), e, Result{Reason: reason})
	s.finish(e)
	return s.deadline().Sub(started)
}

func TestScheduleAsksSoonAfterARefusal(t *testing.T) {
	const interval, quarter = 2 * time.Second, 500 * time.Millisecond
	s := newSchedule(epoch)
	s.set(epoch, targets(1))
	refuse(s, false)
	if next := refuse(s, false); next != interval {
		t.Fatalf("the next try is %v after one that passed, want %v", next, interval)
	}
	grid := s.deadline()
	for i := range maxRetries {
		if next := refuse(s, true); next < quarter || next > quarter+2*tick {
			t.Errorf("the next try is %v after refusal %d, want %v", next, i+1, quarter)
		}
	}
	refuse(s, true) // that was the last quick retry
	for i := range 3 {
		if off := s.deadline().Sub(grid) % interval; off != 0 {
			t.Errorf("try %d is %v off the grid, want it on it: the server is down", i+1, off)
		}
		if next := refuse(s, true); next != interval {
			t.Errorf("the next try is %v after a refusal of many, want %v", next, interval)
		}
	}
	refuse(s, false)
	if next := refuse(s, true); next > quarter+2*tick {
		t.Errorf("the next try is %v after a refusal of a server that had come back, want %v", next, quarter)
	}
}

// A refusal never makes a target wait for longer than its interval.
func TestScheduleIsNotSlowerAfterARefusal(t *testing.T) {
	for _, interval := range []time.Duration{minInterval, 2 * minInterval, 4 * minInterval, time.Second} {
		s := newSchedule(epoch)
		some := targets(1)
		some[0].Interval = interval
		s.set(epoch, some)
		refuse(s, false)
		for i := range 2 * maxRetries {
			if next := refuse(s, true); next > interval {
				t.Errorf("interval %v: the next try is %v after refusal %d", interval, next, i+1)
			}
		}
	}
}

func TestScheduleIsBackOnItsGridAfterARefusal(t *testing.T) {
	const interval, quarter = 2 * time.Second, 500 * time.Millisecond
	for refusals := 1; refusals <= maxRetries; refusals++ {
		s := newSchedule(epoch)
		s.set(epoch, targets(1))
		refuse(s, false)
		grid := s.deadline()
		for range refusals {
			refuse(s, true)
		}
		next := refuse(s, false)
		if off := s.deadline().Sub(grid) % interval; off != 0 || next < quarter || next >= interval+quarter {
			t.Errorf("after %d refusals and a pass the next try comes after %v, %v off the grid; want %v to %v and 0",
				refusals, next, off, quarter, interval+quarter)
		}
	}
}

func TestScheduleMissedStartsAreNotCaughtUp(t *testing.T) {
	s := newSchedule(epoch)
	s.set(epoch, targets(1))
	e, _ := s.start(epoch)
	s.finish(e)
	grid := s.deadline()
	late := grid.Add(9*time.Second + time.Millisecond)
	e, due := s.start(late)
	if !due.Equal(grid) {
		t.Errorf("due since %v, want %v", due, grid)
	}
	s.finish(e)
	if got, want := s.deadline(), grid.Add(10*time.Second); !got.Equal(want) {
		t.Errorf("after a stall of 9 s the next probe is due at %v, want %v on the old grid", got, want)
	}
}

func TestScheduleSlowProbeRunsAgainWhenItEnds(t *testing.T) {
	s := newSchedule(epoch)
	s.set(epoch, targets(1))
	e, _ := s.start(epoch)
	if again, _ := s.start(epoch.Add(5 * time.Second)); again != nil {
		t.Fatal("a second probe of one target started while the first runs")
	}
	if !s.deadline().IsZero() {
		t.Errorf("a deadline at %v while the only target runs", s.deadline())
	}
	if !s.finish(e) {
		t.Error("finish does not say that there is news")
	}
	if !s.deadline().Before(epoch.Add(5 * time.Second)) {
		t.Errorf("due at %v, want at once", s.deadline())
	}
}

func TestScheduleLongestDueFirst(t *testing.T) {
	s := newSchedule(epoch)
	s.set(epoch, targets(100))
	for _, e := range startAll(s, epoch) {
		s.finish(e)
	}
	var last time.Time
	for range 100 {
		e, due := s.start(epoch.Add(time.Minute))
		if e == nil || due.Before(last) {
			t.Fatalf("due %v started after due %v", due, last)
		}
		last = due
	}
}

func TestScheduleSet(t *testing.T) {
	a, b, c := target(1), target(2), target(3)
	s := newSchedule(epoch)
	s.set(epoch, these(a, b, a))
	if s.targets != 2 {
		t.Errorf("%d targets, want 2: equal ones are one", s.targets)
	}
	for _, e := range startAll(s, epoch) {
		s.finish(e)
	}
	place := func(t Target) *entry {
		if i, found := s.find(t); found {
			return s.entries[i]
		}
		return nil
	}
	kept := place(a).due
	now := epoch.Add(time.Millisecond)
	s.set(now, these(a, c))
	if place(a).due != kept {
		t.Error("a target that stayed lost its place in the schedule")
	}
	if got := s.deadline(); !got.Equal(now) {
		t.Errorf("the new target is due at %v, want at once", got)
	}
	if place(b) != nil {
		t.Error("the target that was removed is still there")
	}
	e, _ := s.start(now)
	if diff := cmp.Diff([]*entry{e}, s.set(now, these(a)), cmp.Comparer(func(x, y *entry) bool { return x == y })); diff != "" {
		t.Errorf("probes in flight for nobody (-want +got):\n%s", diff)
	}
	if again := s.set(now, these(a)); again != nil {
		t.Error("a probe was dropped twice")
	}
	s.set(now, these(a, c))
	if x, _ := s.start(now); x != nil {
		t.Error("a target that came back started beside its old probe")
	}
	s.finish(e)
	if x, _ := s.start(now); x != e {
		t.Error("a target that came back is not probed as soon as its old probe ended")
	}
}

// The first probe of a new target is at once, and the second one within an
// interval, however close to the first: its grid does not depend on the start.
func TestScheduleSecondProbeIsOnTheGrid(t *testing.T) {
	grid := spread(phase(target(1)), target(1).Interval).Truncate(maxSlot)
	for _, started := range []time.Duration{0, grid - 1, grid, grid + 1} {
		s := newSchedule(epoch)
		s.set(epoch.Add(started), these(target(1)))
		e, due := s.start(epoch.Add(started))
		if e == nil || !due.Equal(epoch.Add(started)) {
			t.Fatalf("a target set at %v is due at %v, want at once", started, due)
		}
		want := grid
		if started >= grid {
			want += target(1).Interval
		}
		if got := s.base.Add(e.due).Sub(epoch); got != want {
			t.Errorf("the first probe started at %v, the second is due at %v, want %v", started, got, want)
		}
	}
}

// After a quick retry, the turn on the grid is left out only if it would come
// sooner than another quick retry.
func TestScheduleTurnAfterAQuickRetry(t *testing.T) {
	const interval, quarter = 2 * time.Second, 500 * time.Millisecond
	grid := spread(phase(target(1)), interval) + interval
	for before, want := range map[time.Duration]time.Duration{
		quarter + 1: grid,
		quarter:     grid,
		quarter - 1: grid + interval,
		1:           grid + interval,
	} {
		e, s := &entry{target: new(target(1)), phase: phase(target(1)), refusals: 1}, newSchedule(epoch)
		if got := s.next(e, grid-before); got != want {
			t.Errorf("a quick retry %v before the turn on the grid: the next is due at %v, want %v", before, got, want)
		}
		e.refusals = 0
		if got := s.next(e, grid-before); got != grid {
			t.Errorf("without a refusal the next is due at %v, want %v", got, grid)
		}
	}
}

// A wake-up costs as much processor time as ten probes, so few targets share them; where
// there are many, they do so anyway, and are spread for the sake of those who are asked.
func TestScheduleHasFewTargetsShareATime(t *testing.T) {
	for _, tt := range []struct {
		name     string
		targets  int
		interval time.Duration
		times    [2]int // the least and the most at which probes begin in an interval
	}{
		{"200 a second begin 8 to 16 at a time", 200, time.Second, [2]int{12, 25}},
		{"of few, any may share a time within a tenth of their interval", 50, time.Second, [2]int{8, 10}},
		{"10,000 a second begin at each tick", 10_000, time.Second, [2]int{90, 104}},
		{"a short interval is spread to a tenth of it", 20, 200 * time.Millisecond, [2]int{9, 10}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := targets(tt.targets)
			for _, target := range all {
				target.Interval = tt.interval
			}
			s := newSchedule(epoch)
			s.seed = 7
			s.set(epoch, all)
			for _, e := range startAll(s, epoch) {
				s.finish(e) // the first probes, which are at once
			}
			for range 3 {
				times, began := map[time.Time]int{}, 0
				for range tt.targets {
					e, due := s.start(s.deadline())
					s.finish(e)
					times[due]++
					began++
				}
				if n := len(times); n < tt.times[0] || n > tt.times[1] {
					t.Errorf("%d probes begin at %d times, want %d to %d", began, n, tt.times[0], tt.times[1])
				}
			}
		})
	}
}

func TestScheduleEqualTimesAreOrderedByPhase(t *testing.T) {
	s := newSchedule(epoch)
	s.set(epoch, targets(100))
	last := uint32(0)
	for _, e := range startAll(s, epoch) {
		if e.phase < last {
			t.Fatalf("phase %v started after %v", e.phase, last)
		}
		last = e.phase
	}
}

func TestScheduleReportsANewFirst(t *testing.T) {
	s := newSchedule(epoch)
	s.set(epoch, targets(2))
	both := startAll(s, epoch)
	sooner, later := both[0], both[1]
	if later.due < sooner.due {
		sooner, later = later, sooner
	}
	if !s.finish(later) {
		t.Error("the only one in the queue is not the first")
	}
	if !s.finish(sooner) {
		t.Error("one that is due sooner is not the first")
	}
	e, _ := s.start(s.base.Add(sooner.due))
	if e != sooner || !s.deadline().Equal(s.base.Add(later.due)) {
		t.Fatal("the queue is out of order")
	}
	e.due = later.due + 1
	if s.finish(e) {
		t.Error("one that is due later is the first")
	}
}

func TestScheduleWaiting(t *testing.T) {
	s := newSchedule(epoch)
	s.set(epoch, targets(3))
	for _, e := range startAll(s, epoch) {
		s.finish(e)
	}
	next := s.deadline()
	if got := s.waiting(next.Add(-1)); got != 0 {
		t.Errorf("%d targets wait before the first is due", got)
	}
	if got := s.waiting(next); got != 1 {
		t.Errorf("%d targets wait when the first is due, want 1", got)
	}
	if got := s.waiting(epoch.Add(time.Minute)); got != 3 {
		t.Errorf("%d targets wait after a minute, want 3", got)
	}
}

func TestSchedulePhaseIsTheSameInEveryRun(t *testing.T) {
	web := target(1)
	web.Spec = SpecOf(HTTP{Path: "/health", Body: "ok"})
	of := func(t Target) time.Duration { return spread(phase(t), t.Interval) }
	got := fmt.Sprint(of(target(1)), of(target(2)), of(web))
	if want := "1.51s 240ms 1.93s"; got != want {
		t.Errorf("phases %s, want %s", got, want)
	}
}

// FuzzSchedule plays a script of sets, starts, ends and passing time.
func FuzzSchedule(f *testing.F) {
	f.Add([]byte{0x0f, 0x40, 0x41, 0x80, 0x03, 0x81, 0xc5, 0x40, 0x0c, 0x80, 0xff, 0x41})
	f.Fuzz(func(t *testing.T, script []byte) {
		s := newSchedule(epoch)
		now := epoch
		var flying []*entry
		for _, b := range script {
			arg := int(b & 0x3f)
			switch b >> 6 {
			case 0: // which of 6 targets are wanted
				var want []*Target
				for i := range 6 {
					if arg>>i&1 == 1 {
						want = append(want, new(target(i)))
					}
				}
				s.set(now, want)
			case 1:
				if e, due := s.start(now); e != nil {
					if due.After(now) {
						t.Fatalf("started %v before it was due", due.Sub(now))
					}
					flying = append(flying, e)
				}
			case 2:
				if len(flying) > 0 {
					i := arg % len(flying)
					s.finish(flying[i])
					flying = append(flying[:i], flying[i+1:]...)
				}
			case 3:
				now = now.Add(time.Duration(arg) * 77 * time.Millisecond)
			}
			checkSchedule(t, s, flying)
		}
	})
}

// checkSchedule fails where an entry is lost, doubled or out of order.
func checkSchedule(t *testing.T, s *schedule, flying []*entry) {
	t.Helper()
	seen := make(map[Target]bool)
	for _, e := range flying {
		if seen[*e.target] || e.index != running {
			t.Fatalf("%v has two probes in flight, or does not know of one", e.target)
		}
		seen[*e.target] = true
	}
	for i, e := range s.queue {
		if seen[*e.target] || int(e.index) != i || e.unwanted {
			t.Fatalf("%v is queued and runs, is misplaced, or was removed", e.target)
		}
		if i > 0 && s.queue.Less(i, (i-1)/2) {
			t.Fatal("the queue is out of order")
		}
		seen[*e.target] = true
	}
	if !slices.IsSortedFunc(s.entries, func(a, b *entry) int { return a.target.Compare(*b.target) }) {
		t.Fatal("the entries are out of order")
	}
	if len(seen) != len(s.entries) {
		t.Fatalf("%d targets are queued or run, %d are known", len(seen), len(s.entries))
	}
}
