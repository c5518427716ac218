package vrrp

import (
	"fmt"
	"log/slog"
	"net/netip"
	"time"
)

// A Router is the state machine of one virtual router (RFC 9568 section 6.4).
// It is a value in memory: it reads no clock, opens no socket and starts
// nothing. Its methods take the time and return the work to do, in order.
// It is not safe for concurrent use.
//
// Whoever runs it calls Expire when Deadline has come, and reads what has
// arrived into Receive before that where both are due.
//
// It is composed of parts that each know one thing and keep its timers. What
// the router does in each state of the RFC is in backup.go and master.go.
type Router struct {
	// c is the configuration in force: as given, with the priority changed by the
	// effect of conditions.
	c        Config
	priority uint8 // as given
	effect   int
	source   netip.Addr // of our adverts
	// addresses are those of c that are advertised. They are replaced, and never changed.
	addresses []netip.Addr
	// networks are those of the interface, with its own addresses there.
	networks []netip.Prefix

	state State
	since time.Time
	led   bool   // it becomes Master only when it is told to
	fault string // why it is in Initialize

	election      election
	adverts       adverts
	announcements announcements
	handover      handover
	offering      offering
	entering      clearing
	leaving       *departure // nil: it does not wait to leave
	stall         stall
	rivals        rivals
	seniority     seniority
	guard         guard
	claims        claims
	dispute       dispute
	unasked       string // why it could not ask who has its addresses
	peers         peers
	seals         seals
	timing        timing

	counters Counters
	senders  map[Reason]netip.Addr // of what was counted last, by reason
	noted    map[string]time.Time
}

// NewRouter returns a Router in Initialize. The configuration has been
// validated.
func NewRouter(c Config) *Router {
	r := &Router{
		c:        c,
		priority: c.Priority,
		state:    Initialize,
		fault:    "not started yet",
	}
	r.addresses = addressesOf(&r.c)
	r.seals.use(&r.c.Authentication)
	return r
}

// given is the configuration as it was given.
func (r *Router) given() Config {
	c := r.c
	c.Priority = r.priority
	return c
}

// count counts a packet by its reason. Most routers never do.
func (r *Router) count(by *map[Reason]uint64, reason Reason, src netip.Addr) {
	if *by == nil {
		*by = make(map[Reason]uint64)
	}
	if r.senders == nil {
		r.senders = make(map[Reason]netip.Addr)
	}
	(*by)[reason]++
	r.senders[reason] = src
}

// Adverts are when a Master advertises, and in which form.
type adverts struct {
	nextAt  time.Time // Adver_Timer, or the end of listening after a stall
	sentAt  time.Time // the last one
	answers int       // sent at once since Adver_Timer ended last
	// plainSum is the form of the checksum that was heard last.
	plainSum bool
}

// enter changes the state and stops the timers of the old one; the one that
// releases addresses belongs to all states but Master.
func (r *Router) enter(now time.Time, to State, code, why string) Action {
	level := slog.LevelInfo
	if code == StoodBack {
		level = slog.LevelWarn
	}
	e := r.event(now, code, level, "%s", why)
	e.To = to
	r.state, r.since = to, now
	r.election.quietSince = time.Time{}
	r.stall.listening, r.seniority.yielding = false, false
	r.adverts.nextAt, r.adverts.answers = time.Time{}, 0
	r.announcements.stop()
	r.offering.end(Interrupted)
	if r.leaving != nil && r.leaving.order.Number != 0 {
		r.offering.last.Outcome = Interrupted
	}
	r.entering, r.leaving = clearing{}, nil
	r.guard.end()
	r.claims, r.unasked = claims{}, ""
	if to != Backup {
		r.election.stop()
	}
	if to == Master {
		r.counters.BecameMaster++
	}
	if e.From == Master {
		r.counters.LeftMaster++
		r.election.know(netip.Addr{}, 0)
	}
	return e
}

// event returns an event of this router.
func (r *Router) event(now time.Time, code string, level slog.Level, format string, args ...any) Event {
	return Event{At: now, Code: code, Level: level, Router: r.c.Name, From: r.state, To: r.state, Text: fmt.Sprintf(format, args...)}
}

// noteEvery bounds how often a Router notes the same thing.
const noteEvery = time.Hour

// note returns an event for an operator to look at, unless there was one of the
// same kind, and about the same thing, a short while ago.
func (r *Router) note(now time.Time, code string, about Reason, format string, args ...any) []Action {
	if !r.news(now, code+string(about), noteEvery) {
		return nil
	}
	return []Action{r.event(now, code, slog.LevelWarn, format, args...)}
}

// news reports whether nothing of a kind was noted for so long, and notes it.
func (r *Router) news(now time.Time, kind string, every time.Duration) bool {
	if at, ok := r.noted[kind]; ok && now.Sub(at) < every {
		return false
	}
	if r.noted == nil {
		r.noted = make(map[string]time.Time)
	}
	r.noted[kind] = now
	return true
}

// stalled counts a stall and notes it.
func (r *Router) stalled(now time.Time, late time.Duration) []Action {
	r.counters.Stalls++
	return r.note(now, Stalled, "", "woke up %s late, and listens before it acts as Master: check whether this machine is overloaded or was suspended",
		late.Round(time.Millisecond))
}

// holdings are what the router wants as Master.
func (r *Router) holdings() Holdings { return r.c.Holdings() }

func (r *Router) send(now time.Time, priority uint8) Action {
	r.adverts.sentAt = now
	r.counters.AdvertsSent++
	if priority == 0 {
		r.counters.PriorityZeroSent++
	}
	s := Send{Advert: Advert{
		Version:       r.c.Version,
		VRID:          r.c.VRID,
		Priority:      priority,
		Interval:      r.c.Interval,
		Addresses:     r.addresses,
		Password:      r.c.Authentication.password(),
		PlainChecksum: r.adverts.plainSum,
	}}
	if a := &r.c.Authentication; a.signs() {
		r.seals.sent = r.seals.sent.next(a.Window, now)
		s.Sequence = r.seals.sent
	}
	return s
}

// SignAfter has a router whose replays are told by their order sign with later sequences
// than this one, as an earlier router of this director may have signed with it. Where the
// clock was set back since, its peers would take the time for a replay.
func (r *Router) SignAfter(last Sequence) {
	if r.c.Authentication.byOrder() {
		r.seals.sent = latest(r.seals.sent, last)
	}
}

// Encode appends the packet that carries an advert of this router to a destination.
// The packets to all destinations have the same sequence.
func (r *Router) Encode(b []byte, s Send, dst netip.Addr) []byte {
	start := len(b)
	b = s.Advert.Append(b, r.source, dst)
	if s.Sequence == 0 {
		return b
	}
	packet := r.seals.sign(b[start:], r.c.Authentication.Signer, s.Sequence, r.source)
	return append(b[:start], packet...)
}

// addressesOf are the ones that are advertised.
func addressesOf(c *Config) []netip.Addr {
	addrs := make([]netip.Addr, 0, len(c.Addresses))
	for _, p := range c.Addresses {
		addrs = append(addrs, p.Addr())
	}
	return addrs
}

// sendFrom moves our adverts to another source address.
func (r *Router) sendFrom(source netip.Addr) {
	r.source = plain(source)
	if r.state == Master {
		r.election.master = r.source
	}
}
