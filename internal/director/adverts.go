package director

import (
	"cmp"
	"fmt"
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
func counters(routers []*vrrp.Status) map[string]vrrp.Counters {
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

// remedies are what to do about adverts that were refused or that disagree.
var remedies = map[vrrp.Reason]string{
	vrrp.ReasonTTL:            "if routers are between the directors, set min_ttl to 255 less their number; else find out what sends them",
	vrrp.ReasonLength:         "find out what sends them",
	vrrp.ReasonVersion:        "configure the same version on both directors",
	vrrp.ReasonType:           "find out what sends them",
	vrrp.ReasonChecksum:       "check that the peers are the intended ones",
	vrrp.ReasonAuthentication: "configure the same authentication on both directors",
	vrrp.ReasonPassword:       "configure the same password on both directors",
	vrrp.ReasonHMACMissing:    "give the other director the same keys, and let it sign (mode); or set mode = \"permissive\" here until it does",
	vrrp.ReasonHMACMalformed:  "find out what sends them: the other director has another kind of authentication (keepalived has this one from version 2.4.2 on)",
	vrrp.ReasonHMACKey:        "give this director the key that the other one signs with, under the same id, and reload",
	vrrp.ReasonHMACWrong:      "compare the key files of that id on both directors (sha256sum); if they are equal, somebody forges adverts",
	vrrp.ReasonHMACStale:      "synchronize the clocks of both directors (NTP); if they agree, somebody sends old adverts again",
	vrrp.ReasonHMACReplayed:   "find out what repeats them: a loop in the network, or somebody who sends old adverts again",
	vrrp.ReasonUnsigned:       "give the other director the same keys, and let it sign, before mode = \"enforce\" is set here",
	vrrp.ReasonUnverified:     "configure the same authentication here",
	vrrp.ReasonClock:          "synchronize the clocks of both directors (NTP), before the window is exceeded and adverts are refused",
	vrrp.ReasonNoAddress:      "configure the same addresses on both directors",
	vrrp.ReasonNoInterval:     "configure the same advert_interval on both directors",
	vrrp.ReasonOwnAddress:     "find out whether another machine uses this director's address",
	vrrp.ReasonNotPeer:        "add the other director's address to the peers here, or configure no peers on either",
	vrrp.ReasonSource:         "give both directors addresses of one network on that interface, or find out what sends them",
	vrrp.ReasonDestination:    "configure peers on both directors, or on neither",
	vrrp.ReasonInterval:       "configure the same advert_interval on both directors",
	vrrp.ReasonAddresses:      "configure the same addresses on both directors",
	vrrp.ReasonOwner:          "give one of the directors a priority below 255",
	vrrp.ReasonPriority:       "give the directors different priorities",
}

// heardLast names the director whose advert was accepted last.
func heardLast(r *vrrp.Status) string {
	for _, p := range r.Peers {
		if p.Refused == "" {
			return fmt.Sprintf(" (%v)", p.Address)
		}
	}
	return ""
}

// remedy is what to do about adverts that were refused.
func remedy(r *vrrp.Status, reason vrrp.Reason) string {
	if src := r.Senders[reason]; reason == vrrp.ReasonNotPeer && src.IsValid() {
		return fmt.Sprintf("if %v is the other director, add it to the peers here, or configure no peers on either", src)
	}
	return remedies[reason]
}

// sender names who has sent the last advert that was counted by a reason.
func sender(r *vrrp.Status, reason vrrp.Reason) string {
	if src := r.Senders[reason]; src.IsValid() {
		return fmt.Sprintf(", the last from %v", src)
	}
	return ""
}

// clocks tells by how much the directors' clocks differ, where that is the reason.
func clocks(r *vrrp.Status, reason vrrp.Reason) string {
	switch {
	case reason != vrrp.ReasonHMACStale && reason != vrrp.ReasonClock:
		return ""
	case r.SignedAgo < 0:
		return fmt.Sprintf("; its clock is %s ahead of this director's", -r.SignedAgo)
	default:
		return fmt.Sprintf("; its clock is %s behind this director's", r.SignedAgo)
	}
}

// twoMasters is what may follow where a Master refuses adverts for their way. What
// else they say cannot be relied upon.
func twoMasters(r *vrrp.Status, reason vrrp.Reason) string {
	ways := []vrrp.Reason{vrrp.ReasonTTL, vrrp.ReasonNotPeer, vrrp.ReasonDestination, vrrp.ReasonSource,
		vrrp.ReasonHMACMissing, vrrp.ReasonHMACKey, vrrp.ReasonHMACWrong, vrrp.ReasonHMACStale, vrrp.ReasonHMACReplayed}
	if r.State != vrrp.Master || !slices.Contains(ways, reason) {
		return ""
	}
	return ": if that is the other director, both are Master"
}

// frequent returns the reasons that were counted, the most frequent first.
func frequent(counted map[vrrp.Reason]uint64) []vrrp.Reason {
	var all []vrrp.Reason
	for reason, n := range counted {
		if n > 0 {
			all = append(all, reason)
		}
	}
	slices.SortFunc(all, func(a, b vrrp.Reason) int {
		return cmp.Or(cmp.Compare(counted[b], counted[a]), cmp.Compare(a, b))
	})
	return all
}
