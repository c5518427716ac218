package vrrp

import (
	"hash/maphash"
	"slices"
	"strings"
	"time"
)

const (
	// maxReported bounds the statuses of one Report: a thousand of them take tens of
	// milliseconds to encode, and a megabyte.
	maxReported = 100
	// refreshed is of how many routers that are as before a Report tells all the same,
	// once in refreshEvery, so that their counters are known. Where there are no more
	// routers, each Report does.
	refreshed    = 50
	refreshEvery = 2 * time.Second
)

// Statuses returns the routers as they stand, and nil once Run has returned.
func (s *Session) Statuses() (all []Status) {
	s.query(func(now time.Time) { all = s.StatusesAt(now) })
	return all
}

// Report returns what there is to tell of the routers since the last Report, and nothing
// once Run has returned.
func (s *Session) Report() (r Report) {
	s.query(func(now time.Time) { r = s.nextReport(now) })
	return r
}

// gist returns how a router stands.
func (s *Session) gist(now time.Time, m *member) gist {
	r := m.router
	return gist{
		state: r.state, phase: r.phase(), since: r.since, priority: r.c.Priority, fault: r.fault,
		master: r.election.master, masterPriority: r.election.priority,
		aside: r.guard.aside, unasked: r.unasked, unsent: m.unsent, unheard: m.unheard,
		dispute: r.dispute.lasting(now), claimed: len(r.claims.all), peers: len(r.peers), offered: r.offering.last,
		question: r.Question(), work: s.worker.gist(m.key),
	}
}

// lasts reports whether something about a router is going on, of which each Report tells.
func (s *Session) lasts(now time.Time, m *member) bool {
	return m.router.overdue(now) > 0 || m.group.split(now) > 0
}

// nextReport returns what there is to tell.
func (s *Session) nextReport(now time.Time) (r Report) {
	p := &s.reports
	if p.renew {
		*p = reports{members: make([]*member, 0, len(s.members)), seed: p.seed}
		for _, m := range s.members {
			m.changed = true
			p.members = append(p.members, m)
		}
		slices.SortFunc(p.members, func(a, b *member) int { return strings.Compare(a.router.c.Name, b.router.c.Name) })
		r.Renewed = true
	}
	r.Total = len(p.members)
	for i, m := range p.members {
		g := maphash.Comparable(p.seed, s.gist(now, m))
		if !m.changed && m.told == g && !s.lasts(now, m) {
			continue
		}
		if r.More = len(r.Statuses) == maxReported; r.More {
			break
		}
		m.changed, m.told = false, g
		s.addTo(&r, now, i)
	}
	s.refresh(&r, now)
	return r
}

// refresh adds routers that are as before.
func (s *Session) refresh(r *Report, now time.Time) {
	p := &s.reports
	if len(p.members) > refreshed && now.Sub(p.at) < refreshEvery || r.More {
		return
	}
	p.at = now
	changed, n := len(r.Places), min(refreshed, len(p.members))
	r.Places, r.Statuses = slices.Grow(r.Places, n), slices.Grow(r.Statuses, n)
	for range n {
		p.next = (p.next + 1) % len(p.members)
		if _, there := slices.BinarySearch(r.Places[:changed], p.next); !there {
			s.addTo(r, now, p.next)
		}
	}
}

func (s *Session) addTo(r *Report, now time.Time, place int) {
	r.Places, r.Statuses = append(r.Places, place), append(r.Statuses, s.status(now, s.reports.members[place]))
}

// status is how a router stands.
func (s *Session) status(now time.Time, m *member) Status {
	st := m.router.Status()
	s.compareHoldings(m, &st)
	s.worker.describe(m.key, &st)
	st.Split, st.Unheard = m.group.split(now), m.unheard
	st.Unmet, st.Conditions = m.verdict.unmet(), m.verdict.judged
	if !st.Since.IsZero() {
		st.Age = now.Sub(st.Since)
	}
	st.Overdue, st.Dispute, st.Peers = m.router.overdue(now), m.router.dispute.lasting(now), m.router.peers.seen(now)
	if st.State == Master {
		st.Unsent, st.Rivals = m.unsent, m.router.rivalsOf(now)
	}
	return st
}

// StatusesAt returns the routers as they stand, ordered by name. It is for whoever calls
// Turn; while Run does, there is Statuses.
func (s *Session) StatusesAt(now time.Time) []Status {
	all := make([]Status, 0, len(s.members))
	for _, m := range s.members {
		all = append(all, s.status(now, m))
	}
	slices.SortFunc(all, func(a, b Status) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// compareHoldings adds to a router's status which of what it should have is there,
// and which is left of what it should not.
func (s *Session) compareHoldings(m *member, st *Status) {
	if st.State != Master {
		there := s.found(m)
		st.Held = len(there)
		if !m.router.Holding() {
			st.Left = Holdings{Addresses: there}.String()
		}
		return
	}
	var missing Holdings
	for _, a := range m.router.holdings().Addresses {
		// The own address is there with the prefix length of whoever added it.
		if s.present.has(a) || m.isOwn(a) && len(s.present.of(a)) > 0 {
			st.Held++
		} else {
			missing.Addresses = append(missing.Addresses, a)
		}
	}
	st.Missing = missing.String()
}
