package vrrp

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// inspect evaluates the routers when their interfaces have changed.
func (s *Session) inspect(now time.Time) {
	seen := s.link.Interfaces()
	if seen == s.interfaces || seen.ByName == nil {
		return
	}
	s.interfaces = seen
	s.present = presenceOf(seen.ByName)
	moved, was := make(map[string]bool), s.hardware
	s.hardware = make(map[string]string)
	for name, i := range seen.ByName {
		s.hardware[name] = i.Hardware
		moved[name] = was[name] != "" && was[name] != i.Hardware
	}
	configured := s.configured()
	for _, m := range s.members {
		was := m.own
		m.findOwn(seen.ByName[m.key.Interface], configured)
		if m.own != was && configured[was] && m.router.State() == Initialize && !m.router.Holding() {
			m.inspected = false // It was found at the start, and is not the own one after all.
		}
	}
	s.apart = nil
	for _, g := range s.groups {
		s.evaluate(now, g)
		for _, m := range g.members {
			s.announceMoved(now, m, moved)
		}
	}
	s.auditAt = now.Add(auditAfter)
}

// announceMoved announces what a Master holds again if one of the interfaces has
// another link-layer address: the neighbours still send to the old one.
func (s *Session) announceMoved(now time.Time, m *member, moved map[string]bool) {
	for _, a := range m.router.holdings().Addresses {
		if moved[a.Interface] {
			s.do(now, m, m.router.Reannounce(now, "the hardware address of "+a.Interface+" has changed"))
			return
		}
	}
}

// apartness tells what is virtual: no advert comes from such an address. An owner's own
// address does not move.
func (s *Session) apartness() *apartness {
	if s.apart != nil {
		return s.apart
	}
	s.apart = &apartness{virtual: s.configured(), networks: make(map[string][]netip.Prefix)}
	for _, m := range s.members {
		if m.owner() {
			delete(s.apart.virtual, m.own)
		}
	}
	return s.apart
}

// own are the addresses on an interface that are not virtual, with their networks.
func (a *apartness) own(name string, i Interface) []netip.Prefix {
	all, known := a.networks[name]
	if !known {
		for _, p := range i.Addresses {
			if !a.virtual[p.Addr()] {
				all = append(all, p)
			}
		}
		a.networks[name] = all
	}
	return all
}

// configured are the virtual addresses of all routers.
func (s *Session) configured() map[netip.Addr]bool {
	all := make(map[netip.Addr]bool)
	for _, m := range s.members {
		for _, a := range m.router.holdings().Addresses {
			all[a.Prefix.Addr()] = true
		}
	}
	return all
}

// evaluate judges the conditions of a group's routers: first what each of them
// lacks, and then what that means for all.
func (s *Session) evaluate(now time.Time, g *group) {
	s.touch(g)
	for _, m := range g.members {
		port, known := s.interfaces.Ports[m.key.Port]
		device, made := s.device(m)
		if m.demands = nil; !known || !made {
			continue // The socket is being opened, or the device made.
		}
		if !m.inspected {
			m.inspected = true
			s.adopt(now, m)
		}
		all := append(s.ownConditions(now, m, port, device), demanded(m.router.c.Track, s.conditions)...)
		m.demands = append([]demand{}, m.damp(now, slices.DeleteFunc(all, demand.idle))...)
	}
	for _, m := range g.members {
		m.changed = true
		if m.demands != nil {
			s.decide(now, m)
		}
	}
}

// decide starts a router that can run, and makes one that cannot stand back.
func (s *Session) decide(now time.Time, m *member) {
	was := m.verdict
	m.verdict = judge(slices.Concat(m.demands, m.group.others(m)))
	s.adjust(now, m)
	idle, ending := m.router.State() == Initialize, m.router.handover.ending != Running
	fault := m.verdict.fault
	if fault != "" || ending {
		m.resumeAt = time.Time{} // It listens anew when it can run.
	}
	switch {
	case fault != "" && !(m.verdict.given && (idle || ending)):
		if fault != was.fault {
			s.do(now, m, m.router.Fault(now, fault, m.verdict.silent))
		}
		// One that ran has told it with its transition.
		if fault != was.fault && idle && !ending {
			s.tell(now, m, CannotStart, slog.LevelWarn, "cannot start: "+fault)
		}
		if m.group.silenced() { // Another director takes over there.
			s.do(now, m, m.router.Depart(now))
		}
	case ending || !idle:
		s.do(now, m, m.router.Stay(now))
	case fault != "":
		m.router.Wait(now, fault)
		if was.fault != "" && !was.given {
			s.tell(now, m, Startable, slog.LevelInfo, "resolved: "+was.fault)
		}
	default:
		s.begin(now, m)
	}
}

