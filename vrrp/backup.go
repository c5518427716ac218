package vrrp

import (
	"fmt"
	"net/netip"
	"time"
)

// hear handles an accepted advert.
func (r *Router) hear(now time.Time, src netip.Addr, ad Advert) []Action {
	if r.state == Master {
		return r.receiveMaster(now, src, ad)
	}
	r.election.quietSince = time.Time{}
	if ad.Priority != 0 {
		r.handover.heard(now)
	}
	switch {
	case r.state == Backup:
		r.stall.listening = r.stall.listening && ad.Priority == 0
		r.election.receive(&r.c, now, src, ad)
	case ad.Priority != 0:
		r.election.know(src, ad.Priority)
	}
	return nil
}

func (r *Router) expireBackup(now time.Time) []Action {
	e := &r.election
	timer, why := e.masterDownAt, e.why(&r.c)
	if !due(timer, now) {
		timer, why = e.preemptAt, fmt.Sprintf("preempts %s after the delay", e.master)
	}
	if !due(timer, now) {
		return nil
	}
	if until := r.stall.backup(now, timer, e.interval); !until.IsZero() {
		e.preemptAt, e.masterDownAt = time.Time{}, until
		return r.stalled(now, now.Sub(timer))
	}
	return r.becomeMaster(now, why)
}
