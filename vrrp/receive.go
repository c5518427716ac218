package vrrp

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Receive handles an advert that Decode accepted; src is where it came from.
// It makes the checks of RFC 9568 section 7.1 that need the configuration.
func (r *Router) Receive(now time.Time, src netip.Addr, ad Advert) []Action {
	src = plain(src)
	if reason, detail := r.refuses(src, ad); reason != "" {
		r.counters.Discarded[reason]++
		return r.note(now, reason, "advert from %s discarded: %s", src, detail)
	}
	r.counters.AdvertsReceived++
	r.form = ad.Checksum
	if ad.Priority == 0 {
		r.counters.PriorityZeroReceived++
	}
	return append(r.handle(now, src, ad), r.compare(now, src, ad)...)
}

// Discard counts a packet for this router that Decode refused with err.
func (r *Router) Discard(now time.Time, src netip.Addr, err error) []Action {
	reason := ReasonOf(err)
	r.counters.Discarded[reason]++
	return r.note(now, reason, "packet from %s discarded: %v", plain(src), err)
}

// Disputed looks at an advert for a virtual router that is not configured here.
// Other clusters may share the network; but one that advertises an address of
// this router comes from a director whose id differs by mistake, so that both
// are Master.
func (r *Router) Disputed(now time.Time, src netip.Addr, ad Advert) []Action {
	if ad.Priority == 0 {
		return nil // It lets them go.
	}
	i := slices.IndexFunc(r.c.Addresses, func(a netip.Prefix) bool { return slices.Contains(ad.Addresses, a.Addr()) })
	if i < 0 {
		return nil
	}
	if r.state == Master {
		r.counters.OtherMasters++
	}
	return r.note(now, "disputed",
		"%s advertises %s too, but as virtual router id %d, and here it is %d: configure the same id on both directors",
		plain(src), r.c.Addresses[i].Addr(), ad.VRID, r.c.VRID)
}

// refuses says why an advert is not for this router, if it isn't.
func (r *Router) refuses(src netip.Addr, ad Advert) (Reason, string) {
	switch {
	case ad.VRID != r.c.VRID:
		return ReasonVRID, fmt.Sprintf("virtual router id %d, this one has %d", ad.VRID, r.c.VRID)
	case src.Is6() != (r.c.Family() == 6):
		return ReasonFamily, fmt.Sprintf("it is %s, this router's addresses are not", familyName(src))
	case ad.Version != r.c.Version:
		return ReasonVersion, fmt.Sprintf("VRRP version %d, this router speaks %d: configure the same on both", ad.Version, r.c.Version)
	case src == r.source:
		return ReasonOwnAddress, "that is this director's own address: it came back in a loop, or somebody else uses the address"
	case len(r.c.Peers) > 0 && !r.isPeer(src):
		return ReasonNotPeer, "the address is not among this router's peers"
	}
	return "", ""
}

func (r *Router) isPeer(src netip.Addr) bool {
	return slices.ContainsFunc(r.c.Peers, func(p netip.Addr) bool { return plain(p) == src })
}

func (r *Router) handle(now time.Time, src netip.Addr, ad Advert) []Action {
	if r.state == Master {
		return r.receiveMaster(now, src, ad)
	}
	r.listensSince = time.Time{}
	if ad.Priority != 0 {
		r.relieve(now)
	}
	switch {
	case r.state == Backup:
		r.receiveBackup(now, src, ad)
	case ad.Priority != 0:
		r.master, r.masterPriority = src, ad.Priority
	}
	return nil
}

// relieve schedules the end of addresses that we still hold although another
// router is Master now. Its further adverts do not put that off.
func (r *Router) relieve(now time.Time) {
	r.takenOver = true
	at := now.Add(Overlap)
	if r.held && (r.releaseAt.IsZero() || at.Before(r.releaseAt)) {
		r.releaseAt = at
	}
}

