package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// epoch is when every simulation begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// A Network is one network segment with directors on it, in virtual time. It
// is deterministic: the same seed and the same calls give the same run. It
// checks the invariants of VRRP after every event, and stops at the first one
// that is broken.
type Network struct {
	// Delay is how long a packet travels, plus up to Jitter; packets with
	// different jitter overtake each other.
	Delay, Jitter time.Duration
	// Lateness is how late a timer may wake a director.
	Lateness time.Duration
	// Loss and Duplicate are probabilities for each packet and receiver.
	Loss, Duplicate float64
	Directors       []*Director
	// Log receives one line for everything that happens; nil: nobody does.
	Log func(line string)

	now      time.Duration // since epoch
	rng      *rand.Rand
	flight   flight
	sequence uint64
	cut      map[wire]bool
	watch    watch
}

// A wire is one direction between two directors.
type wire struct{ from, to int }

// A packet is what travels: the bytes that the real codec made.
type packet struct {
	at       time.Duration
	sequence uint64
	to       *Director
	src, dst netip.Addr
	payload  []byte
}

// NewNetwork returns a network without faults.
func NewNetwork(seed uint64) *Network {
	n := &Network{
		Delay:    200 * time.Microsecond,
		Lateness: 300 * time.Microsecond,
		rng:      rand.New(rand.NewPCG(seed, 0x6c767364)),
		cut:      make(map[wire]bool),
	}
	n.watch = watch{net: n, dual: make(map[wire]time.Duration), lonely: make(map[int]time.Duration)}
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
	n.watch.configured(c)
	return d
}

// Now returns the time since the simulation began.
func (n *Network) Now() time.Duration { return n.now }

// Run lets the time pass, and returns the first broken invariant.
func (n *Network) Run(d time.Duration) error {
	for end := n.now + d; n.watch.broken == nil; {
		at, step := n.next()
		if at > end {
			n.now = end
			break
		}
		n.now = max(n.now, at)
		step()
		n.watch.check()
	}
	return n.watch.broken
}

// next returns the next event: a packet that arrives or a timer.
func (n *Network) next() (time.Duration, func()) {
	at, step := never, func() {}
	if len(n.flight) > 0 {
		at, step = n.flight[0].at, n.deliver
	}
	for _, d := range n.Directors {
		if w := d.wakesAt(); w < at {
			at, step = w, d.wake
		}
	}
	return at, step
}

func (n *Network) deliver() {
	p := heap.Pop(&n.flight).(packet)
	p.to.arrive(p)
}

// multicast sends from a director to all that its packets reach.
func (n *Network) multicast(from *Director, payload []byte) {
	for _, to := range n.Directors {
		if to == from || n.cut[wire{from.index, to.index}] || n.chance(n.Loss) {
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

func (n *Network) send(to *Director, src netip.Addr, payload []byte) {
	n.sequence++
	heap.Push(&n.flight, packet{
		at: n.now + n.Delay + n.upTo(n.Jitter), sequence: n.sequence,
		to: to, src: src, dst: to.group(), payload: payload,
	})
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

func (n *Network) chance(p float64) bool { return p > 0 && n.rng.Float64() < p }

func (n *Network) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(n.rng.Int64N(int64(d)))
}

func (n *Network) logf(format string, args ...any) {
	if n.Log != nil {
		n.Log(fmt.Sprintf("%10.4fs  ", n.now.Seconds()) + fmt.Sprintf(format, args...))
	}
}

// flight is a heap of packets by arrival.
type flight []packet

func (f flight) Len() int { return len(f) }
func (f flight) Less(i, j int) bool {
	if f[i].at != f[j].at {
		return f[i].at < f[j].at
	}
	return f[i].sequence < f[j].sequence
}
func (f flight) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *flight) Push(x any)   { *f = append(*f, x.(packet)) }
func (f *flight) Pop() any {
	old := *f
	p := old[len(old)-1]
	*f = old[:len(old)-1]
	return p
}
