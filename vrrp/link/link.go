package link

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"github.com/mdlayher/packet"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// eventBuffer is the receive buffer of the subscription: some thousand events. The
// kernel ends a subscription that overflows.
const eventBuffer = 2 << 20

// retryAfter is how long Run waits before it tries again what the kernel
// refused: a socket, or a subscription.
const retryAfter = time.Second

// A Link is the edge between virtual routers and the kernel.
type Link struct {
	wake   chan struct{} // one token: something arrived or changed
	listen chan struct{} // one token: want or watched has changed
	view   atomic.Pointer[view]

	mu   sync.Mutex
	want map[vrrp.Port][]vrrp.Identity
	// watched are the addresses of which is wanted who else has them, by interface.
	watched map[string][]netip.Addr
	// refused are the addresses for which nothing is let in, since Refuse was called.
	refused  []netip.Addr
	refusing bool

	inbox *inbox // of the view's sockets and listeners
	alarm *alarm

	// dry: no device of a virtual MAC is made or removed, also none that others left.
	dry bool

	asking
	held map[vrrp.InterfaceAddress]*vrrp.Attributes // what Hold has added, and how; nil: as usual. Only its goroutine needs it.

	// routed are the routes that Hold has added, census what was seen of them in the
	// kernel, and obstacles are those of others in their places; likewise.
	routed    map[place]vrrp.Route
	census    census
	obstacles obstacles

	// spared is what is remembered of the interfaces since sparedAt; likewise.
	spared   sparing
	sparedAt time.Time

	// conns are the packet sockets of the interfaces that had something to
	// announce, by their index.
	connsMu sync.Mutex
	conns   map[int]*packet.Conn

	booted time.Time // the machine

	// prepared are the devices of virtual MACs, by index, that are as they should be,
	// and changed what was changed of the interfaces below them. swept: those that an
	// earlier process has left were removed. Only Run needs them.
	prepared map[int]bool
	changed  map[int][]parameter
	swept    bool
	// muted are those that send nothing, by index, and lowered those that were taken
	// down, which the view may not know yet; only Hold's goroutine needs them.
	muted, lowered map[int]bool

	refusal refusal

	// resubscribed counts subscriptions that ended and were made again.
	resubscribed atomic.Uint64
	eventBuffer  int
}

// A refusal is what is dropped of the packets for the director itself. Only Run
// needs it.
type refusal struct {
	known   bool // whether there is a table
	dropped []netip.Addr
	lookAt  time.Time // again; zero: never
	failure string
}

// A view is what Run knew at one moment; it is never changed.
type view struct {
	vrrp.Interfaces
	devices map[string]*device
	sockets map[vrrp.Port]*socket
	// listeners hear who else has the watched addresses, by interface, and deaf is why
	// there is none where there should be one.
	listeners map[string]*listener
	deaf      map[string]string
}

var (
	_ vrrp.Link   = (*Link)(nil)
	_ vrrp.Holder = (*Link)(nil)
)

// Open returns a Link of this network namespace. It knows no interface before
// Run has listed them.
func Open() (*Link, error) {
	asking, err := openAsking()
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	inbox, err := openInbox()
	if err != nil {
		asking.close()
		return nil, err
	}
	alarm, err := newAlarm()
	if err != nil {
		asking.close()
		inbox.close()
		return nil, err
	}
	l := &Link{
		wake:   make(chan struct{}, 1),
		listen: make(chan struct{}, 1),

		inbox:       inbox,
		alarm:       alarm,
		asking:      asking,
		held:        make(map[vrrp.InterfaceAddress]*vrrp.Attributes),
		routed:      make(map[place]vrrp.Route),
		obstacles:   make(obstacles),
		conns:       make(map[int]*packet.Conn),
		booted:      booted(),
		prepared:    make(map[int]bool),
		muted:       make(map[int]bool),
		lowered:     make(map[int]bool),
		changed:     make(map[int][]parameter),
		eventBuffer: eventBuffer,
	}
	l.view.Store(new(view))
	return l, nil
}

// booted is when the machine was started.
func booted() time.Time {
	var up unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) != nil {
		return time.Time{} // Long ago.
	}
	return time.Now().Add(-time.Duration(up.Nano()))
}

// Listen opens the sockets of these ports, and closes all others. Adverts with
// these identities are all received there, of other VRRP packets some hundred
// a second.
func (l *Link) Listen(wanted map[vrrp.Port][]vrrp.Identity) {
	l.mu.Lock()
	l.want = wanted
	l.mu.Unlock()
	l.inbox.expect(wanted)
	token(l.listen)
}