// receiveBackup is RFC 9568 section 6.4.2, "If an ADVERTISEMENT is received".
func (r *Router) receiveBackup(now time.Time, src netip.Addr, ad Advert) {
	// "If the Priority in the ADVERTISEMENT is 0, then: [...] Set the
	// Active_Down_Timer to Skew_Time". A timer that ends sooner runs on: a
	// leaving Master that repeats itself must not put us off.
	if ad.Priority == 0 {
		if at := now.Add(r.skew()); at.Before(r.masterDownAt) {
			r.masterDownAt = at
		}
		r.preemptAt = time.Time{}
		r.master, r.leaving = src, true
		return
	}
	r.master, r.masterPriority, r.leaving, r.heardAt = src, ad.Priority, false, now
	r.listening = false
	switch {
	case r.follows(ad.Priority):
		r.preemptAt = time.Time{}
	case r.preemptDelay() == 0:
		// "Discard the ADVERTISEMENT": the timer runs on, and ends with us as
		// Master.
		return
	case r.preemptAt.IsZero():
		// Never sooner than without a delay.
		r.preemptAt = later(r.masterDownAt, now.Add(r.preemptDelay()))
	}
	r.follow(now, ad)
}

// follow learns Active_Adver_Interval and restarts Active_Down_Timer. RFC
// 3768 would discard a version 2 advert with another interval than ours, so
// that both routers would be Master for good; following it is the lesser
// evil, and is counted. An interval of zero cannot be meant.
func (r *Router) follow(now time.Time, ad Advert) {
	if ad.Interval > 0 {
		r.masterInterval = ad.Interval
	}
	r.masterDownAt = now.Add(r.masterDown())
}

// follows tells whether a Master of that priority is one to leave in peace.
func (r *Router) follows(priority uint8) bool {
	return priority >= r.priority() || !r.preempts()
}

// preempts is Preempt_Mode. The owner of the addresses "always preempts,
// independent of the setting of this flag" (RFC 9568 section 6.1).
func (r *Router) preempts() bool { return r.c.Preempt || r.priority() == ownerPriority }

func (r *Router) preemptDelay() time.Duration {
	if r.priority() == ownerPriority {
		return 0
	}
	return r.c.PreemptDelay
}

// receiveMaster is RFC 9568 section 6.4.3, "If an ADVERTISEMENT is received",
// after a look at the clock.
func (r *Router) receiveMaster(now time.Time, src netip.Addr, ad Advert) []Action {
	var late []Action
	if r.stalled(now) {
		late = r.hush(now)
	}
	switch {
	case r.listening && ad.Priority == 0:
		// Who took over meanwhile is leaving again.
		return append(late, r.assert(now)...)
	case r.listening:
		return append(late, r.yield(now, src, ad, fmt.Sprintf("woke up late, %s is Master with priority %d", src, ad.Priority))...)
	case ad.Priority == 0:
		// "Send an ADVERTISEMENT [...] Reset the Adver_Timer to
		// Advertisement_Interval".
		return r.answer(now, true)
	case r.beatenBy(src, ad):
		return r.yield(now, src, ad, fmt.Sprintf("%s has priority %d", src, ad.Priority))
	default:
		// "Discard the ADVERTISEMENT [...] Send an ADVERTISEMENT immediately
		// to assert the {Active} state". Adver_Timer runs on.
		return append(r.answer(now, false), r.rival(now, src, ad)...)
	}
}

// rival counts another Master. One that goes on although it was answered does
// not hear us, and is told; one that gives way is no news.
func (r *Router) rival(now time.Time, src netip.Addr, ad Advert) []Action {
	r.counters.OtherMasters++
	if now.Sub(r.rivalAt) > 4*r.c.Interval {
		r.rivalSince = now
	}
	r.rivalAt = now
	if now.Sub(r.rivalSince) < r.c.Interval {
		return nil
	}
	return r.note(now, "other_master",
		"%s is Master too, with priority %d (here: %d), and both have the addresses: does it hear this director? "+
			"Let VRRP (IP protocol 112) through its firewall, and look at its peers and at the switch",
		src, ad.Priority, r.priority())
}

