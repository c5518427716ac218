package vrrp

import (
	"fmt"
	"log/slog"
	"net/netip"
	"time"
)

// answersBound is how many adverts of others are answered by one at once,
// between two of our own. Two routers that each believe to be the better
// one, such as after an address has changed, would go on for ever.
const answersBound = 4

// becomeMaster sends the advert first: it is what stops the other backups,
// and addresses may take their time.
func (r *Router) becomeMaster(now time.Time, why string) []Action {
	if t := r.entering.text; t != "" {
		why += "; before that: " + t
	}
	sent := r.send(now, r.c.Priority)
	heard := r.election.master.IsValid()
	entered := r.enter(now, Master, BecameMaster, why)
	r.seniority.became(heard)
	r.handover.hold()
	r.adverts.nextAt = now.Add(r.c.Interval)
	r.election.know(r.source, r.c.Priority)
	r.election.interval = r.c.Interval
	r.announcements.every(r.c.Announce.Refresh)
	return []Action{sent, Hold{r.holdings()}, r.announcements.first(now), entered}
}

// resumeAsMaster ends the listening of a Master that heard nobody. Its addresses
// may have outlived their lease, and its frames are forgotten.
func (r *Router) resumeAsMaster(now time.Time) []Action {
	r.stall.listening, r.seniority.yielding, r.adverts.answers = false, false, 0
	r.adverts.nextAt = now.Add(r.c.Interval)
	return []Action{r.send(now, r.c.Priority), Hold{r.holdings()}, r.announcements.first(now)}
}

// receiveMaster is RFC 9568 section 6.4.3, "If an ADVERTISEMENT is received",
// after a check of the clock.
func (r *Router) receiveMaster(now time.Time, src netip.Addr, ad Advert) []Action {
	acts, _ := r.checkStall(now)
	switch {
	case r.offering.pending() && ad.Priority == 0:
		return acts // Another one that leaves; the offer stands.
	case r.offering.pending():
		r.offering.end(Accepted)
		return append(acts, r.giveWay(now, src, ad, fmt.Sprintf("an operator wants another Master, and %s is, with priority %d", src, ad.Priority))...)
	case r.stall.listening && ad.Priority == 0:
		// The router that took over meanwhile is leaving again.
		return append(acts, r.resumeAsMaster(now)...)
	case r.seniority.yielding:
		acts = append(acts, r.handover.release()...)
		acts = append(acts, r.giveWay(now, src, ad, fmt.Sprintf("yields to %s with priority %d, which was Master before it", src, ad.Priority))...)
		r.election.yielded = true
		return acts
	case r.stall.listening:
		// It took over long ago and needs no overlap.
		acts = append(acts, r.handover.release()...)
		return append(acts, r.giveWay(now, src, ad, fmt.Sprintf("woke up late, %s is Master with priority %d", src, ad.Priority))...)
	case ad.Priority == 0:
		// "Send an ADVERTISEMENT [...] Reset the Adver_Timer to
		// Advertisement_Interval".
		return r.answer(now, true)
	case beats(src, ad, r.source, r.c.Priority) && r.seniority.asserts(&r.c, now, now.Sub(r.since), ad):
		return r.assert(now, ad)
	case beats(src, ad, r.source, r.c.Priority):
		return r.giveWay(now, src, ad, fmt.Sprintf("%s has priority %d", src, ad.Priority))
	case r.seniority.yields(&r.c, now.Sub(r.since)):
		return r.yield(now, ad)
	default:
		// "Discard the ADVERTISEMENT [...] Send an ADVERTISEMENT immediately
		// to assert the {Active} state". Adver_Timer runs on.
		return append(r.answer(now, false), r.meet(now, src, ad)...)
	}
}

// giveWay goes from Master to Backup of the sender of an advert. What it waited to do
// comes next.
func (r *Router) giveWay(now time.Time, src netip.Addr, ad Advert, why string) []Action {
	waited := r.leaving
	acts := r.handover.heard(now, &r.c)
	acts = append(acts, r.enter(now, Backup, BecameBackup, why))
	if waited != nil && waited.order.Number != 0 {
		r.offering.last.Outcome = Accepted
	}
	if waited != nil {
		waited.grant(now)
		r.leaving = waited
	}
	r.election.open(&r.c, now)
	r.election.receive(&r.c, now, src, ad)
	return acts
}

