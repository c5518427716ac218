package vrrp

import (
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"time"
)

// Adopt makes the router hold, before Startup, the addresses that are on the
// interfaces already: an earlier keeper left them because nobody took over. They
// stay until another Master is heard, or this router becomes Master itself.
func (r *Router) Adopt() {
	if r.state == Initialize {
		r.handover.held = true
	}
}

// Wait is for a router in Initialize that hears adverts and could run, but for a
// reason in an operator's words. The time until Startup then counts towards
// Master_Down_Timer, unless an advert is heard or the router has a Fault in
// between.
func (r *Router) Wait(now time.Time, reason string) {
	if r.state != Initialize {
		return
	}
	r.fault = reason
	if r.election.quietSince.IsZero() {
		r.election.quietSince = now
	}
}

// LinkUp tells a router in Initialize that the link that adverts come by is up now.
func (r *Router) LinkUp(now time.Time) { r.election.linkUpAt = now }

// Startup leaves Initialize (RFC 9568 section 6.4.1); source is where our
// adverts come from. In another state it does nothing. It also ends a
// hand-over under way: addresses still held stay as after Adopt.
func (r *Router) Startup(now time.Time, source netip.Addr) []Action {
	if r.state != Initialize {
		return nil
	}
	r.start(source)
	owner := r.c.Priority == ownerPriority && !r.led
	if owner && !r.asksToEnter(now) {
		return r.becomeMaster(now, "started, owns the addresses")
	}
	r.election.open(&r.c, now)
	if owner {
		r.election.masterDownAt = now
	}
	return []Action{r.enter(now, Backup, BecameBackup, "started")}
}

// Resume leaves Initialize for Master at once. It is for a keeper that was
// replaced while Master, sooner than a peer's patience ends. Where another
// Master was heard already, and did not say since that it leaves, it is a Startup.
func (r *Router) Resume(now time.Time, source netip.Addr) []Action {
	if r.state != Initialize || r.handover.takenOver && !r.election.leaving {
		return r.Startup(now, source)
	}
	r.start(source)
	acts := r.becomeMaster(now, "resumed as Master")
	r.seniority.became(true) // It has been Master before.
	return acts
}

func (r *Router) start(source netip.Addr) {
	r.source = plain(source)
	r.fault = ""
	r.handover.restart()
	r.election.know(netip.Addr{}, 0)
	r.election.leaving, r.election.yielded = false, false
}

// End ends the router for good (RFC 9568 sections 6.4.2 and 6.4.3, Shutdown). A
// Master says so once and keeps the addresses until Overlap after its
// successor's first advert, or for four intervals where none comes. A second
// End, of the other kind, changes no more than what becomes of the addresses
// then. Go on calling Receive and Expire until Done.
func (r *Router) End(now time.Time, how Ending) []Action {
	why, fault := "stopped", "stopping"
	if how == Abandoned {
		why, fault = "abandoned by its director", "abandoned by its director"
	}
	r.handover.ending = how
	r.handover.unreported = r.handover.unreported || r.state == Master
	if how == Stopped {
		if acts, wait := r.mustWaitToLeave(now, departure{ending: how}); wait {
			return acts
		}
	}
	acts := r.standBack(now, StoppedRouter, why)
	r.fault = fault
	return acts
}

// Continue takes back an End: the router goes on with its next Startup.
func (r *Router) Continue() {
	r.handover.ending, r.handover.unreported = Running, false
	d := r.leaving
	if d == nil || d.ending == Running {
		return
	}
	if d.ending = Running; d.fault == "" && d.order.Number == 0 {
		r.leaving = nil
	}
}

// reportHandover reports, once, how a Master that was ended has handed over.
func (r *Router) reportHandover(now time.Time) []Action {
	if !r.handover.unreported || !r.Done() {
		return nil
	}
	r.handover.unreported = false
	if r.handover.takenOver {
		return []Action{r.event(now, TakenOver, slog.LevelInfo, "taken over by %s", r.election.master)}
	}
	what := fmt.Sprintf(" virtual router id %d", r.c.VRID)
	if r.handover.ending == Abandoned {
		what = ": the addresses stay on this one"
	}
	return []Action{r.event(now, NotTakenOver, slog.LevelWarn, "no other director was heard taking over%s", what)}
}

// Done reports whether a router that was ended has nothing left to do.
func (r *Router) Done() bool {
	return r.handover.ending != Running && r.state == Initialize && r.handover.releaseAt.IsZero()
}

// TakenOver reports whether another Master was heard since this router was
// ended or had a fault.
func (r *Router) TakenOver() bool { return r.handover.takenOver }

// Fault puts the router into Initialize until Startup, for a reason in an
// operator's words: "interface eth1 is down". A Master hands over as in End
// where its adverts can be heard; with silent, because it lost the very link
// that they go out by, it lets the addresses go at once. In Initialize a
// Fault renews the reason.
func (r *Router) Fault(now time.Time, reason string, silent bool) []Action {
	r.election.quietSince = time.Time{}
	var acts []Action
	switch {
	case silent:
		acts = append(r.fallSilent(now, reason), r.reportHandover(now)...)
	case r.state != Initialize:
		waiting, wait := r.mustWaitToLeave(now, departure{fault: reason})
		if wait {
			return waiting
		}
		acts = r.standBack(now, StoodBack, reason)
	}
	if r.handover.ending == Running {
		r.fault = reason
	}
	return acts
}