// answer sends an advert at once, within bounds; beyond them Adver_Timer runs
// on and does it.
func (r *Router) answer(now time.Time, restart bool) []Action {
	if r.answers >= answersBound {
		return nil
	}
	r.answers++
	if restart {
		r.adverAt = now.Add(r.c.Interval)
	}
	return append([]Action{r.send(now, r.priority())}, r.contend(now)...)
}

// beatenBy: "If the Priority in the ADVERTISEMENT is greater than the local
// Priority or the Priority in the ADVERTISEMENT is equal to the local Priority
// and the primary IPvX address of the sender is greater than the local primary
// IPvX address (based on an unsigned integer comparison of the IPvX addresses
// in network byte order)".
func (r *Router) beatenBy(src netip.Addr, ad Advert) bool {
	if ad.Priority != r.priority() {
		return ad.Priority > r.priority()
	}
	return src.Compare(r.source) > 0
}

// yield goes from Master to Backup. Who was beaten keeps answering for a
// moment, while the winner adds and announces the addresses; who slept
// through the change lets go at once, since the winner did that long ago.
func (r *Router) yield(now time.Time, src netip.Addr, ad Advert, why string) []Action {
	var acts []Action
	if r.listening {
		acts = append(acts, r.release())
	}
	acts = append(acts, r.enter(now, Backup, why)...)
	r.masterInterval = r.c.Interval
	r.masterDownAt = now.Add(r.masterDown())
	r.relieve(now)
	r.receiveBackup(now, src, ad)
	return acts
}

// contend announces the addresses of a Master that met another one, whose own
// announcements may have drawn hosts and switches away: now, and once more
// when the other one has let go, but never more often than announceEvery.
func (r *Router) contend(now time.Time) []Action {
	next := now.Add(announceEvery)
	if now.Sub(r.announcedAt) >= announceEvery {
		r.announceAt = next
		return []Action{r.announce(now)}
	}
	if r.announceAt.IsZero() || next.Before(r.announceAt) {
		r.announceAt = next
	}
	return nil
}

// compare counts in what an accepted advert disagrees with our configuration.
// For that the receiver "SHOULD log the event" (RFC 9568 section 7.1), no more:
// discarding the advert would make two Masters of a mistake in a file.
func (r *Router) compare(now time.Time, src netip.Addr, ad Advert) []Action {
	if ad.Priority == 0 {
		return nil
	}
	var acts []Action
	differs := func(reason Reason, format string, args ...any) {
		r.counters.Mismatched[reason]++
		acts = append(acts, r.note(now, reason, format, args...)...)
	}
	if ad.Interval != r.c.Interval {
		differs(ReasonInterval, "%s advertises every %s, this director every %s: configure the same advert_interval on both",
			src, ad.Interval, r.c.Interval)
	}
	if !sameAddrs(ad.Addresses, r.addresses()) {
		differs(ReasonAddresses, "%s advertises %s, this director %s: configure the same addresses on both",
			src, listAddrs(ad.Addresses), listAddrs(r.addresses()))
	}
	if ad.Priority == ownerPriority && r.priority() == ownerPriority {
		differs(ReasonOwner, "%s has priority 255 too: only one director can own the addresses, give the other one less", src)
	}
	return acts
}

// maxListed bounds the addresses in a line of the log.
const maxListed = 10

// listAddrs writes addresses for the log.
func listAddrs(addrs []netip.Addr) string {
	if len(addrs) <= maxListed {
		return fmt.Sprintf("the addresses %v", addrs)
	}
	return fmt.Sprintf("%d addresses from %v on", len(addrs), addrs[:maxListed])
}

// sameAddrs compares without regard to the order.
func sameAddrs(a, b []netip.Addr) bool {
	if slices.Equal(a, b) {
		return true
	}
	sorted := func(s []netip.Addr) []netip.Addr { return slices.SortedFunc(slices.Values(s), netip.Addr.Compare) }
	return slices.Equal(sorted(a), sorted(b))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
