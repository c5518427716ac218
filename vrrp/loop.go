package vrrp

import (
	"cmp"
	"context"
	"net/netip"
	"reflect"
	"slices"
	"time"
)

// endWithin bounds how long a Session that has ended waits for the kernel to
// release the addresses.
const endWithin = 5 * time.Second

// Run runs the routers until all have ended because Set said so, or until the
// context ends. Each turn of the loop reads the clock once, handles every packet
// that has arrived, and only then lets timers expire: a process that was stalled
// listens first.
func (s *Session) Run(ctx context.Context) {
	defer close(s.done)
	workerEnd := make(chan struct{})
	defer close(workerEnd)
	go s.worker.run(workerEnd)

	for !s.Turn(time.Now()) {
		s.link.WakeAt(s.Deadline())
		select {
		case <-ctx.Done():
			return
		case <-s.link.Wake():
		case <-s.kick:
		case q := <-s.queries:
			q(time.Now())
		}
	}
}

// Turn does everything that is to do now, in this order, and reports whether
// the Session has ended. Run calls it; so may a loop that has a time of its own.
func (s *Session) Turn(now time.Time) (ended bool) {
	s.stuck, s.apart = nil, nil
	s.link.Receive(func(p Packet) { s.receive(now, p) })
	s.link.Claims(func(c Claim) { s.claimed(now, c) })
	s.read(now)
	s.inspect(now)
	for _, g := range s.next(now) {
		s.expire(now, g)
	}
	if due(s.auditAt, now) {
		s.auditAt = time.Time{}
		s.worker.audit(s.present)
		s.removeLeftovers()
	}
	s.sweepUp()
	s.removeEnded(now)
	s.watch()
	return s.ended(now)
}

// sweepUp has the worker remove, once, what an earlier process has left, when it is
// known what of that is adopted.
func (s *Session) sweepUp() {
	if s.swept || !s.applied || s.interfaces == nil {
		return
	}
	var keep []InterfaceAddress
	for _, m := range s.members {
		if !m.inspected {
			return
		}
		keep = append(append(keep, m.router.holdings().Addresses...), s.found(m)...)
	}
	s.swept = true
	s.worker.sweepUp(keep)
}

// expire does what is due for a group's routers, and what the group then wants of
// them.
func (s *Session) expire(now time.Time, g *group) {
	look := false
	for _, m := range g.members {
		if due(m.router.Deadline(), now) {
			s.do(now, m, m.router.Expire(now))
		}
		look = look || due(earliest(m.resumeAt, m.lookAt), now)
	}
	if look {
		s.evaluate(now, g)
	}
	if g.name != "" {
		s.lead(now, g)
	}
}

// Deadline is when the next turn is due, without a cause from outside; zero: none is.
func (s *Session) Deadline() time.Time {
	s.reschedule()
	first := earliest(s.auditAt, s.endBy)
	if len(s.agenda) > 0 {
		first = earliest(first, s.agenda[0].at)
	}
	for _, g := range s.named {
		first = earliest(first, g.deadline())
	}
	return first
}

// read applies what the loop was told since the last turn.
func (s *Session) read(now time.Time) {
	s.mu.Lock()
	d, answers := s.mail, s.answers
	s.mail, s.answers = nil, nil
	s.mu.Unlock()
	for _, a := range answers {
		s.answer(now, a)
	}
	switch {
	case d == nil:
	case d.Ending == Running && s.ending == Running:
		s.apply(now, *d)
	case d.Ending != Running && d.Ending != s.ending:
		// From Stopped to Abandoned, or the other way round, it changes what
		// becomes of addresses that nobody comes for.
		s.ending = d.Ending
		for m := range s.each() {
			s.end(now, m)
		}
	}
}

// answer hands an answer to the routers that wait for it.
func (s *Session) answer(now time.Time, a Answer) {
	for m := range s.each() {
		if m.group.has(a.Router) {
			s.do(now, m, m.router.Answer(now, a))
		}
	}
}

