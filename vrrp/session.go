package vrrp

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// auditAfter is how soon after a change of interfaces a Session checks whether
// addresses that it holds are missing, or others are there. It lets a burst of changes end, and
// bounds a quarrel with whoever keeps removing them.
const auditAfter = 20 * time.Millisecond

// A Session runs the virtual routers of one director: it is the loop around
// the Routers. All of them share one goroutine and one timer; what may block,
// the addresses and their announcements, is left to a worker.
type Session struct {
	link   Link
	report func(Event)
	worker *worker

	mu   sync.Mutex
	mail *Desired // what the loop was told last and has not read yet
	// answers are those that it has not read yet.
	answers []Answer

	kick    chan struct{}
	queries chan func(now time.Time)
	changed chan struct{}
	done    chan struct{} // closed when the loop has ended

	// What follows belongs to the loop.
	members map[routerKey]*member
	groups  []*group // of the members; each is in one, and many are in one alone
	// agenda has the groups without a name, touched those of them to which something has
	// happened since it was looked at, and named the others.
	agenda  agenda
	touched []*group
	named   []*group
	owners  []owner // in the order of the addresses
	// conditions are those that the director gave.
	conditions []Condition
	ending     Ending
	leaves     bool                 // there are routers that were ended
	resume     map[string]time.Time // see Resumption, by router
	interfaces *Interfaces
	present    presence
	hardware   map[string]string // the interfaces' link-layer addresses, as last seen
	// stuck are the addresses that could not be removed again; nil: nobody has asked
	// in this turn.
	stuck   map[InterfaceAddress]error
	apart   *apartness // likewise
	auditAt time.Time
	rewatch bool // who else has the routers' addresses
	endBy   time.Time
	static  Holdings // see Desired.Static
	// applied: the routers are known; swept: what none of them has is removed.
	applied, swept bool
	payload        []byte
	reports        reports

	unclaimed atomic.Uint64
	signed    atomic.Uint64 // see Signed
}

// An owner is a router by one of the addresses that it has as Master.
type owner struct {
	address netip.Addr
	of      *member
}

// A group is the routers that move together, in the order of their first addresses,
// which is the same on all directors. A router that moves alone is a group without a
// name.
type group struct {
	name    string
	members []*member
	splitAt time.Time // since when only some are Master; zero: all are, or none
	place   int       // in Session.groups

	// Of one without a name: when it is due (zero: never), where it is in the agenda, and
	// whether something has happened to it since.
	at      time.Time
	index   int
	touched bool
}

// An agenda is a heap of groups, of which the first is due first.
type agenda []*group

// A linkState is how the interface of a router was last seen.
type linkState uint8

const (
	linkUnseen linkState = iota
	linkDown
	linkUp
)

// A member is one router of a Session.
type member struct {
	key       routerKey
	router    *Router
	group     *group
	inspected bool // its interface was looked at
	// demands are its own conditions, but for those that are idle; nil: they are not known.
	demands []demand
	verdict verdict            // of these and of its group's, as last told to the router
	dampers map[string]*damper // of what it tracks
	removed bool               // from the configuration
	unsent  string             // why adverts cannot be sent, as last reported
	own     netip.Addr         // the director's own address on the router's interface
	source  netip.Addr         // as configured when the source of adverts was chosen
	link    linkState
	// unheard is why nobody can hear it, although it runs; empty: it can be heard.
	unheard string
	// resumeAt is when it has listened long enough to resume as Master.
	resumeAt time.Time
	// sourceless is since when its interface lacks an address to send adverts from.
	sourceless time.Time
	// lookAt is when its conditions change although nothing happens.
	lookAt time.Time
	// told is the hash of what a Report told of it last, and changed whether there is more
	// to tell.
	told    uint64
	changed bool
}

// An apartness tells the addresses that move from those of the director. It is found out
// once in a turn.
type apartness struct {
	virtual  map[netip.Addr]bool       // those that move
	networks map[string][]netip.Prefix // by interface, of the others there
}

