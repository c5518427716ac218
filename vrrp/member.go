package vrrp

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"
)

// receive hands a packet to the router that it is for.
func (s *Session) receive(now time.Time, p Packet) {
	id, _ := VRID(p.Payload)
	if m := s.members[routerKey{p.Port, id}]; m != nil {
		before := m.router.guard.address
		s.do(now, m, m.router.Receive(now, p))
		s.rewatch = s.rewatch || m.router.guard.address != before
		return
	}
	s.unclaimed.Add(1)
	ad, err := Decode(p.Payload, p.Src, p.Dst)
	if err != nil || p.TTL != TTL || s.ending != Running {
		return // While they leave one after the other, none is meant.
	}
	disputed := make(map[*member]bool)
	for _, a := range ad.Addresses {
		advertises := func(m *member) bool { return m.key.Port == p.Port && slices.Contains(m.router.addresses, a) }
		if m := s.owner(a, advertises); m != nil && !disputed[m] {
			disputed[m] = true
			s.do(now, m, m.router.Dispute(now, p.Src, ad, a))
		}
	}
}

// watch has the link look at who else has the addresses that the routers ask for.
func (s *Session) watch() {
	if !s.rewatch {
		return
	}
	s.rewatch = false
	wanted := make(map[string][]netip.Addr)
	for _, m := range s.members {
		for _, a := range m.router.watched() {
			wanted[a.Interface] = append(wanted[a.Interface], a.Address)
		}
	}
	for _, all := range wanted {
		slices.SortFunc(all, netip.Addr.Compare)
	}
	s.link.Watch(wanted)
}

// claimed hands the word of somebody else who has an address to its router.
func (s *Session) claimed(now time.Time, c Claim) {
	watches := func(m *member) bool { return slices.Contains(m.router.watched(), Ask{c.Interface, c.Address}) }
	if m := s.owner(c.Address, watches); m != nil {
		s.do(now, m, m.router.Claim(now, c))
	}
}

// do does what a router asks for, in order.
func (s *Session) do(now time.Time, m *member, acts []Action) {
	s.touch(m.group)
	for _, a := range acts {
		switch a := a.(type) {
		case Send:
			s.send(now, m, a)
		case Hold:
			s.worker.set(m.key, m.router.c.Name, a.Holdings, m.own)
			s.rewatch = true
			if a.Holdings.empty() { // What it leaves behind is then somebody else's.
				s.auditAt = earliest(s.auditAt, now.Add(auditAfter))
			}
		case Announce:
			s.worker.announce(m.key, m.router.c.Announce)
		case Ask:
			s.do(now, m, m.router.Asked(now, a, s.ask(m, a)))
		case Event:
			s.report(a)
			m.changed = true
			if a.Changed() {
				token(s.changed)
			}
		default:
			panic(fmt.Sprintf("vrrp: unhandled action %T", a))
		}
	}
}

// ask puts a question, where somebody could hear it.
func (s *Session) ask(m *member, a Ask) error {
	if m.unheard != "" && a.Interface == m.key.Interface {
		return nil
	}
	return s.link.Ask(a)
}

// send sends an advert to the group, or to each peer.
func (s *Session) send(now time.Time, m *member, ad Send) {
	c, source := &m.router.c, m.router.source
	if c.Authentication.byOrder() {
		s.signedWith(ad.Sequence)
	}
	to := c.Peers
	if len(to) == 0 {
		to = []netip.Addr{c.group()}
	}
	var failure string
	if m.unheard != "" {
		to = nil
	}
	for _, dst := range to {
		if dst == source {
			continue // The same list of peers is on all directors.
		}
		s.payload = m.router.Encode(s.payload[:0], ad, dst)
		if err := s.emit(m, Packet{Port: m.key.Port, Src: source, Dst: dst, TTL: c.ttl(), Payload: s.payload}); err != nil {
			m.router.counters.SendErrors++
			failure = err.Error()
		}
	}
	switch {
	case failure == m.unsent:
	case failure == "":
		s.report(m.router.event(now, AdvertsSent, slog.LevelInfo, "adverts can be sent again"))
	default:
		s.report(m.router.event(now, AdvertsUnsent, slog.LevelWarn, "adverts cannot be sent, so another director may become Master as well: %s", failure))
	}
	m.unsent = failure
}

// emit sends a packet from the virtual MAC, if the router has one, its device is up, and
// the packet is for a group: a switch learns from it where that MAC is (RFC 9568 section
// 7.3). The first advert of a Master comes before that, from the interface.
func (s *Session) emit(m *member, p Packet) error {
	device, virtual := m.router.c.device()
	if virtual && !m.router.c.VirtualMAC.AdvertsFromInterface && p.Dst.IsMulticast() && s.interfaces != nil && s.interfaces.ByName[device.Interface].Up {
		from := p
		from.Port = device
		if s.link.Send(from) == nil {
			return nil // Otherwise it has just gone down.
		}
	}
	return s.link.Send(p)
}
