package link

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"golang.org/x/sys/unix"
)

// errOverrun means that events were lost, and that all must be listed again.
var errOverrun = errors.New("the subscription to interface events ended")

// Run watches the interfaces and keeps the sockets open until the context
// ends, and then closes everything. It returns nil.
func (l *Link) Run(ctx context.Context) error {
	l.inbox.watch(l.wake)
	go l.alarm.watch(l.wake)
	for ctx.Err() == nil {
		err := l.watch(ctx)
		if err == nil {
			break
		}
		l.resubscribed.Add(1)
		if errors.Is(err, errOverrun) {
			continue
		}
		l.fail(err)
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
	}
	for _, s := range l.view.Load().sockets {
		l.inbox.drop(s)
	}
	for _, n := range l.view.Load().listeners {
		l.inbox.dropListener(n)
	}
	l.inbox.close()
	l.alarm.close()
	l.keepConns(nil)
	l.leave()
	l.refuse(time.Now()) // Nothing, if that is wanted.
	l.asking.close()
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

// watch subscribes, lists everything, and then follows the events until the
// context ends or events were lost.
func (l *Link) watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Subscribe before listing: an event tells what changes in between.
	events, err := subscribe(ctx, l.eventBuffer, l.renewals.port)
	if err != nil {
		return fmt.Errorf("subscribing to events of interfaces and addresses (CAP_NET_ADMIN is needed): %w", err)
	}
	t, err := l.list()
	if err != nil {
		return err
	}
	return l.follow(ctx, t, events)
}

// settle is the shortest time between two views: with a thousand addresses or devices that
// come one after the other, each would be a view of its own.
const settle = 5 * time.Millisecond

// follow applies events to the table, in whole bursts, and publishes a view
// after each.
func (l *Link) follow(ctx context.Context, t table, events <-chan syscall.NetlinkMessage) error {
	var retry <-chan time.Time
	var published time.Time
	for changed := true; ; {
		if changed {
			retry = nil
			if wait := l.wait(l.publish(t)); wait > 0 {
				retry = time.After(wait)
			}
			published = time.Now()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-retry:
			changed = true
		case <-l.listen:
			changed = true
		case m, ok := <-events:
			if !ok {
				return errOverrun
			}
			changed = t.apply(&m)
		}
		if soon := settle - time.Since(published); changed && soon > 0 {
			time.Sleep(soon)
		}
		for range len(events) {
			m := <-events
			changed = t.apply(&m) || changed
		}
	}
}

// wait is how long Run waits for events at most; zero: it waits.
func (l *Link) wait(failed bool) time.Duration {
	wait := time.Duration(0)
	if at := l.refusal.lookAt; !at.IsZero() {
		wait = max(time.Until(at), time.Millisecond)
	}
	if failed && (wait == 0 || retryAfter < wait) {
		wait = retryAfter
	}
	return wait
}

// publish makes the table, and the sockets that it allows, what the others
// see. It reports whether something failed that should be tried again.
func (l *Link) publish(t table) (retry bool) {
	old := l.view.Load()
	v := &view{
		Interfaces: vrrp.Interfaces{ByName: make(map[string]vrrp.Interface, len(t)), Ports: make(map[vrrp.Port]string), Booted: l.booted},
		devices:    make(map[string]*device, len(t)),
	}
	for _, d := range t {
		v.devices[d.name] = d
	}
	v.Unrefused = l.refuse(time.Now())
	retry = l.makeDevices(t, v)
	retry = l.open(old, v) || retry
	retry = l.openListeners(old, v) || retry
	if old.Unrefused == v.Unrefused && maps.Equal(old.devices, v.devices) && maps.Equal(old.Ports, v.Ports) &&
		maps.Equal(old.sockets, v.sockets) && maps.Equal(old.listeners, v.listeners) && maps.Equal(old.deaf, v.deaf) {
		return retry
	}
	for name, d := range v.devices {
		i := vrrp.Interface{Up: d.up, Enabled: d.admin, Hardware: string(d.mac)}
		for _, a := range d.addrs {
			if a.flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) == 0 { // Packets can be sent from it.
				i.Addresses = append(i.Addresses, a.Prefix)
			}
		}
		v.ByName[name] = i
	}
	l.view.Store(v)
	for p, s := range old.sockets {
		if v.sockets[p] != s {
			l.inbox.drop(s)
		}
	}
	for name, n := range old.listeners {
		if v.listeners[name] != n {
			l.inbox.dropListener(n)
		}
	}
	l.keepConns(v.devices)
	token(l.wake)
	return retry
}

// open puts the wanted sockets into v: those of the old view that still fit
// their interface, and new ones.
func (l *Link) open(old, v *view) (failed bool) {
	l.mu.Lock()
	want := l.want
	l.mu.Unlock()
	v.sockets = make(map[vrrp.Port]*socket, len(want))
	for p, ours := range want {
		if v.Ports[p] != "" {
			continue // Its device could not be made.
		}
		d := v.devices[p.Interface]
		if d == nil {
			v.Ports[p] = fmt.Sprintf("interface %s does not exist", p.Interface)
			continue
		}
		s := old.sockets[p]
		if s == nil || s.index != d.index || s.hear(ours) != nil {
			var err error
			if s, err = l.socket(p, d.index, ours); err != nil {
				v.Ports[p] = fmt.Sprintf("no VRRP socket on %s: %v", p.Interface, err)
				failed = true
				continue
			}
		}
		v.sockets[p] = s
		v.Ports[p] = ""
	}
	return failed
}

// socket opens a socket, and has it read.
func (l *Link) socket(p vrrp.Port, index int, ours []vrrp.Identity) (*socket, error) {
	s, err := openSocket(p, index, ours)
	if err != nil {
		return nil, err
	}
	if err := l.inbox.add(s); err != nil {
		l.inbox.drop(s)
		return nil, err
	}
	return s, nil
}

// listener opens a listener, and has it read.
func (l *Link) listener(d *device, addrs []netip.Addr) (*listener, error) {
	n, err := newListener(d, addrs)
	if err != nil {
		return nil, err
	}
	if err := l.inbox.hear(n); err != nil {
		l.inbox.dropListener(n)
		return nil, err
	}
	return n, nil
}

// openListeners puts the wanted listeners into v: those of the old view that still
// fit, and new ones.
func (l *Link) openListeners(old, v *view) (failed bool) {
	l.mu.Lock()
	watched := l.watched
	l.mu.Unlock()
	v.listeners, v.deaf = make(map[string]*listener, len(watched)), make(map[string]string)
	for name, addrs := range watched {
		d := v.devices[name]
		if d == nil || !d.hasARP() {
			continue
		}
		addrs = addrs[:min(len(addrs), maxWatched)]
		n := old.listeners[name]
		if n == nil || !n.fits(d.index, d.mac, addrs) {
			var err error
			if n, err = l.listener(d, addrs); err != nil {
				v.deaf[name] = err.Error()
				failed = true
				continue
			}
		}
		v.listeners[name] = n
	}
	return failed
}