// yield has a Master tell the other one that it is there, and then listen. Where that one
// goes on, this router becomes Backup; where it gives way, this one stays.
func (r *Router) yield(now time.Time, ad Advert) []Action {
	interval := max(r.c.Interval, ad.Interval)
	r.seniority.yielding, r.stall.listening = true, true
	sent := r.send(now, r.c.Priority)
	r.adverts.nextAt = now.Add(interval + interval/4)
	r.announcements.stop()
	return []Action{sent}
}

// assert has a Master answer a better one. It announces its addresses when that one has
// given way; the better one does so anyway.
func (r *Router) assert(now time.Time, ad Advert) []Action {
	r.counters.OtherMasters++
	r.announcements.after(now.Add((assertIntervals + 1) * max(r.c.Interval, ad.Interval)))
	if !r.seniority.better.since.Equal(now) {
		return nil // It has been answered, and each of our adverts tells it again.
	}
	return []Action{r.send(now, r.c.Priority)}
}

// answer sends an advert at once, within bounds; beyond them Adver_Timer runs
// on and does it.
func (r *Router) answer(now time.Time, restart bool) []Action {
	if r.adverts.answers >= answersBound {
		return nil
	}
	r.adverts.answers++
	if restart {
		r.adverts.nextAt = now.Add(r.c.Interval)
	}
	return append([]Action{r.send(now, r.c.Priority)}, r.announcements.contested(now)...)
}

// meet counts another Master, and notes one that persists.
func (r *Router) meet(now time.Time, src netip.Addr, ad Advert) []Action {
	r.counters.OtherMasters++
	patience := r.c.Interval
	if !r.c.preempts() { // The other one asserts itself for a moment.
		patience *= assertIntervals + 1
	}
	if r.rivals.met(now, r.c.Interval) < patience {
		return nil
	}
	return r.note(now, OtherMaster, "",
		"%s is Master too, with priority %d (here: %d), and both hold the addresses; it probably does not receive this director's adverts: "+
			"let VRRP (IP protocol 112) through its firewall, and check its peers and the switch",
		src, ad.Priority, r.c.Priority)
}

func (r *Router) expireMaster(now time.Time) []Action {
	if due(r.offering.until, now) {
		return r.expireOffer(now)
	}
	var acts []Action
	if due(r.adverts.nextAt, now) {
		if acts, stalled := r.checkStall(now); stalled {
			return acts
		}
		if r.stall.listening {
			return r.resumeAsMaster(now)
		}
		r.timing.lateness.add(LatenessBounds, now.Sub(r.adverts.nextAt).Seconds())
		// From when it was due, so that lateness does not add up.
		next := r.adverts.nextAt.Add(r.c.Interval)
		if !next.After(now) {
			next = now.Add(r.c.Interval)
		}
		r.adverts.nextAt, r.adverts.answers = next, 0
		acts = append(acts, r.send(now, r.c.Priority))
		acts = append(acts, r.askAround(now)...)
	}
	return append(acts, r.announcements.expire(now)...)
}

// expireOffer ends an offer that nobody took. It listens first if it woke up late, as
// a Backup before it takes over.
func (r *Router) expireOffer(now time.Time) []Action {
	o := &r.offering
	if until := r.stall.backup(now, o.until, r.c.Interval); !until.IsZero() {
		late := now.Sub(o.until)
		o.until = until
		r.announcements.stop()
		return r.stalled(now, late)
	}
	const nobody = "no other director was heard taking over virtual router id %d: "
	if o.order.Force {
		o.end(LetGo)
		acts := r.handover.release()
		entered := r.enter(now, Backup, BecameBackup, fmt.Sprintf(nobody+"lets go all the same, as an operator wants", r.c.VRID))
		r.election.open(&r.c, now)
		return append(acts, entered)
	}
	o.end(Declined)
	return append(r.resumeAsMaster(now), r.event(now, NotTakenOver, slog.LevelWarn, nobody+"goes on as Master", r.c.VRID))
}

// Reannounce announces the addresses of a Master as when it became one.
func (r *Router) Reannounce(now time.Time, why string) []Action {
	if r.state != Master || r.stall.listening {
		return nil // The end of listening announces them.
	}
	return []Action{r.announcements.first(now), r.event(now, HardwareChanged, slog.LevelInfo, "%s: the addresses are announced again", why)}
}

