package director

import (
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// idleAfter is for how long a service must have had no packet to be idle: the shortest
// interval that its checks have then, but no longer than this.
const idleAfter = time.Minute

// A lull is what is known of the traffic of a service.
type lull struct {
	packets uint64    // that have come
	since   time.Time // when the last of them was seen
	after   time.Duration
	idle    bool
}

// lulls are those of the services whose checks have another interval while they are idle.
type lulls map[ipvsctl.ServiceKey]lull

// of returns those of another configuration. A service that is new has just been busy.
func (l lulls) of(now time.Time, services []config.Service) lulls {
	var all lulls
	for w, check := range eachCheck(services) {
		if check.Target.Pace.Idle == 0 {
			continue
		}
		if all == nil {
			all = make(lulls)
		}
		key := services[w.service].Key
		is, seen := all[key]
		if !seen {
			was, known := l[key]
			if is = was; !known {
				is.since = now
			}
			is.after = idleAfter
		}
		is.after = min(is.after, check.Target.Pace.Idle.Duration())
		all[key] = is
	}
	return all
}

// count takes how many packets have come, and reports whether other services are idle now.
// Nothing follows where that is not known: a service that is not in the table has none.
func (l lulls) count(now time.Time, packets map[ipvsctl.ServiceKey]uint64) (changed bool) {
	if packets == nil {
		return false
	}
	for key, was := range l {
		is := was
		if is.packets = packets[key]; is.packets != was.packets {
			is.since = now
		}
		is.idle = now.Sub(is.since) >= is.after
		l[key] = is
		changed = changed || is.idle != was.idle
	}
	return changed
}

// end takes all of them for busy, since clients come now, and reports whether any was idle.
func (l lulls) end(now time.Time) (changed bool) {
	for key, was := range l {
		changed = changed || was.idle
		l[key] = lull{packets: was.packets, since: now, after: was.after}
	}
	return changed
}
