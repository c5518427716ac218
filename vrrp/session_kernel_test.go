package vrrp_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// A kernel is the kernel of one director, as a Session sees it: interfaces that
// come and go, addresses that are added and removed, packets that wait in a
// socket. It writes down what is asked of it, with the time.
type kernel struct {
	t     *testing.T
	begin time.Time
	wake  chan struct{}
	alarm *time.Timer

	mu      sync.Mutex
	devices map[string]vrrp.Interface
	seen    *vrrp.Interfaces
	booted  time.Time
	ports   []vrrp.Port
	queue   []vrrp.Packet
	claims  []vrrp.Claim
	watched map[string][]netip.Addr
	refused []netip.Addr
	// unrefused is why nothing can be refused.
	unrefused string
	rival     string // has all addresses, and answers for them by this MAC
	log       []entry
	blocked   chan struct{} // address work waits until it is closed
	failure   error         // of address work
	stuck     error         // why addresses could not be removed again
	// left are the addresses that an earlier process has added.
	left []vrrp.InterfaceAddress
	// paths are the routes and rules of ours, and unroutable is why no route can be added.
	paths      map[fmt.Stringer]bool
	unroutable error
	// examined is how often that was asked for.
	examined int
	refusal  error         // of adverts that are to be sent
	mute     error         // of questions
	opening  bool          // the sockets are not open yet
	nap      time.Duration // the process gets no processor for so long, once
	session  *vrrp.Session
	ended    chan struct{}
}

// An entry is something that was asked of a kernel, or reported.
type entry struct {
	at   time.Duration
	from goroutine
	text string
}

// A goroutine of a Session. At one instant of the bubble's clock the two run
// side by side, so a script has what the loop did first.
type goroutine int

const (
	loop goroutine = iota
	worker
)

var (
	_ vrrp.Link   = (*kernel)(nil)
	_ vrrp.Holder = (*kernel)(nil)
)

const peer = "10.9.0.2"

// play runs f in a bubble, with a Session on a kernel that has the interfaces
// eth0 (10.9.0.1/24) and eth1. It fails if anything goes on after the end.
func play(t *testing.T, f func(s *kernel)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newKernel(t)
		s.session = vrrp.NewSession(s, s, s.event)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { defer close(s.ended); s.session.Run(ctx) }()
		f(s)
		cancel()
		<-s.ended
	})
}

// newKernel returns that kernel, without a Session.
func newKernel(t *testing.T) *kernel {
	s := &kernel{
		t: t, begin: time.Now(), wake: make(chan struct{}, 1), ended: make(chan struct{}),
		devices: map[string]vrrp.Interface{
			"eth0": {Up: true, Addresses: []netip.Prefix{netip.MustParsePrefix("10.9.0.1/24"), netip.MustParsePrefix("fe80::1/64")}},
			"eth1": {Up: true},
		},
		paths: map[fmt.Stringer]bool{},
	}
	s.publish()
	return s
}

func (s *kernel) note(from goroutine, format string, args ...any) {
	at := time.Since(s.begin).Round(time.Millisecond)
	s.log = append(s.log, entry{at, from, fmt.Sprintf("%-7s ", at) + fmt.Sprintf(format, args...)})
}

func (s *kernel) event(e vrrp.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := loop
	switch e.Code {
	case vrrp.AddressesFailed, vrrp.AddressesMended, vrrp.AddressesRestored, vrrp.AddressesRemoved:
		from = worker
	}
	if e.Changed() && e.Level == slog.LevelWarn {
		s.note(from, "failure, %s: %s", e.To, e.Text)
	} else if e.Changed() {
		s.note(from, "%s: %s", e.To, e.Text)
	} else if e.Level == slog.LevelWarn {
		s.note(from, "failure: %s", e.Text)
	} else {
		s.note(from, "event: %s", e.Text)
	}
}

// publish makes a new view of the interfaces.
func (s *kernel) publish() {
	seen := &vrrp.Interfaces{ByName: maps.Clone(s.devices), Ports: make(map[vrrp.Port]string), Booted: s.booted, Unrefused: s.unrefused}
	for _, p := range s.ports {
		if s.opening {
			break
		}
		if _, ok := s.devices[p.Interface]; !ok {
			seen.Ports[p] = "interface " + p.Interface + " does not exist"
		} else {
			seen.Ports[p] = ""
		}
	}
	s.seen = seen
	s.token()
}

