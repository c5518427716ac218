package link

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"github.com/mdlayher/packet"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// retryAfter is how long Run waits before it tries again what the kernel
// refused: a socket, or a subscription.
const retryAfter = time.Second

// A Link is the edge between virtual routers and the kernel.
type Link struct {
	wake   chan struct{} // one token: something arrived or changed
	listen chan struct{} // one token: want has changed
	view   atomic.Pointer[view]

	mu   sync.Mutex
	want map[vrrp.Port]bool

	addresses addressBook
	announcer announcer
	// resubscribed counts subscriptions that ended and were made again.
	resubscribed atomic.Uint64
	eventBuffer  int
}

// A view is what Run knew at one moment; it is never changed.
type view struct {
	vrrp.Interfaces
	devices map[string]*device
	sockets map[vrrp.Port]*socket
}

var (
	_ vrrp.Link   = (*Link)(nil)
	_ vrrp.Holder = (*Link)(nil)
)

// Open returns a Link of this network namespace. It knows no interface before
// Run has listed them.
func Open() (*Link, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	l := &Link{
		wake:   make(chan struct{}, 1),
		listen: make(chan struct{}, 1),

		eventBuffer: eventBuffer,
	}
	l.addresses = addressBook{netlink: h, held: make(map[vrrp.InterfaceAddress]bool)}
	l.announcer.conns = make(map[int]*packet.Conn)
	l.view.Store(new(view))
	return l, nil
}

// Run watches the interfaces and keeps the sockets open until the context
// ends, and then closes everything. It returns nil.
func (l *Link) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := l.watch(ctx); err != nil {
			l.resubscribed.Add(1)
			l.fail(err)
			pause(ctx, err)
		}
	}
	for _, s := range l.view.Load().sockets {
		s.close()
	}
	l.announcer.close()
	l.addresses.netlink.Close()
	return nil
}

// fail publishes why no socket can be open, if nothing was ever listed.
func (l *Link) fail(err error) {
	if l.view.Load().devices != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	v := &view{Interfaces: vrrp.Interfaces{ByName: map[string]vrrp.Interface{}, Ports: make(map[vrrp.Port]string)}}
	for p := range l.want {
		v.Ports[p] = err.Error()
	}
	l.view.Store(v)
	token(l.wake)
}

// pause waits before a subscription is tried again. One that was merely
// overrun is made again at once.
func pause(ctx context.Context, err error) {
	if errors.Is(err, errOverrun) {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(retryAfter):
	}
}

// Listen opens the sockets of these ports, and closes all others.
func (l *Link) Listen(ports []vrrp.Port) {
	want := make(map[vrrp.Port]bool, len(ports))
	for _, p := range ports {
		want[p] = true
	}
	l.mu.Lock()
	same := maps.Equal(want, l.want)
	l.want = want
	l.mu.Unlock()
	if !same {
		token(l.listen)
	}
}

// Wake receives a token when packets have arrived or the interfaces have
// changed.
func (l *Link) Wake() <-chan struct{} { return l.wake }

// Interfaces returns the interfaces as last seen, and the same pointer until
// something has changed.
func (l *Link) Interfaces() *vrrp.Interfaces { return &l.view.Load().Interfaces }

// Receive calls f for every packet that has arrived.
func (l *Link) Receive(f func(vrrp.Packet)) {
	for p, s := range l.view.Load().sockets {
		if s.receive(p, f) {
			token(l.wake) // There may be more: come back after the timers.
		}
	}
}

// Send sends one packet from src to dst, with TTL 255. It does not wait for
// room in the socket's buffer.
func (l *Link) Send(p vrrp.Port, src, dst netip.Addr, payload []byte) error {
	s := l.view.Load().sockets[p]
	if s == nil {
		return fmt.Errorf("sending on %s: no socket is open for IPv%d", p.Interface, p.Family)
	}
	if err := s.send(src, dst, payload); err != nil {
		return fmt.Errorf("sending on %s from %s to %s: %w", p.Interface, src, dst, err)
	}
	return nil
}

// token puts one in, unless there is one already.
func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