// A Report tells how routers are, as far as that has changed since the Report before.
type Report struct {
	// Renewed: the routers are other ones than before, as many as Total; what was told of
	// them does not count any more.
	Renewed bool
	Total   int
	// Statuses are those of the routers at these Places, of those from 0 to Total-1 in
	// the order of their names.
	Statuses []Status
	Places   []int
	// More: there was not room for all.
	More bool
}

// reports are what was told of the routers.
type reports struct {
	members []*member // in the order of their names
	renew   bool      // there are other ones
	next    int       // the place of the next one to be refreshed
	at      time.Time // the last refreshing
	seed    maphash.Seed
}

// A gist is what there is to a status but for counters, and what is told otherwise: by
// events, which mark a router as changed.
type gist struct {
	state          State
	phase          Phase
	since          time.Time
	priority       uint8
	fault          string
	master         netip.Addr
	masterPriority uint8
	aside          bool
	unasked        string
	unsent         string
	unheard        string
	dispute        string
	claimed        int
	peers          int
	offered        Offered
	question       Question
	work           work
}

// NewSession returns a Session that runs no router yet. Events are reported
// from more than one goroutine, and report must not block.
func NewSession(link Link, edge Holder, report func(Event)) *Session {
	s := &Session{
		link:    link,
		report:  report,
		kick:    make(chan struct{}, 1),
		queries: make(chan func(time.Time)),
		changed: make(chan struct{}, 1),
		done:    make(chan struct{}),
		members: make(map[routerKey]*member),
		resume:  make(map[string]time.Time),
		reports: reports{renew: true, seed: maphash.MakeSeed()},
	}
	s.worker = newWorker(edge, report, func() { token(s.kick) })
	return s
}

// Set makes the desired routers run, and no others, or makes all of them end. A
// router keeps its role if its interface, family and VRID stay. The newest
// Desired wins, but nothing runs again in a Session that was ended.
func (s *Session) Set(d Desired) {
	s.mu.Lock()
	if s.mail == nil {
		s.mail = &Desired{}
	}
	if s.mail.Ending == Running || d.Ending != Running {
		d.Resume, d.Signed = slices.Concat(s.mail.Resume, d.Resume), latest(s.mail.Signed, d.Signed)
		s.mail = &d
	}
	s.mu.Unlock()
	token(s.kick)
}

// Answer answers the question of a router, and of its group.
func (s *Session) Answer(a Answer) {
	s.mu.Lock()
	s.answers = append(s.answers, a)
	s.mu.Unlock()
	token(s.kick)
}

// Changed receives a token when a router has changed its state.
func (s *Session) Changed() <-chan struct{} { return s.changed }

// query has the loop call f, and waits for that, unless the loop has ended.
func (s *Session) query(f func(now time.Time)) {
	answered := make(chan struct{})
	select {
	case s.queries <- func(now time.Time) { f(now); close(answered) }:
		<-answered
	case <-s.done:
	}
}

// Responds reports whether the loop, which runs, comes round within a time.
func (s *Session) Responds(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case s.queries <- func(time.Time) {}:
		return true
	case <-s.done:
	case <-timer.C:
	}
	return false
}

// Static returns how what is kept without a router stands; nil: there is nothing.
func (s *Session) Static() *StaticStatus { return s.worker.static() }

// Unclaimed returns how many packets came for virtual routers that are not
// configured here.
func (s *Session) Unclaimed() uint64 { return s.unclaimed.Load() }

// Signed returns the last sequence of all that routers have signed with whose replays are
// told by their order, in this Session or before it; zero: there is none.
func (s *Session) Signed() Sequence { return Sequence(s.signed.Load()) }

// signedWith notes a sequence that may have been signed with.
func (s *Session) signedWith(seq Sequence) { s.signed.Store(uint64(latest(s.Signed(), seq))) }
