package checker

import (
	"testing"
	"time"
)

func TestFewTargetsShareLongerSlots(t *testing.T) {
	for _, tt := range []struct {
		name     string
		targets  int
		interval time.Duration
		want     time.Duration
	}{
		{"none", 0, 0, maxSlot},
		{"so few that sixteen would wait for too long", 10, 100 * time.Millisecond, maxSlot},
		{"200 a second: sixteen are due within 80 ms", 200, time.Second, 80 * time.Millisecond},
		{"as many, each less often", 400, 2 * time.Second, 80 * time.Millisecond},
		{"more than sixteen are due in each tick", 10_000, time.Second, tick},
		{"an interval below the least one counts as that", 16, time.Nanosecond, tick},
	} {
		t.Run(tt.name, func(t *testing.T) {
			targets := make([]*Target, tt.targets)
			for i := range targets {
				targets[i] = &Target{Interval: tt.interval}
			}
			if got := slotFor(targets); got != tt.want {
				t.Errorf("slots of %v, want %v", got, tt.want)
			}
		})
	}
}

func TestASlotIsAPartOfItsInterval(t *testing.T) {
	g := grid{slot: maxSlot}
	for interval, want := range map[time.Duration]time.Duration{
		50 * time.Millisecond: tick, 100 * time.Millisecond: tick, 500 * time.Millisecond: 50 * time.Millisecond,
		time.Second: maxSlot, time.Minute: maxSlot,
	} {
		if got := g.slotOf(interval); got != want {
			t.Errorf("with an interval of %v, slots of %v, want %v", interval, got, want)
		}
	}
}

// All targets of a slot wake the process up once: they are late by the same.
func TestAllOfASlotAreAsLate(t *testing.T) {
	g := grid{seed: 7, slot: maxSlot}
	const interval = 2 * time.Second
	late := map[time.Duration]map[time.Duration]bool{}
	for phase := uint32(0); phase < 1<<32-1<<24; phase += 1 << 24 {
		offset := g.offset(phase, interval)
		if late[offset] == nil {
			late[offset] = map[time.Duration]bool{}
		}
		late[offset][g.jitter(phase, offset, 3, interval)] = true
	}
	if len(late) != int(interval/maxSlot) {
		t.Errorf("%d slots, want %d", len(late), interval/maxSlot)
	}
	several := map[time.Duration]bool{}
	for offset, by := range late {
		if len(by) != 1 {
			t.Errorf("those of the slot at %v are late by %d different times", offset, len(by))
		}
		for d := range by {
			several[d] = true
		}
	}
	if len(several) < 3 {
		t.Errorf("all slots are late by one of %d times", len(several))
	}
}
