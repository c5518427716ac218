package vrrp

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// auditAfter is how soon after a change of interfaces a Session looks
	// whether addresses that it holds are missing. It lets a burst of changes
	// end, and bounds a quarrel with whoever keeps removing them.
	auditAfter = 20 * time.Millisecond
	// settleWithin bounds how long a Session that has stopped waits for the
	// kernel to take the addresses back.
	settleWithin = 5 * time.Second
)

// An Event is something that an operator may want to read in the log.
type Event struct {
	At     time.Time `json:"at"`
	Router string    `json:"router,omitempty"`
	// From and To are the states of a transition and Text is its reason;
	// where both are equal, Text alone tells what happened.
	From State  `json:"from"`
	To   State  `json:"to"`
	Text string `json:"text"`
	// Failure: something did not work that should have, or is otherwise for
	// an operator to look at.
	Failure bool `json:"failure,omitempty"`
}

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

	mail    mailbox
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

// A mailbox holds what the loop was told last.
type mailbox struct {
	sync.Mutex
	desired *Desired
	resume  []Resumption
	ending  Ending
}

// NewSession returns a Session that runs no router yet. Events are reported
// from more than one goroutine, and report must not block.
func NewSession(link Link, addrs Addresses, report func(Event)) *Session {
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
	s.worker = newWorker(addrs, report, func() { token(s.kick) })
	return s
}

// Set says which routers shall run, and no others. A router keeps its role if
// its interface, family and VRID stay. The newest Desired wins.
func (s *Session) Set(d Desired, resume ...Resumption) {
	s.mail.Lock()
	s.mail.desired = &d
	s.mail.resume = append(s.mail.resume, resume...)
	s.mail.Unlock()
	token(s.kick)
}

// Stop lets every router hand over; Run returns when they have.
func (s *Session) Stop() { s.end(Stopped) }

// Abandon is Stop after the director's death: where nobody takes over, the
// addresses are left, permanent.
func (s *Session) Abandon() { s.end(Abandoned) }

func (s *Session) end(how Ending) {
	s.mail.Lock()
	s.mail.ending = how
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

// Run runs the routers until they have stopped after Stop or Abandon, or at
// once when the context ends.
func (s *Session) Run(ctx context.Context) {
	defer close(s.done)
	workerDone := make(chan struct{})
	defer close(workerDone)
	go s.worker.run(workerDone)

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
		now := time.Now()
		if s.turn(now) {
			return
		}
		timer.Stop()
		if at := s.deadline(); !at.IsZero() {
			timer.Reset(time.Until(at))
		}
	}
}

// turn does everything that is to do now, in this order, and tells whether
// the Session has ended.
func (s *Session) turn(now time.Time) (ended bool) {
	s.link.Receive(func(p Packet) { s.receive(now, p) })
	s.read(now)
	s.look(now)
	for _, m := range s.members {
		if due(m.deadline, now) {
			s.do(now, m, m.router.Expire(now))
		}
		if due(m.resumeAt, now) {
			s.evaluate(now, m, s.virtual())
		}
	}
	s.audit(now)
	s.bury()
	return s.ended(now)
}

// deadline is when the next turn is due, without a cause from outside.
func (s *Session) deadline() time.Time {
	first := s.auditAt
	if first.IsZero() || !s.endBy.IsZero() && s.endBy.Before(first) {
		first = s.endBy
	}
	for _, m := range s.members {
		for _, at := range [...]time.Time{m.deadline, m.resumeAt} {
			if !at.IsZero() && (first.IsZero() || at.Before(first)) {
				first = at
			}
		}
	}
	return first
}

// ended tells whether every router has stopped and its addresses are where
// they belong.
func (s *Session) ended(now time.Time) bool {
	if s.ending == Running || len(s.members) > 0 {
		return false
	}
	if s.endBy.IsZero() {
		s.endBy = now.Add(settleWithin)
	}
	return s.worker.quiet() || due(s.endBy, now)
}

// token puts one in, unless there is one already.
func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
