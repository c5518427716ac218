package sim

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
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
	// settled: its keeper has read what it was told; stirred: something has happened since
	// its routers were looked at.
	settled, stirred bool
	meanings         []meaning // nil: something has changed

	conditions []vrrp.Condition
	// turned is when its keeper was last told that one of them has changed.
	turned time.Time
	// What operators have ordered: that it is not Master, that it does not take its
	// role back, and how often.
	standby, heldBack bool
	orders            uint64
	// asked: a router has asked something; answered is the last question that was heard.
	asked    bool
	answered uint64

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

// Start starts the routers that it is configured with. An order to hold back does not
// outlive the director, and a standby does.
func (s *Site) Start() {
	s.group.disturb("%s: starts", s.Name)
	s.heldBack = false
	s.startKeeper(nil)
}

func (s *Site) startKeeper(resume []vrrp.Resumption) {
	s.states, s.ending, s.asleep, s.suspended, s.inbox = map[string]vrrp.State{}, false, false, false, nil
	s.asked = false
	s.ports = map[vrrp.Port]string{}
	s.look()
	s.session = vrrp.NewSession(leg{s}, nil, s.happened)
	d := s.desired()
	d.Resume = resume
	s.set(d)
}

// Restart replaces the process that runs the routers. Those that were Master are told
// to the new one, with the time in which no peer takes over.
func (s *Site) Restart() {
	s.group.disturb("%s: another keeper", s.Name)
	var resume []vrrp.Resumption
	for _, r := range s.routers {
		if s.states[r.Name] == vrrp.Master {
			resume = append(resume, vrrp.Resumption{Router: r.Name, Before: s.clock().Add(2 * r.Interval)})
		}
	}
	s.startKeeper(resume)
}

// reload makes other routers run.
func (s *Site) reload(routers []vrrp.Config) {
	s.routers, s.meanings = routers, nil
	for _, r := range routers {
		s.group.disturb("%s: router %s, priority %d, interval %s, preempt %t after %s, in group %q, tracks %v", s.Name, r.Name, r.Priority, r.Interval, r.Preempt, r.PreemptDelay, r.SyncGroup, r.Track)
	}
	s.tell()
}

// desired is what its director asks for.
func (s *Site) desired() vrrp.Desired {
	d := vrrp.Desired{Routers: slices.Clone(s.routers), Conditions: slices.Clone(s.conditions)}
	for i := range d.Routers {
		d.Routers[i].Preempt = d.Routers[i].Preempt && !s.heldBack
	}
	d.Conditions = append(d.Conditions, vrrp.Condition{Name: "operator", OK: !s.standby, Reason: "standby"})
	return d
}

// tell tells the keeper what is asked for now.
func (s *Site) tell() { s.set(s.desired()) }

func (s *Site) set(d vrrp.Desired) {
	if s.session == nil || s.ending {
		return
	}
	s.session.Set(d)
	s.settled, s.stirred = false, true
	s.turn()
	s.settled = true
	s.turn() // The sockets are open now.
}

// Turn changes one of the conditions that its director watches.
func (s *Site) Turn(c vrrp.Condition) {
	i := slices.IndexFunc(s.conditions, func(other vrrp.Condition) bool { return other.Name == c.Name })
	if s.conditions[i] == c {
		return
	}
	s.group.disturb("%s: %+v", s.Name, c)
	s.conditions[i], s.meanings = c, nil
	s.damp()
	s.tell()
}

// damp notes that conditions which are damped count as they are some time from now.
func (s *Site) damp() {
	s.turned = s.clock()
	for _, damped := range []time.Duration{dampedUp, dampedDown} {
		s.group.after(damped+damped/20, func() { s.group.disturb("%s: conditions count as they are", s.Name) })
	}
}

// Offer has it offer the role of its first router, and so those of its group, which it
// does not take back by itself.
func (s *Site) Offer(force bool) {
	if s.session == nil || s.ending || s.routers[0].Priority == 255 {
		return
	}
	s.group.disturb("%s: offers %s, force %t", s.Name, s.routers[0].Name, force)
	s.group.watch.disturbed += s.group.watch.masterDown() // It waits so long for a successor.
	s.orders++
	s.heldBack = s.states[s.routers[0].Name] == vrrp.Master
	d := s.desired()
	d.Offers = []vrrp.Offer{{Router: s.routers[0].Name, Number: s.orders, Force: force}}
	s.set(d)
}

// StandBy keeps it from being Master, or ends what operators have ordered.
func (s *Site) StandBy(yes bool) {
	s.group.disturb("%s: standby %t", s.Name, yes)
	s.standby, s.heldBack, s.meanings = yes, false, nil
	s.tell()
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
	s.asleep, s.suspended, s.stirred = false, false, true
	s.damp()
	s.turn()
}

// Link takes the carrier of one interface away, or gives it back.
func (s *Site) Link(network int, up bool) {
	s.group.disturb("%s: eth%d is up: %t", s.Name, network, up)
	s.down[network], s.meanings, s.stirred = !up, nil, true
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
	s.stirred, s.asked = true, s.asked || e.Code == vrrp.Asks
	if !e.Changed() {
		return
	}
	s.states[e.Router] = e.To
	if e.To == vrrp.Master && s.heldBack {
		s.heldBack = false
		s.group.after(time.Millisecond, s.tell)
	}
}

// consider has the control plane answer what the routers ask, or not. Those of a group
// ask the same.
func (s *Site) consider() {
	s.asked = false
	numbers := map[vrrp.Step]uint64{}
	for _, r := range s.session.StatusesAt(s.clock()) {
		q := r.Question
		if q.Number == 0 || r.SyncGroup == "" {
			continue
		}
		if was := numbers[q.Step]; was != 0 && was != q.Number && q.Step == vrrp.Enter {
			s.group.fail(s.Name, "the routers of a group ask different questions")
		}
		numbers[q.Step] = q.Number
		if q.Number <= s.answered {
			continue
		}
		s.answered = q.Number
		if s.group.chance(s.group.mute) {
			continue
		}
		session, a := s.session, vrrp.Answer{Router: r.Name, Number: q.Number, OK: !s.group.chance(s.group.refuse), Text: "an answer"}
		s.group.after(s.group.upTo(s.group.patience+s.group.patience/5), func() {
			if s.session == session && !s.asleep {
				s.group.logf("%s: the answer is %t", s.Name, a.OK)
				session.Answer(a)
				s.turn()
			}
		})
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
	if s.session != nil && s.asked {
		s.consider()
	}
	s.schedule()
	s.group.watch.present(s)
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

func (s leg) WakeAt(time.Time) {}

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
