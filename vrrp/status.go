package vrrp

import (
	"maps"
	"slices"
	"time"
)

// State returns the state that the router is in.
func (r *Router) State() State { return r.state }

// Holding reports whether the router wants its addresses on the interfaces, or
// is still answering for them.
func (r *Router) Holding() bool { return r.handover.held }

// watched are the addresses of which the router wants to know who else has them: all
// of a Master, and the one for whose sake a Backup may have to stand aside.
func (r *Router) watched() []Ask {
	var all []Ask
	if r.state == Master {
		for _, a := range r.c.Holdings().Addresses {
			all = append(all, Ask{a.Interface, a.Prefix.Addr()})
		}
	} else if a := r.guard.address; a.IsValid() {
		all = append(all, Ask{r.c.Interface, a})
	}
	return all
}

// overdue is for how long a Backup has not heard the Master that it follows, where
// that is longer than it would wait by its own interval, and than that Master
// keeps to.
func (r *Router) overdue(now time.Time) time.Duration {
	e := &r.election
	silence := now.Sub(e.heardAt)
	if r.state != Backup || r.waits() || r.guard.aside || !e.master.IsValid() || e.leaving || silence <= max(r.c.masterDown(r.c.Interval), e.interval+e.interval/4) {
		return 0
	}
	return silence
}

// Status returns the router as it stands, but for Held, which only the edge knows,
// and for Overdue and Peers, which take the time.
func (r *Router) Status() Status {
	s := Status{
		Name:           r.c.Name,
		Interface:      r.c.Interface,
		VRID:           r.c.VRID,
		Version:        r.c.Version,
		SyncGroup:      r.c.SyncGroup,
		State:          r.state,
		Phase:          r.phase(),
		Since:          r.since,
		Priority:       r.c.Priority,
		Configured:     r.priority,
		Interval:       r.c.Interval,
		MissedAdverts:  uint8(r.c.missed()),
		Fault:          r.fault,
		Question:       r.Question(),
		Authentication: r.c.Authentication.status(),
		Master:         r.election.master,
		MasterPriority: r.election.priority,
		Addresses:      slices.Clone(r.c.Addresses),
		Counters:       r.counters,
		Offered:        r.offering.last,
		SignedAgo:      r.seals.age,
		AdvertGaps:     r.timing.gaps.clone(),
		AdvertLateness: r.timing.lateness.clone(),
	}
	s.Paths = r.holdings().paths().Names()
	for _, e := range r.c.Extra {
		s.Addresses = append(s.Addresses, e.Prefix)
	}
	if g := &r.guard; g.aside {
		s.Aside = &Aside{Master: g.master, Reason: ReasonOf(g.why), Address: g.address, MAC: g.mac}
	}
	if r.entering.stage == refused {
		s.Barred = r.entering.text
	}
	if r.state == Master || r.guard.aside {
		s.Unasked = r.unasked
	}
	s.Counters.Discarded = maps.Clone(r.counters.Discarded)
	s.Counters.Mismatched = maps.Clone(r.counters.Mismatched)
	s.Senders = maps.Clone(r.senders)
	return s
}

// status returns what may be told of it; nil: there is none.
func (a *Authentication) status() *AuthenticationStatus {
	switch {
	case len(a.Keys) > 0:
		s := &AuthenticationStatus{Mode: string(a.Mode)}
		if a.signs() {
			s.Signer = a.Signer
		}
		for _, k := range a.Keys {
			s.Keys = append(s.Keys, uint16(k.ID))
		}
		return s
	case a.Password != "":
		return &AuthenticationStatus{Mode: "password"}
	default:
		return nil
	}
}

// phase works out what the router does.
func (r *Router) phase() Phase {
	h, e := &r.handover, &r.election
	switch {
	case r.offering.pending():
		return Offering
	case r.stall.listening:
		return Listening
	case r.leaving.waits():
		return Parting
	case r.state == Master:
		return Advertising
	case !h.releaseAt.IsZero() && (r.state == Backup || h.takenOver):
		return Relinquishing
	case !h.releaseAt.IsZero():
		return Offering
	case h.ending != Running:
		return Ended
	case h.held:
		return Adopted
	case r.state == Initialize:
		return Waiting
	case r.entering.stage == asked:
		return Entering
	case r.entering.stage == refused:
		return Barred
	case r.ready():
		return Ready
	case r.guard.aside:
		return StandingAside
	case e.leaving:
		return Succeeding
	case !e.preemptAt.IsZero():
		return Delaying
	case e.master.IsValid():
		return Following
	default:
		return Seeking
	}
}