// settled reports whether a predecessor that died can have left no address any more.
func (r *Router) settled(now time.Time) bool {
	return r.state == Master && now.Sub(r.since) >= r.c.lease()
}

// askAround asks who else has one of a Master's addresses, now and then, and more often
// for one that somebody else has claimed.
func (r *Router) askAround(now time.Time) (acts []Action) {
	n := len(r.c.Addresses) + len(r.c.Extra)
	if n == 0 || !r.settled(now) {
		return nil
	}
	place, asks := r.claims.due(now, n)
	reviews := r.claims.review(now)
	if !asks && !reviews {
		return nil // So it is with nearly every advert.
	}
	held := r.holdings().Addresses
	if asks {
		a := held[place]
		acts = append(acts, Ask{a.Interface, a.Prefix.Addr()})
	}
	if !reviews {
		return acts
	}
	if last, over := r.claims.end(now, held, r.c.Interval); over {
		delete(r.noted, AddressClaimed) // When it comes again, that is news.
		acts = append(acts, r.event(now, AddressUnclaimed, slog.LevelInfo, "nobody else has an address of this Master any more, as far as the neighbours tell; the last one was %s", last))
	}
	if a, due := r.claims.again(now, held); due {
		acts = append(acts, Ask{a.Interface, a.Prefix.Addr()})
	}
	return acts
}

// contest notes that somebody else has an address of a Master.
func (r *Router) contest(now time.Time, c Claim) []Action {
	if !r.settled(now) {
		return nil
	}
	r.claims.note(now, c.Address, c.MAC)
	var acts []Action
	if !r.silent() { // Else it may be the successor.
		acts = r.announcements.claimed(now)
	}
	return append(acts, r.note(now, AddressClaimed, "", "%s has %s too, which this Master holds: it is the other director, if both are Master, "+
		"or a real server that answers ARP for the virtual address, or a machine with the same address by mistake", orUnknown(c.MAC), c.Address)...)
}

// rivalsOf are those who have a Master's addresses too, as far as it knows.
func (r *Router) rivalsOf(now time.Time) []Rival {
	if r.state != Master {
		return nil
	}
	var all []Rival
	if g := &r.guard; now.Before(g.until(&r.c)) {
		all = append(all, Rival{Address: g.address, Master: g.master, Refused: ReasonOf(g.why), Age: now.Sub(g.heardAt)})
	}
	all = append(all, r.claims.lasting(now, r.c.Holdings().Addresses)...)
	return all[:min(len(all), maxListed)]
}

// checkStall makes a Master that woke up too late listen before it speaks. Its
// addresses stay meanwhile: without another Master they are still its own.
func (r *Router) checkStall(now time.Time) (acts []Action, stalled bool) {
	if r.offering.pending() {
		return nil, false // It is silent on purpose.
	}
	late := now.Sub(r.adverts.nextAt)
	until := r.stall.master(now, r.adverts.sentAt, r.adverts.nextAt, &r.c)
	if until.IsZero() {
		return nil, false
	}
	r.adverts.nextAt = until
	r.announcements.stop()
	return r.stalled(now, late), true
}

// silent reports whether a Master says nothing, because another one may be there or is
// to come.
func (r *Router) silent() bool { return r.stall.listening || r.offering.pending() }

// updateMaster lets the backups know at once. While it listens or
// offers its role it says nothing: the advert that ends this will.
func (r *Router) updateMaster(now time.Time, old *Config) (acts []Action) {
	c := &r.c
	r.election.know(r.source, c.Priority)
	r.election.interval = c.Interval
	had, has := old.Holdings(), c.Holdings()
	moved := !had.same(has)
	silent := r.silent()
	told := moved || old.Priority != c.Priority || old.Interval != c.Interval || old.Version != c.Version
	if told && !silent {
		acts = append(acts, r.send(now, c.Priority))
		r.adverts.nextAt = now.Add(c.Interval)
	}
	if moved || had.Lease != has.Lease || old.Name != c.Name {
		acts = append(acts, Hold{has})
	}
	if c.Announce.Refresh != r.announcements.refresh {
		r.announcements.every(c.Announce.Refresh)
		moved = true // It begins with an announcement.
	}
	if moved && !silent {
		acts = append(acts, r.announcements.first(now))
	}
	return acts
}
