package director

import (
	"slices"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// recent is how far back findings about adverts look.
const recent = time.Minute

// A tally is the counters of adverts of each virtual router at one moment.
type tally struct {
	at      time.Time
	routers map[string]vrrp.Counters
}

// tallies are those of about the last minute, the oldest first.
type tallies []tally

// counters are those of each router that has counted trouble, as the keeper told them
// last. Of the others, which may be a thousand, nothing is kept.
func counters(routers []vrrp.Status) map[string]vrrp.Counters {
	all := make(map[string]vrrp.Counters)
	for i := range routers {
		if c := &routers[i].Counters; troubled(c) {
			all[routers[i].Name] = *c
		}
	}
	return all
}

// troubled reports whether one of the counters that tell of trouble is not zero.
func troubled(c *vrrp.Counters) bool {
	sum := c.OtherMasters + c.AdvertsLate + c.AddressesRemoved + c.AddressesRestored + c.PathsRestored
	for _, reasons := range [...]map[vrrp.Reason]uint64{c.Discarded, c.Mismatched} {
		for _, n := range reasons {
			sum += n
		}
	}
	return sum > 0
}

// remember appends a tally, and forgets all but one of those that are older
// than a minute: the first is what to compare with.
func (t tallies) remember(now tally) tallies {
	for len(t) > 1 && now.at.Sub(t[1].at) >= recent {
		t = t[1:]
	}
	return append(slices.Clip(t), now)
}

// since returns what the routers have counted since the first tally, of the
// counters that tell of trouble.
func (t tallies) since(now map[string]vrrp.Counters) map[string]vrrp.Counters {
	all := make(map[string]vrrp.Counters, len(now))
	for name, c := range now {
		before := t[0].routers[name]
		all[name] = vrrp.Counters{
			Discarded:    increases(before.Discarded, c.Discarded),
			Mismatched:   increases(before.Mismatched, c.Mismatched),
			OtherMasters: increase(before.OtherMasters, c.OtherMasters),
			AdvertsLate:  increase(before.AdvertsLate, c.AdvertsLate),

			AddressesRemoved:  increase(before.AddressesRemoved, c.AddressesRemoved),
			AddressesRestored: increase(before.AddressesRestored, c.AddressesRestored),
			PathsRestored:     increase(before.PathsRestored, c.PathsRestored),
		}
	}
	return all
}

func increases(then, now map[vrrp.Reason]uint64) map[vrrp.Reason]uint64 {
	all := make(map[vrrp.Reason]uint64, len(now))
	for reason, n := range now {
		all[reason] = increase(then[reason], n)
	}
	return all
}

// increase is what a counter counted; a keeper that was started again, or a
// router that is new, begins at zero.
func increase(then, now uint64) uint64 {
	if now < then {
		return now
	}
	return now - then
}
