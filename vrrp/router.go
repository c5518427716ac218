package vrrp

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// A Router is the state machine of one virtual router (RFC 9568 section 6.4).
// It is a value in memory: it reads no clock, opens no socket and starts
// nothing. Its methods take the time and return the work to do, in order.
// It is not safe for concurrent use.
//
// Whoever runs it calls Expire when Deadline has come, and reads what has
// arrived into Receive before that where both are due.
type Router struct {
	c      Config
	source netip.Addr // of our adverts
	// penalty is what the priority falls by for conditions that are not met.
	penalty int

	state State
	since time.Time
	fault string // why we are in Initialize

	// master is whom we heard last as Master while Backup.
	master         netip.Addr
	masterPriority uint8
	masterInterval time.Duration // Master_Adver_Interval
	leaving        bool          // it said so
	heardAt        time.Time     // its last advert but that
	form           Checksum      // of our version 3 adverts over IPv4

	// Timers; zero: not running.
	masterDownAt time.Time // Backup: Master_Down_Timer
	preemptAt    time.Time // Backup: the end of the preemption delay
	adverAt      time.Time // Master: Adver_Timer, or the end of listening
	announceAt   time.Time // Master: the next announcement
	soonAt       time.Time // Master: the second announcement, beside those
	releaseAt    time.Time // not Master: when held addresses are let go

	sentAt      time.Time // our last advert
	announcedAt time.Time
	answers     int // adverts since Adver_Timer ended last
	// rivalSince is since when another Master is heard, rivalAt when it was last.
	rivalSince, rivalAt time.Time
	// listensSince is since when this router has listened in Initialize and heard
	// nobody; zero: it could not listen, or heard somebody.
	listensSince time.Time
	// listening says that we woke up too late: a Master that does not know
	// whether it still is the only one, a Backup that may have a Master.
	listening bool

	// held says that addresses are on our interfaces.
	held bool
	// stopping says that Initialize is final; leave, that the addresses stay
	// where nobody takes over; takenOver, that somebody did.
	stopping, leave, takenOver bool

	counters Counters
	noted    map[Reason]time.Time
}

// NewRouter returns a Router in Initialize. The configuration has been
// validated.
func NewRouter(c Config) *Router {
	return &Router{
		c:     c,
		fault: "not started yet",
		counters: Counters{
			Discarded:  zeros(discardReasons[:]),
			Mismatched: zeros(mismatchReasons[:]),
		},
		noted: make(map[Reason]time.Time),
	}
}

// zeros lets each counter be there before its first event.
func zeros(reasons []Reason) map[Reason]uint64 {
	counts := make(map[Reason]uint64, len(reasons))
	for _, r := range reasons {
		counts[r] = 0
	}
	return counts
}

// Adopt tells, before Startup, that the addresses are on the interfaces
// already: an earlier keeper left them because nobody took over. They stay
// until another Master is heard, or this router becomes Master itself.
func (r *Router) Adopt() {
	if r.state == Initialize {
		r.held = true
	}
}

// Startup leaves Initialize (RFC 9568 section 6.4.1); source is where our
// adverts come from. In another state it does nothing. It also ends a
// hand-over under way: addresses still held stay as after Adopt.
func (r *Router) Startup(now time.Time, source netip.Addr) []Action {
	if r.state != Initialize {
		return nil
	}
	r.start(source)
	if r.priority() == ownerPriority {
		return r.becomeMaster(now, "started, owns the addresses")
	}
	r.masterInterval = r.c.Interval
	r.masterDownAt = now.Add(r.masterDown())
	if listens := r.listensSince; !listens.IsZero() {
		// What was not heard since then counts: the timer is there to hear a
		// Master. The skew keeps the order of those that start together.
		r.masterDownAt = later(listens.Add(r.masterDown()), now.Add(r.skew()))
	}
	return r.enter(now, Backup, "started")
}

// Wait tells, in Initialize, that the router could run and hears adverts, but
// what it waits for in an operator's words. The time until Startup counts
// towards Master_Down_Timer then, unless an advert is heard or the router
// cannot run in between.
func (r *Router) Wait(now time.Time, reason string) {
	if r.state != Initialize {
		return
	}
	r.fault = reason
	if r.listensSince.IsZero() {
		r.listensSince = now
	}
}

// Resume leaves Initialize for Master at once. It is for a keeper that was
// replaced while Master, sooner than a peer's patience ends. Where another
// Master was heard already it is a Startup.
func (r *Router) Resume(now time.Time, source netip.Addr) []Action {
	if r.state != Initialize || r.takenOver {
		return r.Startup(now, source)
	}
	r.start(source)
	return r.becomeMaster(now, "resumed as Master")
}

func (r *Router) start(source netip.Addr) {
	r.source = plain(source)
	r.fault = ""
	// A hand-over that nobody answered yet is called off; one that somebody
	// did goes on.
	if !r.takenOver {
		r.releaseAt = time.Time{}
	}
	r.stopping, r.leave, r.takenOver = false, false, false
	r.master, r.masterPriority, r.leaving = netip.Addr{}, 0, false
}

