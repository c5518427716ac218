package director

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/vrrp"
)

// orders are what operators have ordered, as far as it is not over.
type orders struct {
	number uint64  // of the last failover
	moving *moving // the failover that is under way
	// held are the virtual routers that do not take a role back which they have
	// given away by a failover.
	held map[string]held
	// standby is why this director is not to be Master; nil: it may be.
	standby *api.Standby
	saves   uint64  // so far
	saving  *saving // nil: none is waited for
}

// A held is why a virtual router does not take its role back. It was given to a Master as
// that one was: peer is the highest priority that it has had since.
type held struct {
	api.Held
	peer uint8
}

// A moving is a failover that is under way, by itself or for a standby.
type moving struct {
	by    api.User
	asker func(api.Ordered) // who is told if a stop overtakes it
	ended func(now time.Time, o api.Ordered)
	// isolated: it is this director's own, which is cut off. It takes the role back as it is
	// configured, once it has seen a server.
	isolated bool
	// asks: the keeper is asked about the routers that are not Master as well, since
	// what it told last may be old.
	asks   bool
	offers []vrrp.Offer
	moves  map[string]api.Move // those that have ended, by router
	until  time.Time           // when the rest has not been told
}

// A saving is an order that is answered when what it left is on the disk.
type saving struct {
	asker   func(api.Ordered)
	outcome api.Ordered
	until   time.Time // when it is answered without
}

// tellWithin is how long a keeper may take to tell what became of an offer, beside
// the time that it waits for a successor: four advert intervals, and somewhat more
// than one if it has to listen.
const (
	offerIntervals = 6
	tellWithin     = 5 * time.Second
)

func (o *orders) deadline() (next time.Time) {
	if o.moving != nil {
		next = o.moving.until
	}
	if o.saving != nil {
		next = earliest(next, o.saving.until)
	}
	if o.standby != nil {
		next = earliest(next, o.standby.Until)
	}
	return next
}

// offers are those of the failover that is under way.
func (o *orders) offers() []vrrp.Offer {
	if o.moving == nil {
		return nil
	}
	return o.moving.offers
}

// heldBack are virtual routers as they are to run: those that have given their role
// away do not preempt.
func (o *orders) heldBack(routers []vrrp.Config) []vrrp.Config {
	if len(o.held) == 0 {
		return routers
	}
	routers = slices.Clone(routers)
	for i := range routers {
		if _, ok := o.held[routers[i].Name]; ok {
			routers[i].Preempt = false
		}
	}
	return routers
}

// hold keeps a router from taking its role back.
func (o *orders) hold(router string, why api.Held) {
	if o.held == nil {
		o.held = make(map[string]held)
	}
	o.held[router] = held{Held: why}
}

// forget drops what concerned routers that are not configured any more.
func (o *orders) forget(routers []vrrp.Config) {
	maps.DeleteFunc(o.held, func(name string, _ held) bool {
		return !slices.ContainsFunc(routers, func(r vrrp.Config) bool { return r.Name == name })
	})
}

// over returns why a router holds back no more; empty: it does. Whoever orders a failover
// chooses the other director as it is then: if that one gets worse, the better one is to
// be Master, as without the order.
func (o *orders) over(router string, s *vrrp.Status) string {
	h := o.held[router]
	switch {
	case s.State == vrrp.Master:
		return "is Master again, so that it holds back no more"
	case s.State != vrrp.Backup || !s.Master.IsValid() || s.MasterPriority == 0:
		return ""
	case s.MasterPriority < h.peer:
		return fmt.Sprintf("holds back no more, since the priority of %v, which is Master, has fallen from %d to %d", s.Master, h.peer, s.MasterPriority)
	}
	h.peer = s.MasterPriority
	o.held[router] = h
	return ""
}
