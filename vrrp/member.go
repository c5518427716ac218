package vrrp

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"
)

// minLifetime is the shortest lifetime of a leased address: the kernel looks
// for expired ones at intervals of some seconds.
const minLifetime = 4 * time.Second

// A memberKey is the identity of a router on the network: whoever keeps it
// keeps the role.
type memberKey struct {
	Port
	vrid uint8
}

// A member is one router of a Session.
type member struct {
	key      memberKey
	config   Config
	router   *Router
	source   netip.Addr
	seen     bool    // its interface was looked at
	verdict  verdict // of its conditions, as last told to the router
	stopping bool
	removed  bool   // from the configuration
	handing  bool   // it was Master when it was stopped, and waits for another one
	silent   string // why adverts cannot be sent, as last reported
	deadline time.Time
	// resumeAt is when it has listened long enough to resume as Master.
	resumeAt time.Time
}

func keyOf(c *Config) memberKey {
	return memberKey{Port{c.Interface, c.Family()}, c.VRID}
}

// addresses are the ones that the router moves, those not advertised included.
func (m *member) addresses() []InterfaceAddress {
	all := make([]InterfaceAddress, 0, len(m.config.Addresses)+len(m.config.Extra))
	for _, p := range m.config.Addresses {
		all = append(all, InterfaceAddress{m.config.Interface, p})
	}
	return append(all, m.config.Extra...)
}

// lifetime is how long an address outlives the last renewal; zero: for ever.
func (m *member) lifetime() time.Duration {
	if !m.config.Lease {
		return 0
	}
	return max(minLifetime, 2*m.router.masterDown())
}

// receive hands a packet to the router that it is for.
func (s *Session) receive(now time.Time, p Packet) {
	id, _ := VRID(p.Payload)
	m := s.members[memberKey{p.Port, id}]
	if m == nil {
		s.stray(now, p)
		return
	}
	s.do(now, m, m.router.Receive(now, p))
}

// stray counts a packet that is for no router here, and shows it to those that
// might have been meant; to none while they leave one after the other.
func (s *Session) stray(now time.Time, p Packet) {
	s.unclaimed.Add(1)
	ad, err := Decode(p.Payload, p.Src, p.Dst, p.TTL)
	if err != nil || s.ending != Running {
		return
	}
	for key, m := range s.members {
		if key.Port == p.Port {
			s.do(now, m, m.router.Dispute(now, p.Src, ad))
		}
	}
}

// do executes what a router asks for, in order.
func (s *Session) do(now time.Time, m *member, acts []Action) {
	for _, a := range acts {
		switch a := a.(type) {
		case Send:
			s.send(now, m, a.Advert)
		case Hold:
			s.worker.hold(m.key, m.config.Name, m.addresses(), m.lifetime())
		case Release:
			s.worker.release(m.key)
		case Announce:
			s.worker.announce(m.key)
		case Transition:
			s.report(Event{At: now, Router: m.config.Name, From: a.From, To: a.To, Text: a.Why,
				Failure: a.To == Initialize && !m.stopping})
			token(s.changed)
		case Note:
			s.tell(now, m, a.Text, true)
		default:
			panic(fmt.Sprintf("vrrp: unhandled action %T", a))
		}
	}
	if m.handing && m.router.Done() {
		m.handing = false
		s.tellSuccessor(now, m)
	}
	s.worker.start()
	m.deadline = m.router.Deadline()
}

func (s *Session) tell(now time.Time, m *member, text string, failure bool) {
	state := m.router.State()
	s.report(Event{At: now, Router: m.config.Name, From: state, To: state, Text: text, Failure: failure})
}

// send sends an advert to the group, or to each peer.
func (s *Session) send(now time.Time, m *member, ad Advert) {
	to := m.config.Peers
	if len(to) == 0 {
		to = []netip.Addr{Group4}
		if m.key.Family == 6 {
			to = []netip.Addr{Group6}
		}
	}
	var failure string
	for _, dst := range to {
		s.payload = ad.Append(s.payload[:0], m.source, dst)
		if err := s.link.Send(m.key.Port, m.source, dst, s.payload); err != nil {
			m.router.sendFailed()
			failure = err.Error()
		}
	}
	if failure != m.silent {
		m.silent = failure
		if failure == "" {
			failure = "adverts can be sent again"
		}
		s.tell(now, m, failure, m.silent != "")
	}
}

