package vrrp

import (
	"cmp"
	"fmt"
	"time"
)

// A router that is led becomes Master only when it is told to (Promote): the one
// that leads it, a group, has other routers to look at as well. It finds out by
// itself when it could, and then is ready. Everything else it does as usual.

// A stand is how a router stands towards being Master.
type stand uint8

// The stands.
const (
	away    stand = iota // in Initialize
	waiting              // in Backup, knows of no Master that stays, and is not ready yet; or offers its role
	behind               // in Backup, and a better router is Master, or one that it stands aside for
	ahead                // in Backup of a worse router
	ready                // in Backup, and would be Master by now
	leading              // Master
)

// Lead lets the router become Master only when it is told to, or not any more.
func (r *Router) Lead(now time.Time, led bool) {
	if r.led && !led && r.ready() {
		r.election.masterDownAt = now
	}
	if r.led != led {
		r.entering = clearing{} // Whoever decides from now on asks anew.
	}
	r.led = led
}

// stand returns how the router stands now.
func (r *Router) stand(now time.Time) stand {
	e := &r.election
	switch {
	case r.offering.pending():
		return waiting
	case r.state == Master:
		return leading
	case r.state == Initialize:
		return away
	case e.over():
		return ready
	case r.guard.aside:
		return behind
	case !e.alive(&r.c, now):
		return waiting
	case e.yielded || beats(e.master, Advert{Priority: e.priority}, r.source, r.c.Priority):
		return behind
	default:
		return ahead
	}
}

// Promote makes a Backup Master now. Without a reason it is the router's own.
func (r *Router) Promote(now time.Time, why string) []Action {
	if r.state != Backup {
		return nil
	}
	if e := &r.election; why == "" {
		why = cmp.Or(r.guard.gone(), e.why(&r.c))
		if r.entering.stage == granted {
			why = r.silence()
		}
		if e.alive(&r.c, now) && r.c.preemptDelay() > 0 {
			why = fmt.Sprintf("preempts %s after the delay", e.master)
		}
	}
	return r.becomeMaster(now, why)
}

// Demote makes a Master Backup, which hands over as at a stop. It waits for a
// successor for Master_Down and the patience before it is ready to be Master again.
func (r *Router) Demote(now time.Time, why string, patience time.Duration) []Action {
	if r.state != Master {
		return nil
	}
	waited := r.leaving
	r.handover.begin(&r.c, now)
	acts := []Action{r.send(now, 0), r.enter(now, Backup, BecameBackup, why)}
	r.election.open(&r.c, now)
	r.election.masterDownAt = r.election.masterDownAt.Add(patience)
	if waited != nil {
		waited.grant(now)
		r.leaving = waited
	}
	return acts
}

// Doubt is told that the director which is followed has let go elsewhere, at that
// time. If nothing was heard of it since, Master_Down ends when its next advert is
// overdue.
func (r *Router) Doubt(now, left time.Time) {
	e := &r.election
	if r.state == Backup && e.master.IsValid() && !e.leaving && !e.heardAt.After(left) {
		e.shorten(later(now, e.heardAt.Add(e.interval+e.interval/4)))
	}
}