// Stop ends the router for good (RFC 9568 sections 6.4.2 and 6.4.3,
// Shutdown). A Master says so once and keeps the addresses until Overlap
// after its successor's first advert, or for four intervals where none comes.
// Go on calling Receive and Expire until Done.
func (r *Router) Stop(now time.Time) []Action {
	r.leave = false
	return r.shutdown(now, "stopped", "stopping")
}

// Abandon is Stop for a router whose director is gone: where nobody takes
// over, the addresses are left where they are, for the next start to adopt.
// After a Stop that is still under way it changes no more than that.
func (r *Router) Abandon(now time.Time) []Action {
	r.leave = true
	return r.shutdown(now, "abandoned by its director", "abandoned by its director")
}

func (r *Router) shutdown(now time.Time, why, fault string) []Action {
	r.stopping = true
	acts := r.standBack(now, why)
	r.fault = fault
	return acts
}

// Done tells that a stopped router has nothing left to do.
func (r *Router) Done() bool {
	return r.stopping && r.state == Initialize && r.releaseAt.IsZero()
}

// TakenOver tells whether another Master was heard since this router was
// stopped, abandoned or faulted.
func (r *Router) TakenOver() bool { return r.takenOver }

// Fault puts the router into Initialize until Startup, for a reason in an
// operator's words: "interface eth1 is down". A Master hands over as in Stop
// where its adverts can be heard; with silent, because it lost the very link
// that they go out by, it lets the addresses go at once. In Initialize a
// Fault renews the reason.
func (r *Router) Fault(now time.Time, reason string, silent bool) []Action {
	r.listensSince = time.Time{}
	var acts []Action
	if silent {
		acts = r.fallSilent(now, reason)
	} else if r.state != Initialize {
		acts = r.standBack(now, reason)
	}
	if !r.stopping {
		r.fault = reason
	}
	return acts
}

// standBack goes to Initialize, handing over as a Master.
func (r *Router) standBack(now time.Time, why string) []Action {
	var acts []Action
	switch r.state {
	case Master:
		r.takenOver = false
		r.releaseAt = now.Add(handoverIntervals * r.c.Interval)
		acts = append(acts, r.send(now, 0))
	case Backup:
		r.takenOver = r.master.IsValid()
	}
	if r.state != Initialize {
		acts = append(acts, r.enter(now, Initialize, why)...)
	}
	// Addresses that were adopted, and nobody known to hand them to.
	if r.held && r.releaseAt.IsZero() && !r.leave {
		acts = append(acts, r.release())
	}
	return acts
}

// fallSilent goes to Initialize where nobody can hear us any more.
func (r *Router) fallSilent(now time.Time, why string) []Action {
	var acts []Action
	if r.held {
		acts = append(acts, r.release())
	}
	if r.state == Initialize {
		return acts
	}
	r.takenOver = false
	return append(acts, r.enter(now, Initialize, why)...)
}

// Update puts a changed configuration in force without losing the role.
// Name, Interface, VRID and the family do not change in place: stop this
// router and start another.
func (r *Router) Update(now time.Time, c Config) []Action {
	clear(r.noted)
	if c.Source.IsValid() {
		r.source = plain(c.Source)
	}
	return r.change(now, c, r.penalty)
}

// Penalize lowers the priority by a penalty, in place of the one before it.
func (r *Router) Penalize(now time.Time, penalty int) []Action {
	if penalty == r.penalty {
		return nil
	}
	return r.change(now, r.c, penalty)
}

func (r *Router) change(now time.Time, c Config, penalty int) []Action {
	var acts []Action
	if r.state == Master && r.stalled(now) {
		acts = r.hush(now)
	}
	old, was := r.c, r.priority()
	r.c, r.penalty = c, penalty
	moved := !slices.Equal(old.Addresses, c.Addresses) || !slices.Equal(old.Extra, c.Extra)
	told := moved || was != r.priority() || old.Interval != c.Interval || old.Version != c.Version
	switch {
	case r.state == Master:
		acts = append(acts, r.updateMaster(now, moved, told)...)
	case r.state == Backup:
		r.updateBackup(now, old)
	}
	return acts
}

// updateMaster lets the backups know at once. While listening it says
// nothing: the advert that ends it will.
func (r *Router) updateMaster(now time.Time, moved, told bool) []Action {
	r.master, r.masterPriority = r.source, r.priority()
	r.masterInterval = r.c.Interval
	var acts []Action
	if told && !r.listening {
		acts = append(acts, r.send(now, r.priority()))
		r.adverAt = now.Add(r.c.Interval)
	}
	if moved {
		acts = append(acts, Hold{})
	}
	if moved && !r.listening {
		acts = append(acts, r.announce(now))
		r.announceAgain(now)
	}
	return acts
}