// read applies what the loop was told since the last turn.
func (s *Session) read(now time.Time) {
	s.mail.Lock()
	d, resume, how := s.mail.desired, s.mail.resume, s.mail.ending
	s.mail.desired, s.mail.resume = nil, nil
	s.mail.Unlock()
	for _, r := range resume {
		s.resume[r.Router] = r.Before
	}
	if d != nil && how == Running {
		s.apply(now, *d)
	}
	if how == s.ending {
		return
	}
	// A Stop after an Abandon, or the other way round, changes what becomes
	// of addresses that nobody comes for.
	s.ending = how
	for _, m := range s.members {
		s.stop(now, m)
	}
}

// apply starts, updates and stops routers.
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
			m = &member{key: key, config: c, router: NewRouter(c)}
			s.members[key] = m
			continue
		}
		m.stopping, m.removed, m.handing = false, false, false
		changed := !reflect.DeepEqual(m.config, c)
		m.config = c
		if changed {
			s.do(now, m, m.router.Update(now, c))
		}
	}
	for key, m := range s.members {
		if !wanted[key] && !m.stopping {
			m.removed = true
			s.stop(now, m)
		}
	}
	s.listen()
	s.interfaces = nil // Look again, with the new configuration.
}

// listen opens the sockets of the routers that run or are handing over.
func (s *Session) listen() {
	ports := make([]Port, 0, len(s.members))
	for key := range s.members {
		ports = append(ports, key.Port)
	}
	s.link.Listen(ports)
}

func (s *Session) stop(now time.Time, m *member) {
	m.stopping, m.handing = true, m.handing || m.router.State() == Master
	// The next start adopts no addresses of a router that it does not know.
	how := s.ending
	if m.removed {
		how = Stopped
	}
	s.do(now, m, m.router.End(now, how))
}

// bury forgets routers that have stopped.
func (s *Session) bury() {
	gone := false
	for key, m := range s.members {
		if !m.stopping || !m.router.Done() {
			continue
		}
		if s.ending == Abandoned && !m.router.TakenOver() {
			s.worker.keep(key)
			s.worker.start()
		}
		s.worker.forget(key)
		delete(s.members, key)
		gone = true
	}
	if gone {
		s.listen()
	}
}

// tellSuccessor tells how a hand-over has ended.
func (s *Session) tellSuccessor(now time.Time, m *member) {
	switch {
	case m.router.TakenOver():
		s.tell(now, m, fmt.Sprintf("taken over by %s", m.router.election.master), false)
	case s.ending == Abandoned && !m.removed:
		s.tell(now, m, "no other director was heard to take over: the addresses are left", true)
	default:
		s.tell(now, m, fmt.Sprintf("no other director was heard to take over virtual router id %d", m.key.vrid), true)
	}
}

// look tells the routers what has become of their interfaces.
func (s *Session) look(now time.Time) {
	seen := s.link.Interfaces()
	if seen == s.interfaces || seen.ByName == nil {
		return
	}
	s.interfaces = seen
	s.present = make(map[InterfaceAddress]bool)
	for name, i := range seen.ByName {
		for _, p := range i.Addresses {
			s.present[InterfaceAddress{name, p}] = true
		}
	}
	virtual := s.virtual()
	for _, m := range s.members {
		s.evaluate(now, m, virtual)
	}
	s.auditAt = now.Add(auditAfter)
}

// virtual are the addresses that move: no advert comes from one.
func (s *Session) virtual() map[netip.Addr]bool {
	virtual := make(map[netip.Addr]bool)
	for _, m := range s.members {
		for _, a := range m.addresses() {
			virtual[a.Prefix.Addr()] = true
		}
	}
	return virtual
}

// evaluate starts a router that can run, and faults one that cannot.
func (s *Session) evaluate(now time.Time, m *member, virtual map[netip.Addr]bool) {
	port, known := s.interfaces.Ports[m.key.Port]
	if !known {
		return // The socket is being opened.
	}
	if !m.seen {
		m.seen = true
		s.adopt(m)
	}
	was := m.verdict
	m.verdict = judge(slices.Concat(s.ownConditions(m, port, virtual), s.conditions))
	s.do(now, m, m.router.Penalize(now, m.verdict.penalty))
	f, idle := m.verdict.fault, m.stopping || m.router.State() == Initialize
	switch {
	case f != nil && !(f.given && idle):
		if f.Reason != was.reason() {
			s.standBack(now, m)
		}
	case m.stopping || m.router.State() != Initialize:
	default:
		m.router.Wait(now, m.verdict.reason())
		if f == nil {
			s.begin(now, m)
		} else if was.fault != nil && !was.fault.given {
			s.tell(now, m, "no longer: "+was.reason(), false)
			token(s.changed)
		}
	}
}