// apply starts, updates and ends routers.
func (s *Session) apply(now time.Time, d Desired) {
	s.applied = true
	s.conditions = d.Conditions
	if !s.static.same(d.Static) {
		s.static = d.Static
		s.worker.set(staticKey, "", d.Static, netip.Addr{})
	}
	s.signedWith(d.Signed)
	for _, r := range d.Resume {
		s.resume[r.Router] = r.Before
	}
	wanted := make(map[routerKey]bool, len(d.Routers))
	var changed []func()
	for _, c := range d.Routers {
		key := keyOf(&c)
		wanted[key] = true
		m := s.members[key]
		if m == nil {
			m = &member{key: key, router: NewRouter(c)}
			m.router.since = now
			m.router.SignAfter(s.Signed())
			s.members[key] = m
			continue
		}
		if m.removed {
			m.verdict = verdict{} // A router that ends is not told of every fault.
		}
		m.removed = false
		m.router.Continue()
		if !reflect.DeepEqual(m.router.given(), c) {
			acts := m.router.Update(now, c)
			changed = append(changed, func() { s.do(now, m, acts) })
		}
	}
	for m := range s.each() {
		if !wanted[m.key] && !m.removed {
			m.removed = true
			s.end(now, m)
		}
	}
	s.reports.renew = true
	s.regroup(now)
	s.listen() // First: there may be devices to be made for the addresses.
	for _, do := range changed {
		do()
	}
	s.offer(now, d.Offers)
	s.interfaces = nil // Inspect them again, for the new configuration.
}

// offer has routers offer their roles, and all of their groups, if they have not done
// so for the newest of these orders.
func (s *Session) offer(now time.Time, all []Offer) {
	for m := range s.each() {
		var newest Offer
		for _, o := range all {
			if o.Number > newest.Number && m.group.has(o.Router) {
				newest = o
			}
		}
		if newest.Number > 0 {
			s.do(now, m, m.router.Offer(now, newest))
			token(s.changed) // There may be nothing to offer, and no event that says so.
		}
	}
}

// listen opens the sockets of the routers that run or are handing over.
func (s *Session) listen() {
	wanted := make(map[Port][]Identity)
	s.owners = ownersOf(s.members)
	for key, m := range s.members {
		c := &m.router.c
		id := Identity{Version: c.Version, VRID: key.vrid, MinTTL: uint8(c.minTTL()), Group: c.group()}
		wanted[key.Port] = append(wanted[key.Port], id)
		if p, ok := c.device(); ok {
			id.Below = c.Interface
			wanted[p] = append(wanted[p], id)
		}
	}
	for _, ids := range wanted {
		slices.SortFunc(ids, func(a, b Identity) int { return cmp.Compare(a.Header(), b.Header()) })
	}
	s.link.Listen(wanted)
	if s.ending == Abandoned {
		return // What stays on the interfaces goes on as it is.
	}
	var refused []netip.Addr
	for m := range s.each() {
		if m.router.c.Refuse {
			refused = append(refused, m.router.addresses...)
		}
	}
	slices.SortFunc(refused, netip.Addr.Compare)
	s.link.Refuse(refused)
}

// end ends a router: as all of them, or one that is not wanted any more.
func (s *Session) end(now time.Time, m *member) {
	s.leaves = true
	how := s.ending
	if m.removed {
		// The next start adopts no addresses of a router that it does not know.
		how = Stopped
	}
	s.do(now, m, m.router.End(now, how))
}

// removeEnded removes routers that have ended.
func (s *Session) removeEnded(now time.Time) {
	if !s.leaves {
		return
	}
	gone := false
	s.leaves = false
	for key, m := range s.members {
		if !m.router.Done() {
			s.leaves = s.leaves || m.router.handover.ending != Running
			continue
		}
		if s.ending == Abandoned && m.router.Holding() { // Nobody took over.
			s.worker.keep(key)
		}
		s.worker.forget(key)
		delete(s.members, key)
		gone = true
	}
	if gone {
		s.reports.renew = true
		s.regroup(now)
		s.listen()
	}
}

// ended reports whether every router has ended and the kernel agrees.
func (s *Session) ended(now time.Time) bool {
	if s.ending == Running || len(s.members) > 0 {
		return false
	}
	if s.endBy.IsZero() {
		s.endBy = now.Add(endWithin)
	}
	switch {
	case due(s.endBy, now):
		return true
	case !s.worker.done():
		return false
	case s.ending == Abandoned || s.static.empty():
		return true
	}
	s.static = Holdings{} // The routers' last adverts may have needed it.
	s.worker.set(staticKey, "", s.static, netip.Addr{})
	return false
}