// updateBackup keeps the timer where it is, or makes it end sooner: a Master
// that is overdue stays so.
func (r *Router) updateBackup(now time.Time, old Config) {
	if !r.c.Preempt || r.c.PreemptDelay != old.PreemptDelay {
		r.preemptAt = time.Time{}
	}
	if !r.master.IsValid() {
		r.masterInterval = r.c.Interval
	}
	if at := now.Add(r.masterDown()); at.Before(r.masterDownAt) {
		r.masterDownAt = at
	}
	// Who was about to preempt this Master, and shall follow it from now on,
	// counts from its last advert.
	if r.master.IsValid() && !r.leaving && r.follows(r.masterPriority) {
		r.masterDownAt = later(r.masterDownAt, r.heardAt.Add(r.masterDown()))
	}
}

// priority is the one that counts: as configured, less the penalty.
func (r *Router) priority() uint8 { return effective(r.c.Priority, r.penalty) }

// State returns the state that the router is in.
func (r *Router) State() State { return r.state }

// Holding tells whether the router wants its addresses on the interfaces, or
// is still answering for them.
func (r *Router) Holding() bool { return r.held }

// Status returns the router as it stands. Held counts all addresses or none:
// only the edge knows what is really there.
func (r *Router) Status() Status {
	s := Status{
		Name:           r.c.Name,
		Interface:      r.c.Interface,
		VRID:           r.c.VRID,
		Version:        r.c.Version,
		State:          r.state,
		Since:          r.since,
		Priority:       r.priority(),
		Interval:       r.c.Interval,
		Fault:          r.fault,
		Master:         r.master,
		MasterPriority: r.masterPriority,
		Addresses:      slices.Clone(r.c.Addresses),
		Counters:       r.counters,
	}
	for _, e := range r.c.Extra {
		s.Addresses = append(s.Addresses, e.Prefix)
	}
	if r.held {
		s.Held = len(s.Addresses)
	}
	s.Counters.Discarded = maps.Clone(r.counters.Discarded)
	s.Counters.Mismatched = maps.Clone(r.counters.Mismatched)
	return s
}

// becomeMaster sends the advert first: it is what stops the other backups,
// and addresses may take their time.
func (r *Router) becomeMaster(now time.Time, why string) []Action {
	acts := []Action{r.send(now, r.priority()), Hold{}, r.announce(now)}
	r.held = true
	acts = append(acts, r.enter(now, Master, why)...)
	r.adverAt = now.Add(r.c.Interval)
	r.announceAgain(now)
	r.releaseAt = time.Time{}
	r.master, r.masterPriority = r.source, r.priority()
	r.masterInterval = r.c.Interval
	return acts
}

// enter changes the state and stops the timers of the old one; the one that
// lets addresses go belongs to all states but Master.
func (r *Router) enter(now time.Time, to State, why string) []Action {
	from := r.state
	r.state, r.since = to, now
	r.listensSince = time.Time{}
	r.listening, r.answers = false, 0
	r.adverAt, r.announceAt, r.soonAt = time.Time{}, time.Time{}, time.Time{}
	if to != Backup {
		r.masterDownAt, r.preemptAt = time.Time{}, time.Time{}
	}
	if to == Master {
		r.counters.BecameMaster++
	}
	if from == Master {
		r.counters.LeftMaster++
		r.master, r.masterPriority = netip.Addr{}, 0
	}
	return []Action{Transition{From: from, To: to, Why: why}}
}

func (r *Router) release() Action {
	r.held = false
	r.releaseAt = time.Time{}
	return Release{}
}

func (r *Router) announce(now time.Time) Action {
	r.announcedAt = now
	return Announce{}
}

func (r *Router) send(now time.Time, priority uint8) Action {
	r.sentAt = now
	r.counters.AdvertsSent++
	if priority == 0 {
		r.counters.PriorityZeroSent++
	}
	return Send{Advert{
		Version:   r.c.Version,
		VRID:      r.c.VRID,
		Priority:  priority,
		Interval:  r.c.Interval,
		Addresses: r.addresses(),
		Checksum:  r.form,
	}}
}

// sendFrom moves our adverts to another source address.
func (r *Router) sendFrom(source netip.Addr) {
	r.source = plain(source)
	if r.state == Master {
		r.master = r.source
	}
}

// sendFailed counts an advert that the kernel refused.
func (r *Router) sendFailed() { r.counters.SendErrors++ }

// addresses are the ones that are advertised.
func (r *Router) addresses() []netip.Addr {
	addrs := make([]netip.Addr, 0, len(r.c.Addresses))
	for _, p := range r.c.Addresses {
		addrs = append(addrs, p.Addr())
	}
	return addrs
}

// plain removes what makes equal addresses differ: the zone of a link-local
// address and the mapping of IPv4 into IPv6.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// note returns a Note unless the same kind was noted a short while ago.
func (r *Router) note(now time.Time, kind Reason, format string, args ...any) []Action {
	if at, ok := r.noted[kind]; ok && now.Sub(at) < noteEvery {
		return nil
	}
	r.noted[kind] = now
	return []Action{Note{fmt.Sprintf(format, args...)}}
}