func (s *kernel) token() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *kernel) Listen(wanted map[vrrp.Port][]vrrp.Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ports = slices.Collect(maps.Keys(wanted))
	s.publish()
}

func (s *kernel) Refuse(addresses []netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = addresses
}

func (s *kernel) Wake() <-chan struct{} { return s.wake }

func (s *kernel) WakeAt(at time.Time) {
	if s.alarm != nil {
		s.alarm.Stop()
	}
	if !at.IsZero() {
		s.alarm = time.AfterFunc(time.Until(at), s.token)
	}
}

func (s *kernel) Interfaces() *vrrp.Interfaces {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

func (s *kernel) Receive(f func(vrrp.Packet)) {
	s.mu.Lock()
	packets, nap := s.queue, s.nap
	s.queue, s.nap = nil, 0
	s.mu.Unlock()
	time.Sleep(nap)
	for _, p := range packets {
		f(p)
	}
}

func (s *kernel) Watch(addresses map[string][]netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watched = addresses
}

func (s *kernel) Claims(f func(vrrp.Claim)) {
	s.mu.Lock()
	claims := s.claims
	s.claims = nil
	s.mu.Unlock()
	for _, c := range claims {
		f(c)
	}
}

func (s *kernel) Ask(a vrrp.Ask) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(loop, "arping -D -I %s %s", a.Interface, a.Address)
	if s.rival != "" && slices.Contains(s.watched[a.Interface], a.Address) {
		s.claims = append(s.claims, vrrp.Claim{Interface: a.Interface, Address: a.Address, MAC: s.rival})
		s.token()
	}
	return s.mute
}

func (s *kernel) Unremovable(h vrrp.Holdings) map[vrrp.InterfaceAddress]error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.examined++
	all := make(map[vrrp.InterfaceAddress]error)
	for _, a := range h.Addresses {
		all[a] = s.stuck
	}
	return all
}

