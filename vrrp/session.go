package vrrp

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// auditAfter is how soon after a change of interfaces a Session checks
	// whether addresses that it holds are missing. It lets a burst of changes
	// end, and bounds a quarrel with whoever keeps removing them.
	auditAfter = 20 * time.Millisecond
	// endWithin bounds how long a Session that has ended waits for the kernel to
	// release the addresses.
	endWithin = 5 * time.Second
)

// A Resumption lets a router be Master again at once, if it starts in time:
// the keeper that it replaces was Master and is gone.
type Resumption struct {
	Router string `json:"router"`
	// Before is when a peer may have taken over.
	Before time.Time `json:"before"`
}

// A Session runs the virtual routers of one director: it is the loop around
// the Routers. All of them share one goroutine and one timer; what may block,
// the addresses and their announcements, is left to a worker. Each turn of the
// loop reads the clock once, handles every packet that has arrived, and only
// then lets timers expire: a process that was stalled listens first.
type Session struct {
	link   Link
	report func(Event)
	worker *worker

	mail struct { // what the loop was told last
		sync.Mutex
		desired *Desired
		resume  []Resumption
	}
	kick    chan struct{}
	queries chan chan []Status
	changed chan struct{}
	done    chan struct{} // closed when the loop has ended

	// What follows belongs to the loop.
	members    map[memberKey]*member
	conditions []Condition // that the director gave
	ending     Ending
	resume     map[string]time.Time
	interfaces *Interfaces
	present    map[InterfaceAddress]bool // on the interfaces, as last seen
	auditAt    time.Time
	endBy      time.Time
	payload    []byte

	unclaimed atomic.Uint64
}

// NewSession returns a Session that runs no router yet. Events are reported
// from more than one goroutine, and report must not block.
func NewSession(link Link, edge Holder, report func(Event)) *Session {
	s := &Session{
		link:    link,
		report:  report,
		kick:    make(chan struct{}, 1),
		queries: make(chan chan []Status),
		changed: make(chan struct{}, 1),
		done:    make(chan struct{}),
		members: make(map[memberKey]*member),
		resume:  make(map[string]time.Time),
	}
	s.worker = newWorker(edge, report, func() { token(s.kick) })
	return s
}

// Set makes the desired routers run, and no others, or makes all of them end. A
// router keeps its role if its interface, family and VRID stay. The newest
// Desired wins, but nothing runs again in a Session that was ended.
func (s *Session) Set(d Desired, resume ...Resumption) {
	s.mail.Lock()
	if told := s.mail.desired; told == nil || told.Ending == Running || d.Ending != Running {
		s.mail.desired = &d
	}
	s.mail.resume = append(s.mail.resume, resume...)
	s.mail.Unlock()
	token(s.kick)
}

// Changed receives a token when a router has changed its state.
func (s *Session) Changed() <-chan struct{} { return s.changed }

// Statuses returns the routers as they stand, and nil once Run has returned.
func (s *Session) Statuses() []Status {
	reply := make(chan []Status, 1)
	select {
	case s.queries <- reply:
		return <-reply
	case <-s.done:
		return nil
	}
}

// Unclaimed returns how many packets came for virtual routers that are not
// configured here.
func (s *Session) Unclaimed() uint64 { return s.unclaimed.Load() }

// Run runs the routers until all have ended because Set said so, or until the
// context ends.
func (s *Session) Run(ctx context.Context) {
	defer close(s.done)
	workerEnd := make(chan struct{})
	defer close(workerEnd)
	go s.worker.run(workerEnd)

	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.link.Wake():
		case <-s.kick:
		case reply := <-s.queries:
			reply <- s.statuses()
		}
		if s.turn(time.Now()) {
			return
		}
		timer.Stop()
		if at := s.deadline(); !at.IsZero() {
			timer.Reset(time.Until(at))
		}
	}
}