// device returns why the device of a router's virtual MAC is not there, if it has one,
// and whether that is known.
func (s *Session) device(m *member) (why string, known bool) {
	p, virtual := m.router.c.device()
	if !virtual {
		return "", true
	}
	why, known = s.interfaces.Ports[p]
	return why, known
}

// damp makes what the router tracks what it counts as, and looks again when that
// changes by itself.
func (m *member) damp(now time.Time, demands []demand) []demand {
	var dampers map[string]*damper
	for i := range demands {
		d := &demands[i]
		if d.UpAfter == 0 && d.DownAfter == 0 {
			continue
		}
		of := m.dampers[d.Name]
		if of == nil {
			of = &damper{}
		}
		if dampers == nil {
			dampers = make(map[string]*damper)
		}
		dampers[d.Name] = of
		m.lookAt = earliest(m.lookAt, of.damp(now, d.Track, &d.Condition))
	}
	m.dampers = dampers
	return demands
}

// adjust lets conditions change the priority, and tells why it is another one.
func (s *Session) adjust(now time.Time, m *member) {
	r, v := m.router, &m.verdict
	before := r.c.Priority
	s.do(now, m, r.Adjust(now, v.effect))
	if r.c.Priority == before {
		return
	}
	level, text := slog.LevelInfo, fmt.Sprintf("the priority is %d again, as configured", r.c.Priority)
	if r.c.Priority < r.priority {
		level = slog.LevelWarn
	}
	if r.c.Priority != r.priority {
		text = fmt.Sprintf("the priority is %d: %d as configured, %s", r.c.Priority, r.priority, v.effects())
	}
	e := r.event(now, PriorityChanged, level, "%s", text)
	e.Priority = r.c.Priority
	s.report(e)
	token(s.changed)
}

// tell reports what keeps a router from starting: one line for each change,
// which only a change of an interface brings about.
func (s *Session) tell(now time.Time, m *member, code string, level slog.Level, text string) {
	s.report(m.router.event(now, code, level, "%s", text))
	token(s.changed)
}

// adopt takes over addresses that an earlier process left, or something else that
// did not wait for this director to be Master.
func (s *Session) adopt(now time.Time, m *member) {
	there := Holdings{Addresses: s.found(m)}
	if there.empty() {
		return
	}
	// Its routes and rules may be there as well.
	there = there.with(m.router.holdings().paths())
	m.router.Adopt()
	s.worker.adopt(m.key, m.router.c.Name, there)
	s.report(m.router.event(now, AddressesAdopted, slog.LevelInfo, "adopted what was there at the start, until another Master is heard: %s", Holdings{Addresses: there.Addresses}))
}

// begin starts a router that can run. One that the keeper before this one left
// as Master is Master again, if there is time to listen first whether another
// one took over meanwhile: what is known of that keeper's end may be old.
func (s *Session) begin(now time.Time, m *member) {
	c := &m.router.c
	before, resumes := s.resume[c.Name]
	if resumes && m.resumeAt.IsZero() {
		m.resumeAt = now.Add(c.Interval + c.Interval/8)
	}
	m.router.Wait(now, "listening for another Master before it resumes")
	switch {
	case resumes && m.resumeAt.Before(before) && now.Before(m.resumeAt):
		return
	case resumes && now.Before(before) && !now.Before(m.resumeAt):
		s.do(now, m, m.router.Resume(now, m.router.source))
	default:
		s.do(now, m, m.router.Startup(now, m.router.source))
	}
	m.resumeAt = time.Time{}
	delete(s.resume, c.Name)
}

// ownConditions returns the conditions of a router that depend on interfaces. The
// first is what keeps it from being heard, if anything does; where it lacks
// several things, only one is named. Then come its addresses, and the interfaces
// that it tracks.
func (s *Session) ownConditions(now time.Time, m *member, port, device string) []demand {
	own := s.interfaces.ByName[m.key.Interface]
	m.router.networks = s.apartness().own(m.key.Interface, own)
	m.follow(now, own, s.interfaces.Booted)
	all := []demand{{Condition: m.heard(now, own, port)},
		{Condition: Condition{Name: "virtual MAC", OK: device == "", Reason: device}},
		{Condition: Condition{Name: "accept", OK: !m.router.c.Refuse || s.interfaces.Unrefused == "", Reason: s.interfaces.Unrefused}}, {Condition: s.removable(now, m)}}
	for _, t := range m.router.c.Track {
		name, isInterface := strings.CutPrefix(t.Condition, interfaceCondition)
		if !isInterface {
			continue
		}
		i, ok := s.interfaces.ByName[name]
		c := Condition{Name: t.Condition, OK: i.Up, Reason: fmt.Sprintf("interface %s is down", name)}
		if !ok {
			c.Reason = fmt.Sprintf("interface %s does not exist", name)
		}
		all = append(all, demand{Condition: c, Track: t})
	}
	return all
}

