package sim

import (
	"fmt"
	"maps"
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// A Site is a director with one leg in each of some networks, and a router in each
// of them. It runs the real Session; what that asks the kernel for is not done.
type Site struct {
	Name  string
	group *Group

	number  int
	session *vrrp.Session // nil: it is down
	routers []vrrp.Config
	// states are those of the routers, as the events told.
	states map[string]vrrp.State
	ending bool
	orders uint64

	down  []bool // its interface in each network
	ports map[vrrp.Port]string
	seen  *vrrp.Interfaces

	inbox             []vrrp.Packet
	asleep, suspended bool
	wakeAt            time.Duration

	rate                 float64
	clockBase, clockFrom time.Duration
}

func (s *Site) clock() time.Time {
	return epoch.Add(s.clockBase + time.Duration(float64(s.group.now-s.clockFrom)*s.rate))
}

// SetRate makes its clock go faster or slower from now on.
func (s *Site) SetRate(rate float64) {
	s.group.disturb("%s: its clock goes at %.3f", s.Name, rate)
	s.clockBase, s.clockFrom, s.rate = s.clock().Sub(epoch), s.group.now, rate
	s.schedule()
}

// Start starts the routers that it is configured with.
func (s *Site) Start() {
	s.group.disturb("%s: starts", s.Name)
	s.states, s.ending, s.asleep, s.suspended, s.inbox = map[string]vrrp.State{}, false, false, false, nil
	s.ports = map[vrrp.Port]string{}
	s.look()
	s.session = vrrp.NewSession(leg{s}, nil, s.happened)
	s.Set(s.routers)
}

// Set makes other routers run.
func (s *Site) Set(routers []vrrp.Config) {
	s.routers = routers
	if s.session == nil || s.ending {
		return
	}
	for _, r := range routers {
		s.group.disturb("%s: router %s, priority %d, interval %s, preempt %t after %s, in group %q", s.Name, r.Name, r.Priority, r.Interval, r.Preempt, r.PreemptDelay, r.SyncGroup)
	}
	s.session.Set(vrrp.Desired{Routers: routers})
	s.turn()
	s.turn() // The sockets are open now.
}

// Offer has it offer the role of its first router, and so those of its group.
func (s *Site) Offer(force bool) {
	if s.session == nil || s.ending {
		return
	}
	s.group.disturb("%s: offers %s, force %t", s.Name, s.routers[0].Name, force)
	s.orders++
	s.session.Set(vrrp.Desired{Routers: s.routers, Offers: []vrrp.Offer{{Router: s.routers[0].Name, Number: s.orders, Force: force}}})
	s.turn()
}

// Stop ends it properly.
func (s *Site) Stop() {
	s.group.disturb("%s: is stopped", s.Name)
	s.ending = true
	s.session.Set(vrrp.Desired{Ending: vrrp.Stopped})
	s.turn()
}

// Crash ends its processes.
func (s *Site) Crash() {
	s.group.disturb("%s: crashes", s.Name)
	s.session, s.wakeAt, s.states = nil, never, nil
}

// Sleep stops its processes; with suspended, its machine, and what arrives is lost.
func (s *Site) Sleep(suspended bool) {
	s.group.disturb("%s: sleeps, suspended %t", s.Name, suspended)
	s.asleep, s.suspended = true, suspended
}

// Wake ends that.
func (s *Site) Wake() {
	s.group.disturb("%s: wakes with %d packets", s.Name, len(s.inbox))
	s.asleep, s.suspended = false, false
	s.turn()
}

// Link takes the carrier of one interface away, or gives it back.
func (s *Site) Link(network int, up bool) {
	s.group.disturb("%s: eth%d is up: %t", s.Name, network, up)
	s.down[network] = !up
	s.look()
	s.turn()
}

// look makes what the kernel tells of the interfaces.
func (s *Site) look() {
	s.seen = &vrrp.Interfaces{ByName: map[string]vrrp.Interface{}, Ports: maps.Clone(s.ports)}
	for n := range s.group.networks {
		s.seen.ByName[eth(n)] = vrrp.Interface{Up: !s.down[n], Addresses: []netip.Prefix{netip.PrefixFrom(s.group.own(n, s.number), 24)}}
	}
}

func eth(n int) string { return fmt.Sprintf("eth%d", n) }

func (s *Site) happened(e vrrp.Event) {
	s.group.logf("%s: %s: %s", s.Name, e.Router, e)
	if e.Changed() {
		s.states[e.Router] = e.To
	}
}

// turn lets the session do what is due.
func (s *Site) turn() {
	if s.session == nil || s.asleep {
		return
	}
	if s.session.Turn(s.clock()) {
		s.group.logf("%s: has ended", s.Name)
		s.session, s.states = nil, nil
	}
	s.schedule()
}

func (s *Site) schedule() {
	s.wakeAt = never
	if s.session == nil {
		return
	}
	if at := s.session.Deadline(); !at.IsZero() {
		left := time.Duration(float64(at.Sub(s.clock())) / s.rate)
		s.wakeAt = s.group.now + max(left, 0) + 2 + s.group.upTo(s.group.lateness)
	}
}

func (s *Site) wakesAt() time.Duration {
	if s.asleep {
		return never
	}
	return s.wakeAt
}

// arrive is a packet that comes.
func (s *Site) arrive(p vrrp.Packet) {
	if s.session == nil || s.suspended || s.down[s.group.network(p.Port)] || len(s.inbox) == inboxBound {
		return
	}
	s.inbox = append(s.inbox, p)
	s.turn()
}

// A leg is a site as the link of its session.
type leg struct{ *Site }

func (s leg) Listen(wanted map[vrrp.Port][]vrrp.Identity) {
	ports := map[vrrp.Port]string{}
	for p := range wanted {
		ports[p] = ""
	}
	if !maps.Equal(ports, s.ports) {
		s.ports = ports
		s.look()
	}
}

func (s leg) Wake() <-chan struct{} { return nil }

func (s leg) Interfaces() *vrrp.Interfaces                              { return s.seen }
func (s leg) Watch(map[string][]netip.Addr)                             {}
func (s leg) Refuse([]netip.Addr)                                       {}
func (s leg) Claims(func(vrrp.Claim))                                   {}
func (s leg) Ask(vrrp.Ask) error                                        { return nil }
func (s leg) Unremovable(vrrp.Holdings) map[vrrp.InterfaceAddress]error { return nil }
func (s leg) Receive(f func(vrrp.Packet)) {
	for len(s.inbox) > 0 {
		p := s.inbox[0]
		s.inbox = s.inbox[1:]
		f(p)
	}
}

// Send reaches every other site on the network.
func (s leg) Send(p vrrp.Packet) error {
	n := s.group.network(p.Port)
	if s.down[n] {
		return nil
	}
	p.Payload = append([]byte(nil), p.Payload...)
	for _, to := range s.group.Sites {
		if to != s.Site && !s.group.networks[n][wire{s.number, to.number}] && !s.group.chance(s.group.loss) {
			s.group.after(s.group.delay+s.group.upTo(s.group.jitter), func() { to.arrive(p) })
		}
	}
	return nil
}