// begin starts a router that can run. One that the keeper before this one left
// as Master is Master again, if there is time to listen first whether somebody
// took over meanwhile: what is known of that keeper's end may be old.
func (s *Session) begin(now time.Time, m *member) {
	before, resumes := s.resume[m.config.Name]
	if resumes && m.resumeAt.IsZero() {
		m.resumeAt = now.Add(m.config.Interval + m.config.Interval/8)
	}
	switch {
	case resumes && m.resumeAt.Before(before) && now.Before(m.resumeAt):
		m.router.Wait(now, "listening for another Master before it resumes")
		return
	case resumes && now.Before(before) && !now.Before(m.resumeAt):
		s.do(now, m, m.router.Resume(now, m.source))
	default:
		s.do(now, m, m.router.Startup(now, m.source))
	}
	m.resumeAt = time.Time{}
	delete(s.resume, m.config.Name)
}

// standBack tells a router why it cannot run. One that runs tells the log with
// its transition; for one that does not, it is told here: one line for a change
// of the reason, which only a change of an interface brings about.
func (s *Session) standBack(now time.Time, m *member) {
	idle := m.router.State() == Initialize && !m.stopping
	f := m.verdict.fault
	s.do(now, m, m.router.Fault(now, f.Reason, f.Silent))
	if idle {
		s.tell(now, m, "cannot start: "+f.Reason, true)
		token(s.changed)
	}
}

// adopt takes over addresses that an earlier process left.
func (s *Session) adopt(m *member) {
	addrs := m.addresses()
	if slices.ContainsFunc(addrs, func(a InterfaceAddress) bool { return s.present[a] }) {
		m.router.Adopt()
		s.worker.adopt(m.key, m.config.Name, addrs)
	}
}

// ownConditions are those of a router that the interfaces decide: first what
// it needs to be heard, of which one thing that fails hides the rest, then the
// interfaces that it tracks.
func (s *Session) ownConditions(m *member, port string, virtual map[netip.Addr]bool) []Condition {
	own := s.interfaces.ByName[m.key.Interface]
	all := make([]Condition, 0, 1+len(m.config.Track))
	switch source, why := choose(&m.config, own, m.source, virtual); {
	case port != "":
		all = append(all, Condition{Name: "socket", Reason: port, Silent: true})
	case !own.Up:
		all = append(all, Condition{Name: "interface " + m.key.Interface, Reason: fmt.Sprintf("interface %s is down", m.key.Interface), Silent: true})
	case why != "":
		all = append(all, Condition{Name: "source address", Reason: why, Silent: true})
	case source != m.source:
		m.source = source
		m.router.sendFrom(source)
	}
	for _, name := range m.config.Track {
		i, ok := s.interfaces.ByName[name]
		c := Condition{Name: "interface " + name, OK: i.Up, Reason: fmt.Sprintf("interface %s is down", name)}
		if !ok {
			c.Reason = fmt.Sprintf("interface %s does not exist", name)
		}
		all = append(all, c)
	}
	return all
}

// choose says where adverts come from: the configured source, the one in use
// as long as it is there, or the first address that is not virtual (RFC 9568
// sections 5.1.1.1 and 5.1.2.1).
func choose(c *Config, i Interface, current netip.Addr, virtual map[netip.Addr]bool) (source netip.Addr, why string) {
	own := make([]netip.Addr, 0, len(i.Addresses))
	for _, p := range i.Addresses {
		a := p.Addr()
		if a.Is4() == (c.Family() == 4) && !virtual[a] && (a.Is4() || a.IsLinkLocalUnicast() || a == c.Source) {
			own = append(own, a)
		}
	}
	switch {
	case c.Source.IsValid() && slices.Contains(own, c.Source):
		return c.Source, ""
	case c.Source.IsValid():
		return netip.Addr{}, fmt.Sprintf("the source %s is not an address of interface %s", c.Source, c.Interface)
	case slices.Contains(own, current):
		return current, ""
	case len(own) > 0:
		return own[0], ""
	case c.Family() == 6:
		return netip.Addr{}, fmt.Sprintf("interface %s has no link-local IPv6 address to send adverts from", c.Interface)
	default:
		return netip.Addr{}, fmt.Sprintf("interface %s has no IPv4 address of its own to send adverts from", c.Interface)
	}
}

// audit has addresses restored that are held and missing.
func (s *Session) audit(now time.Time) {
	if !due(s.auditAt, now) {
		return
	}
	s.auditAt = time.Time{}
	s.worker.audit(s.present)
}

// statuses are the routers as they stand, ordered by name.
func (s *Session) statuses() []Status {
	all := make([]Status, 0, len(s.members))
	for _, m := range s.members {
		st := m.router.Status()
		st.Held = 0
		for _, a := range m.addresses() {
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