// lookAgain is how soon a condition is judged anew of which no event tells that it
// is met again.
const lookAgain = time.Second

// removable is the condition that what a Master holds can be removed again: another
// director could not take over otherwise.
func (s *Session) removable(now time.Time, m *member) Condition {
	unremovable := s.unremovable()
	for _, a := range m.touched().Addresses {
		if err := unremovable[a]; err != nil {
			m.lookAt = earliest(m.lookAt, now.Add(lookAgain))
			return Condition{Name: "addresses", Reason: err.Error()}
		}
	}
	return Condition{Name: "addresses", OK: true}
}

// unremovable is what of all routers' addresses could not be removed again. The link
// reads the kernel's parameters for that, so it is asked once in a turn.
func (s *Session) unremovable() map[InterfaceAddress]error {
	if s.stuck != nil {
		return s.stuck
	}
	var all Holdings
	for _, m := range s.members {
		all.Addresses = append(all.Addresses, m.touched().Addresses...)
	}
	s.stuck = s.link.Unremovable(all)
	return s.stuck
}

// follow notes when the router's interface came up: the port of a switch may forward
// only some time later. One that is up when it is first seen has been for long, unless
// the machine was started a moment ago. It also notes that there is no carrier, where the
// router runs all the same.
func (m *member) follow(now time.Time, i Interface, booted time.Time) {
	c := &m.router.c
	if i.Up && (m.link == linkDown || m.link == linkUnseen && now.Sub(booted) < c.LinkUpDelay) {
		m.router.LinkUp(now)
	}
	m.link, m.unheard = linkDown, ""
	switch {
	case i.Up:
		m.link = linkUp
	case i.Enabled && c.IgnoreCarrier:
		m.unheard = fmt.Sprintf("interface %s has no carrier", c.Interface)
	}
}

// sourcePatience is how long a router that runs goes on advertising from an address
// that its interface has lost. Whoever configures an interface anew, as DHCP clients
// do, puts one back sooner, and a hand-over would cost all connections.
const sourcePatience = time.Second

// heard is the condition that a router's adverts can be heard. A router that has
// lost only the address to send them from still has the link: it goes on for a
// moment, and then hands over. With peers, whose packets no longer reach it, it lets
// go before they take over by themselves.
func (m *member) heard(now time.Time, i Interface, port string) Condition {
	c, current := &m.router.c, m.router.source
	if c.Source != m.source { // A reload decides anew.
		m.source, current = c.Source, netip.Addr{}
	}
	source, why := choose(c, m.router.networks, current)
	m.lookAt = time.Time{}
	switch {
	case port != "":
		why = port
	case !i.Up && m.unheard == "":
		why = fmt.Sprintf("interface %s is down", c.Interface)
	case why != "":
		return m.lacksSource(now, why)
	case source != m.router.source:
		m.router.sendFrom(source)
	}
	m.sourceless = time.Time{}
	return Condition{Name: "adverts", OK: why == "", Reason: why, Silent: true}
}

// lacksSource is that condition where only the address is missing.
func (m *member) lacksSource(now time.Time, why string) Condition {
	c := Condition{Name: "adverts", Reason: why, Silent: len(m.router.c.Peers) > 0}
	if m.sourceless.IsZero() {
		m.sourceless = now
	}
	until := m.sourceless.Add(sourcePatience)
	if c.Silent {
		until = m.sourceless.Add(min(sourcePatience, 2*m.router.c.Interval))
	}
	if c.OK = m.router.State() != Initialize && now.Before(until); c.OK {
		m.lookAt = until
	}
	return c
}

// choose returns where adverts come from, or why there is no such address: the
// configured source, the one in use as long as it is there, or the first address
// that is not virtual (RFC 9568 sections 5.1.1.1 and 5.1.2.1). Whoever reads that there
// is none may see one with "ip addr": a virtual one, to which the text points.
func choose(c *Config, networks []netip.Prefix, current netip.Addr) (source netip.Addr, why string) {
	own := make([]netip.Addr, 0, len(networks))
	for _, p := range networks {
		a := p.Addr()
		if a.Is4() == (c.Family() == 4) && (a.Is4() || a.IsLinkLocalUnicast() || a == c.Source) {
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
		return netip.Addr{}, fmt.Sprintf("interface %s has no link-local IPv6 address to send adverts from (virtual ones do not count)", c.Interface)
	default:
		return netip.Addr{}, fmt.Sprintf("interface %s has no IPv4 address of its own to send adverts from (virtual ones do not count)", c.Interface)
	}
}