// Offer offers a Master's role to another director, which keeps answering until that
// has taken over (see offering). In another state it does nothing. An order that was
// followed before is followed no more.
func (r *Router) Offer(now time.Time, order Offer) []Action {
	if order.Number == r.offering.last.Number {
		return nil
	}
	r.offering.last = Offered{Number: order.Number}
	if r.state != Master {
		r.offering.last.Outcome = NotMaster
		return nil
	}
	if acts, wait := r.mustWaitToLeave(now, departure{order: order}); wait {
		return acts
	}
	return r.offer(now, order)
}

func (r *Router) offer(now time.Time, order Offer) []Action {
	acts, _ := r.checkStall(now)
	if !r.stall.listening { // Else another router may be Master already.
		acts = append(acts, r.send(now, 0))
	}
	r.stall.listening = false
	r.adverts.nextAt = time.Time{}
	r.announcements.stop()
	r.offering.begin(order, now.Add(r.c.masterDown(r.c.Interval)))
	return acts
}

// standBack goes to Initialize, handing over as a Master.
func (r *Router) standBack(now time.Time, code, why string) []Action {
	var acts []Action
	switch r.state {
	case Master:
		r.handover.begin(&r.c, now)
		if r.handover.ending != Abandoned || r.c.Leave.Timeout == 0 {
			acts = append(acts, r.send(now, 0))
		} // Else what was to be done before goes on, and nobody is to hear that it has ended.
	case Backup:
		r.handover.takenOver = r.election.master.IsValid()
	}
	if r.state != Initialize {
		acts = append(acts, r.enter(now, Initialize, code, why))
	}
	// Addresses that were adopted, and nobody known to hand them to.
	if r.handover.releaseAt.IsZero() && r.handover.ending != Abandoned {
		acts = append(acts, r.handover.release()...)
	}
	return acts
}

// fallSilent goes to Initialize where nobody can hear us any more.
func (r *Router) fallSilent(now time.Time, why string) []Action {
	acts := r.handover.release()
	if r.state == Initialize {
		return acts
	}
	r.handover.takenOver = false
	return append(acts, r.enter(now, Initialize, StoodBack, why))
}

// Update puts a changed configuration in force without losing the role.
// Name, Interface, VRID and the family do not change in place: end this
// router and start another.
func (r *Router) Update(now time.Time, c Config) []Action {
	acts := r.change(now, c)
	clear(r.noted)
	return acts
}

// Adjust changes the priority by the effect of conditions, in place of the one
// before it.
func (r *Router) Adjust(now time.Time, effect int) []Action {
	if effect == r.effect {
		return nil
	}
	r.effect = effect
	return r.change(now, r.given())
}

// change puts in force what is given, and the effect of conditions.
func (r *Router) change(now time.Time, given Config) []Action {
	var acts []Action
	if r.state == Master {
		acts, _ = r.checkStall(now)
	}
	old := r.c
	r.c, r.priority = given, given.Priority
	r.c.Priority = effective(r.priority, r.effect)
	r.addresses = addressesOf(&r.c)
	if !reflect.DeepEqual(old.Authentication, r.c.Authentication) {
		r.seals.use(&r.c.Authentication)
	}
	switch r.state {
	case Master:
		acts = append(acts, r.updateMaster(now, &old)...)
	case Backup:
		r.election.update(&r.c, &old, now)
	}
	return append(acts, r.reconsider(now)...)
}

// depart does what a Master has waited to do.
func (r *Router) depart(now time.Time) (acts []Action) {
	d := *r.leaving
	switch {
	case d.ending != Running:
		acts = r.End(now, d.ending)
	case d.fault != "":
		acts = r.Fault(now, d.fault, false)
	case d.order.Number != 0 && r.state == Master:
		acts = r.offer(now, d.order)
	}
	r.leaving = nil
	return acts
}

// Deadline is when Expire has something to do; zero: nothing is scheduled.
func (r *Router) Deadline() time.Time {
	return earliest(r.election.deadline(), r.adverts.nextAt, r.announcements.deadline(), r.handover.releaseAt, r.offering.until,
		r.entering.until, r.entering.wakeAt, r.leaving.deadline())
}

// Expire does what is due, and nothing before Deadline.
func (r *Router) Expire(now time.Time) []Action {
	var acts []Action
	if due(r.leaving.deadline(), now) && r.leaving.waits() {
		acts = r.mayLeave(now, false, unanswered(r.c.Leave))
	}
	if due(r.leaving.deadline(), now) {
		return append(acts, r.depart(now)...)
	}
	switch r.state {
	case Backup:
		acts = r.expireBackup(now)
	case Master:
		acts = r.expireMaster(now)
	}
	// A router that became Master just now keeps its addresses.
	acts = append(acts, r.handover.expire(now)...)
	return append(acts, r.reportHandover(now)...)
}