// turn does everything that is to do now, in this order, and reports whether
// the Session has ended.
func (s *Session) turn(now time.Time) (ended bool) {
	s.link.Receive(func(p Packet) { s.receive(now, p) })
	s.read(now)
	s.inspect(now)
	for _, m := range s.members {
		if due(m.router.Deadline(), now) {
			s.do(now, m, m.router.Expire(now))
		}
		if due(m.resumeAt, now) {
			s.evaluate(now, m, s.virtual())
		}
	}
	if due(s.auditAt, now) { // Addresses that are held and missing are restored.
		s.auditAt = time.Time{}
		s.worker.audit(s.present)
	}
	s.removeEnded()
	return s.ended(now)
}

// deadline is when the next turn is due, without a cause from outside.
func (s *Session) deadline() time.Time {
	first := earliest(s.auditAt, s.endBy)
	for _, m := range s.members {
		first = earliest(first, m.router.Deadline(), m.resumeAt)
	}
	return first
}

// read applies what the loop was told since the last turn.
func (s *Session) read(now time.Time) {
	s.mail.Lock()
	d, resume := s.mail.desired, s.mail.resume
	s.mail.desired, s.mail.resume = nil, nil
	s.mail.Unlock()
	for _, r := range resume {
		s.resume[r.Router] = r.Before
	}
	switch {
	case d == nil:
	case d.Ending == Running && s.ending == Running:
		s.apply(now, *d)
	case d.Ending != Running && d.Ending != s.ending:
		// From Stopped to Abandoned, or the other way round, it changes what
		// becomes of addresses that nobody comes for.
		s.ending = d.Ending
		for _, m := range s.members {
			s.end(now, m)
		}
	}
}

// apply starts, updates and ends routers.
func (s *Session) apply(now time.Time, d Desired) {
	s.conditions = slices.Clone(d.Conditions)
	for i := range s.conditions {
		s.conditions[i].given = true
	}
	wanted := make(map[memberKey]bool, len(d.Routers))
	for _, c := range d.Routers {
		key := keyOf(&c)
		wanted[key] = true
		m := s.members[key]
		if m == nil {
			s.members[key] = &member{key: key, router: NewRouter(c)}
			continue
		}
		m.removed = false
		m.router.Continue()
		if !reflect.DeepEqual(m.router.config(), c) {
			s.do(now, m, m.router.Update(now, c))
		}
	}
	for key, m := range s.members {
		if !wanted[key] && !m.removed {
			m.removed = true
			s.end(now, m)
		}
	}
	s.listen()
	s.interfaces = nil // Inspect them again, for the new configuration.
}

// listen opens the sockets of the routers that run or are handing over.
func (s *Session) listen() {
	ports := make([]Port, 0, len(s.members))
	for key := range s.members {
		ports = append(ports, key.Port)
	}
	s.link.Listen(ports)
}

// end ends a router: as all of them, or one that is not wanted any more.
func (s *Session) end(now time.Time, m *member) {
	how := s.ending
	if m.removed {
		// The next start adopts no addresses of a router that it does not know.
		how = Stopped
	}
	s.do(now, m, m.router.End(now, how))
}

// removeEnded removes routers that have ended.
func (s *Session) removeEnded() {
	gone := false
	for key, m := range s.members {
		if !m.router.Done() {
			continue
		}
		if s.ending == Abandoned && m.router.Holding() { // Nobody took over.
			s.worker.keep(key)
			token(s.worker.wake)
		}
		s.worker.forget(key)
		delete(s.members, key)
		gone = true
	}
	if gone {
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
	return s.worker.done() || due(s.endBy, now)
}

// statuses are the routers as they stand, ordered by name.
func (s *Session) statuses() []Status {
	all := make([]Status, 0, len(s.members))
	for _, m := range s.members {
		st := m.router.Status()
		st.Held = 0
		for _, a := range m.router.holdings().Addresses {
			if s.present[a] {
				st.Held++
			}
		}
		st.Counters.AddressesRestored = s.worker.restored(m.key)
		st.Unmet = m.verdict.unmet
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b Status) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// token puts one in, unless there is one already.
func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