// Watch looks from now on at who else has these addresses, by interface: at the
// first 400 of each, where ARP or neighbour discovery tells.
func (l *Link) Watch(addresses map[string][]netip.Addr) {
	l.mu.Lock()
	l.watched = addresses
	l.mu.Unlock()
	token(l.listen)
}

// Claims calls f for every claim of a watched address that has arrived, but not for
// those of this machine's other interfaces. Two directors have the same virtual MAC,
// and no socket hears what it has sent itself.
func (l *Link) Claims(f func(vrrp.Claim)) {
	v := l.view.Load()
	l.inbox.claims.each(func(t *tap) {
		name := t.of.name
		t.receive(func(ip netip.Addr, mac net.HardwareAddr) {
			if d := v.devices[name]; !v.owns(mac) || d != nil && d.virtual() && slices.Equal(d.mac, mac) {
				f(vrrp.Claim{Interface: name, Address: ip, MAC: mac.String()})
			}
		})
	})
}

// owns reports whether a MAC is of this machine.
func (v *view) owns(mac net.HardwareAddr) bool {
	for _, d := range v.devices {
		if len(mac) > 0 && slices.Equal(d.mac, mac) {
			return true
		}
	}
	return false
}

// Ask asks who has an address, if it is watched. It waits for nothing, also not for
// room in the socket's buffer. On an interface that is down or has no ARP there is
// nobody to ask, which is no error.
func (l *Link) Ask(a vrrp.Ask) (err error) {
	v := l.view.Load()
	d, n := v.devices[a.Interface], v.listeners[a.Interface]
	switch {
	case d == nil || !d.up || !d.hasARP():
	case n == nil:
		err = errors.New(cmp.Or(v.deaf[a.Interface], "the sockets for the answers are not open yet"))
	default:
		err = n.ask(a.Address)
	}
	if err != nil {
		return fmt.Errorf("asking on %s who has %s: %w", a.Interface, a.Address, err)
	}
	return nil
}

// Wake receives a token when packets have arrived, the interfaces have changed, or it is
// the time of WakeAt.
func (l *Link) Wake() <-chan struct{} { return l.wake }

// WakeAt puts a token into Wake at this time, and not at the one of the call before it; zero:
// at none. Only the loop of the routers calls it.
func (l *Link) WakeAt(at time.Time) { l.alarm.set(at) }

// Interfaces returns the interfaces as last seen, and the same pointer until
// something has changed.
func (l *Link) Interfaces() *vrrp.Interfaces { return &l.view.Load().Interfaces }

// Receive calls f for every packet that has arrived.
func (l *Link) Receive(f func(vrrp.Packet)) {
	l.inbox.adverts.each(func(s *socket) {
		if s.receive(&l.inbox.batch, f) {
			token(l.wake) // There may be more: come back after the timers.
		}
	})
	l.inbox.strays.each(func(s *socket) { s.receive(&l.inbox.batch, f) })
}

// Send sends one packet. It does not wait for room in the socket's buffer.
func (l *Link) Send(p vrrp.Packet) error {
	s := l.view.Load().sockets[p.Port]
	if s == nil {
		return fmt.Errorf("sending on %s: no socket is open for IPv%d", p.Port.Interface, p.Port.Family)
	}
	if err := s.send(p); err != nil {
		return fmt.Errorf("sending on %s from %s to %s: %w", p.Port.Interface, p.Src, p.Dst, err)
	}
	return nil
}

// list reads all interfaces and addresses.
func (l *Link) list() (table, error) {
	links, err := whole(l.netlink.LinkList)
	if err != nil {
		return nil, fmt.Errorf("listing interfaces: %w", err)
	}
	addrs, err := whole(func() ([]netlink.Addr, error) {
		return l.netlink.AddrList(nil, netlink.FAMILY_ALL)
	})
	if err != nil {
		return nil, fmt.Errorf("listing addresses: %w", err)
	}
	t := make(table, len(links))
	for _, link := range links {
		t.set(link)
	}
	for _, a := range addrs {
		ip, _ := netip.AddrFromSlice(a.IP)
		ones, _ := a.Mask.Size()
		t.addr(a.LinkIndex, address{netip.PrefixFrom(ip.Unmap(), ones), prefix(a.Peer), a.Flags}, true)
	}
	return t, nil
}