func (s *kernel) Send(p vrrp.Packet) error {
	ad, err := vrrp.Decode(p.Payload, p.Src, p.Dst)
	if err != nil {
		s.t.Errorf("a bad packet was sent: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	by := ""
	if strings.HasPrefix(p.Port.Interface, "vrrp") {
		by = " by " + p.Port.Interface
	}
	s.note(loop, "advert %d from %s to %s%s", ad.Priority, p.Src, p.Dst, by)
	if !s.devices[p.Port.Interface].Up {
		return errors.New("network is down")
	}
	return s.refusal
}

// wait is the kernel that takes its time.
func (s *kernel) wait() {
	s.mu.Lock()
	blocked := s.blocked
	s.mu.Unlock()
	if blocked != nil {
		<-blocked
	}
}

// The kernel prints what is asked of it as the commands that would do it.

func (s *kernel) Renew(h vrrp.Holdings) (missing []vrrp.InterfaceAddress, err error) {
	s.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range h.Addresses {
		if !slices.Contains(s.devices[a.Interface].Addresses, a.Prefix) {
			missing = append(missing, a)
			continue
		}
		s.note(worker, "ip addr replace %s dev %s valid_lft %s", a.Prefix, a.Interface, h.Lease.Round(time.Millisecond))
	}
	return missing, s.failure
}

func (s *kernel) Hold(h vrrp.Holdings) (added, missing vrrp.Holdings, err error) {
	s.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range h.Addresses {
		lease := ""
		if h.Lease > 0 {
			lease = fmt.Sprintf(" valid_lft %s", h.Lease.Round(time.Millisecond))
		}
		s.note(worker, "ip addr replace %s dev %s%s", a.Prefix, a.Interface, lease)
		d := s.devices[a.Interface]
		if s.failure == nil && !slices.Contains(d.Addresses, a.Prefix) {
			added.Addresses = append(added.Addresses, a)
			d.Addresses = append(slices.Clone(d.Addresses), a.Prefix)
			s.devices[a.Interface] = d
		}
	}
	if len(added.Addresses) > 0 {
		s.publish()
	}
	for _, r := range h.Routes {
		switch {
		case s.unroutable != nil:
			missing.Routes = append(missing.Routes, r)
		case !s.paths[r]:
			s.note(worker, "ip %s: added", r)
			added.Routes = append(added.Routes, r)
			s.paths[r] = true
		}
	}
	for _, r := range h.Rules {
		if !s.paths[r] {
			s.note(worker, "ip %s: added", r)
			added.Rules = append(added.Rules, r)
			s.paths[r] = true
		}
	}
	return added, missing, errors.Join(s.failure, s.unroutable)
}

// Sweep removes what is not to be kept.
func (s *kernel) Sweep(keep vrrp.Holdings) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.left {
		if !slices.Contains(keep.Addresses, a) {
			s.note(worker, "ip addr del %s dev %s: swept", a.Prefix, a.Interface)
		}
	}
	wanted := map[fmt.Stringer]bool{}
	for _, r := range keep.Routes {
		wanted[r] = true
	}
	for _, r := range keep.Rules {
		wanted[r] = true
	}
	for p := range s.paths {
		if !wanted[p] {
			s.note(worker, "ip %s: swept", p)
			delete(s.paths, p)
		}
	}
	return nil
}

func (s *kernel) Release(h vrrp.Holdings) (removed vrrp.Holdings, err error) {
	s.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range h.Rules {
		s.note(worker, "ip %s: removed", r)
		delete(s.paths, r)
	}
	for _, r := range h.Routes {
		s.note(worker, "ip %s: removed", r)
		delete(s.paths, r)
	}
	for _, a := range h.Addresses {
		s.note(worker, "ip addr del %s dev %s", a.Prefix, a.Interface)
		if s.failure != nil {
			continue
		}
		if slices.Contains(s.devices[a.Interface].Addresses, a.Prefix) {
			removed.Addresses = append(removed.Addresses, a)
		}
		s.remove(a)
	}
	s.publish()
	return removed, s.failure
}

// fail lets all work on addresses fail, or none.
func (s *kernel) fail(err error) {
	s.mu.Lock()
	s.failure = err
	s.mu.Unlock()
}

func (s *kernel) remove(a vrrp.InterfaceAddress) {
	d := s.devices[a.Interface]
	d.Addresses = slices.DeleteFunc(slices.Clone(d.Addresses), func(p netip.Prefix) bool { return p == a.Prefix })
	s.devices[a.Interface] = d
}

func (s *kernel) Announce(h vrrp.Holdings) error {
	s.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range h.Addresses {
		s.note(worker, "arping -U -I %s %s", a.Interface, a.Prefix.Addr())
	}
	return nil
}

// set changes an interface.
func (s *kernel) set(name string, up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.devices[name]
	d.Up = up
	s.devices[name] = d
	s.publish()
}

// change changes an interface as somebody else does.
func (s *kernel) change(name string, f func(*vrrp.Interface)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.devices[name]
	f(&d)
	s.devices[name] = d
	s.publish()
}

// arrive puts an advert of the peer into the socket; loudly, with a wake-up.
func (s *kernel) arrive(priority uint8, loudly bool) {
	s.arriveTo(vrrp.Group4, 51, priority, loudly)
}

func (s *kernel) arriveTo(dst netip.Addr, vrid, priority uint8, loudly bool) {
	s.arriveOf(dst, vrid, priority, "10.9.0.200", loudly)
}

func (s *kernel) arriveOf(dst netip.Addr, vrid, priority uint8, address string, loudly bool) {
	s.put(dst, vrrp.Advert{Version: 3, VRID: vrid, Priority: priority, Interval: time.Second, Addresses: []netip.Addr{netip.MustParseAddr(address)}})
	if loudly {
		s.wake <- struct{}{}
	}
	synctest.Wait()
}

func (s *kernel) put(dst netip.Addr, ad vrrp.Advert) {
	src := netip.MustParseAddr(peer)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, vrrp.Packet{
		Port: vrrp.Port{Interface: "eth0", Family: 4}, Src: src, Dst: dst, TTL: 255, Payload: ad.Append(nil, src, dst),
	})
}
