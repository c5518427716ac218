package vrrp

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/netip"
	"time"
)

// hear handles an accepted advert.
func (r *Router) hear(now time.Time, src netip.Addr, ad Advert) (acts []Action) {
	if r.state == Master {
		return r.receiveMaster(now, src, ad)
	}
	r.election.quietSince = time.Time{}
	r.election.forwards(&r.c, now)
	if ad.Priority != 0 {
		acts = r.handover.heard(now, &r.c)
	}
	switch {
	case r.state == Backup:
		r.stall.listening = r.stall.listening && ad.Priority == 0
		if gap := r.election.gap(now, src); gap > 0 && ad.Priority != 0 {
			r.timing.gaps.add(GapBounds, gap)
		}
		var acts []Action
		if ad.Priority != 0 || src == r.election.master {
			acts = r.endWaiting(now, ad)
		}
		before := r.election
		r.election.receive(&r.c, now, src, ad)
		if r.election.leaving && r.effect <= -MaxPenalty {
			r.election.decline(&r.c, now, &before)
		}
		if r.election.heardAt.Equal(now) {
			acts = append(acts, r.understand(now)...)
		}
		return append(acts, r.reconsider(now)...)
	case ad.Priority != 0:
		r.election.know(src, ad.Priority)
		r.election.leaving = false
	case src == r.election.master:
		r.election.leaving = true
	}
	return acts
}

// ready reports whether a router that is led would be Master now, if it were not.
func (r *Router) ready() bool { return r.state == Backup && r.election.over() }

func (r *Router) expireBackup(now time.Time) []Action {
	e := &r.election
	if r.waits() {
		return r.expireEntering(now)
	}
	timer, why := e.masterDownAt, e.why(&r.c)
	if !due(timer, now) {
		timer, why = e.preemptAt, fmt.Sprintf("preempts %s after the delay", e.master)
	}
	if !due(timer, now) {
		return r.tellLate(now)
	}
	e.lateAt = time.Time{}
	if until := r.stall.backup(now, timer, e.interval); !until.IsZero() {
		e.preemptAt, e.masterDownAt = time.Time{}, until
		return r.stalled(now, now.Sub(timer))
	}
	if acts, wait := r.mustWait(now); wait {
		return acts
	}
	if r.led {
		e.stop()
		return nil
	}
	if r.c.Enter.Timeout > 0 && e.doubtful(&r.c, now) {
		return nil
	}
	if r.asksToEnter(now) {
		return r.askToEnter(now)
	}
	return r.becomeMaster(now, cmp.Or(r.guard.gone(), why))
}

// lateEvery bounds how often a router tells of a Master that is late.
const lateEvery = time.Minute

// tellLate tells, once in a silence, that the Master which is followed has let half of
// Master_Down pass: it is slow or adverts are lost, and a little more would be taken
// for its death.
func (r *Router) tellLate(now time.Time) []Action {
	e := &r.election
	if !due(e.lateAt, now) {
		return nil
	}
	e.lateAt = time.Time{}
	r.counters.AdvertsLate++
	if !r.news(now, AdvertsLate, lateEvery) {
		return nil
	}
	return []Action{r.event(now, AdvertsLate, slog.LevelWarn, "no advert from %s for %s, half of the time after which this director takes over: "+
		"check whether that director is overloaded, and whether packets are lost between the two",
		e.master, now.Sub(e.heardAt).Round(time.Millisecond))}
}

// mustWait asks the guard when the router would become Master, and puts that off if
// it has to wait. Where a Master that it understands is there as well, the address
// is on two directors already.
func (r *Router) mustWait(now time.Time) (acts []Action, wait bool) {
	e := &r.election
	if e.alive(&r.c, now) {
		return nil, false
	}
	until := r.guard.consult(&r.c, now)
	if until.IsZero() {
		return nil, false
	}
	e.preemptAt, e.masterDownAt = time.Time{}, until
	return []Action{Ask{r.c.Interface, r.guard.address}}, true
}

// misunderstand notes an advert that was refused for its version or its
// authentication alone. A Master never gives way to one.
func (r *Router) misunderstand(now time.Time, src netip.Addr, ad Advert, why error) {
	if leaving := r.guard.hear(now, src, ad, r.addresses, why); leaving && r.guard.aside {
		r.election.shorten(now.Add(r.election.skew(&r.c)))
	}
	if r.ready() && r.guard.blocks(&r.c, now) {
		r.election.masterDownAt = now // It asks before it is ready again.
	}
}

// standAside does not become Master, because somebody else answers for the address
// that was asked for, or because nobody could be asked.
func (r *Router) standAside(now time.Time, mac string) []Action {
	g := &r.guard
	again := g.answered(&r.c, now, mac)
	if again.IsZero() {
		return nil
	}
	r.election.masterDownAt = again
	r.stall.listening = false // It has listened, and another stall is another one.
	if g.aside {
		return nil
	}
	g.aside = true
	return []Action{r.event(now, StandsAside, slog.LevelWarn,
		"does not become Master, since %s advertises %s, and %s; its adverts are refused: %v. To take over all the same, set insist = true",
		g.master, g.address, r.evidence(), g.why)}
}

// evidence is why the router believes that the Master which it does not understand has
// the addresses.
func (r *Router) evidence() string {
	if r.unasked != "" {
		return "the neighbours cannot be asked who has it (" + r.unasked + ")"
	}
	return orUnknown(r.guard.mac) + " answers for it"
}

// understand ends that, since there is a Master whose adverts are accepted.
func (r *Router) understand(now time.Time) (acts []Action) {
	if r.guard.aside {
		acts = append(acts, r.event(now, StandsAside, slog.LevelInfo, "does not stand aside any more: %s is Master", r.election.master))
	}
	r.guard.end()
	return acts
}
