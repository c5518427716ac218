package sim

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// A Network is one network segment with directors on it, in virtual time. It
// checks the invariants of VRRP after every event.
type Network struct {
	timeline
	// Delay is how long a packet travels, plus up to Jitter; packets with
	// different jitter overtake each other.
	Delay, Jitter time.Duration
	// Lateness is how late a timer may wake a director.
	Lateness time.Duration
	// Loss and Duplicate are probabilities for each packet and receiver.
	Loss, Duplicate float64
	// Mute and Refuse are the probabilities that a question of a router has no answer, and
	// that the answer is no.
	Mute, Refuse float64
	Directors    []*Director

	cut   map[wire]bool
	watch watch
}

// A wire is one direction between two directors.
type wire struct{ from, to int }

// NewNetwork returns a network without faults.
func NewNetwork(seed uint64) *Network {
	n := &Network{
		timeline: newTimeline(seed),
		Delay:    200 * time.Microsecond,
		Lateness: 300 * time.Microsecond,
		cut:      make(map[wire]bool),
	}
	n.watch = watch{net: n, dual: make(map[wire]time.Duration), lonely: make(map[int]time.Duration)}
	n.checks = append(n.checks, n.watch.check)
	return n
}

// Add adds a director that is not running yet, with the next higher address.
func (n *Network) Add(c vrrp.Config) *Director {
	d := &Director{Name: fmt.Sprintf("lvs%d", len(n.Directors)+1), net: n, index: len(n.Directors), Config: c, rate: 1, wakeAt: never}
	last := byte(1 + d.index)
	if c.Family() == 6 {
		d.Source = netip.AddrFrom16([16]byte{0xfe, 0x80, 15: last})
	} else {
		d.Source = netip.AddrFrom4([4]byte{10, 0, 0, last})
	}
	n.Directors = append(n.Directors, d)
	n.timers = append(n.timers, timer{d.wakesAt, d.wake})
	n.watch.configured(c)
	return d
}

// multicast sends from a director to all that its packets reach.
func (n *Network) multicast(from *Director, payload []byte) {
	for _, to := range n.Directors {
		if to == from || !n.reaches(from, to) || n.chance(n.Loss) {
			continue
		}
		n.send(to, from.Source, payload)
		if n.chance(n.Duplicate) {
			n.send(to, from.Source, payload)
		}
	}
}

// Inject sends a director a packet from an address of its own choice.
func (n *Network) Inject(to *Director, src netip.Addr, payload []byte) {
	n.disturb(func() { n.send(to, src, payload) })
}

// send sends the bytes that the real codec made.
func (n *Network) send(to *Director, src netip.Addr, payload []byte) {
	p := vrrp.Packet{Src: src, Dst: to.group(), TTL: vrrp.TTL, Payload: payload}
	n.after(n.Delay+n.upTo(n.Jitter), func() { to.arrive(p) })
}

// ask lets every other director that has the addresses answer, also one whose
// processes are gone or asleep: its kernel does.
func (n *Network) ask(from *Director, a vrrp.Ask) {
	for _, d := range n.Directors {
		if d == from || !d.Holds || d.suspended || !n.reaches(from, d) || !n.reaches(d, from) || n.chance(n.Loss) {
			continue
		}
		c := vrrp.Claim{Interface: a.Interface, Address: a.Address, MAC: d.Name}
		n.after(2*n.Delay+n.upTo(n.Jitter), func() { from.claimed(c) })
	}
}

// Cut stops packets in one direction.
func (n *Network) Cut(from, to *Director) {
	n.disturb(func() { n.cut[wire{from.index, to.index}] = true })
}

// Mend lets packets through again everywhere.
func (n *Network) Mend() { n.disturb(func() { clear(n.cut) }) }

// disturb does something that the invariants are measured from.
func (n *Network) disturb(f func()) {
	f()
	n.watch.disturbed = n.now
	n.watch.check()
}

func (n *Network) reaches(from, to *Director) bool { return !n.cut[wire{from.index, to.index}] }

// Sequence is that of an advert which is signed now, by a clock that is right.
func (n *Network) Sequence() vrrp.Sequence {
	return vrrp.Sequence(epoch.Add(n.now).Unix()) << 32
}
