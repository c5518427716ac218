package config_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// A host is the machine of one virtual router, and the network that it is on.
type host struct {
	t       *testing.T
	session *vrrp.Session
	ended   chan struct{}
	wake    chan struct{}
	alarm   *time.Timer
	other   vrrp.Config // the other director's
	ttl     int         // of its adverts, if it is not as configured
	mark    time.Time   // from which the log counts
	seen    []string

	mu      sync.Mutex
	down    map[string]bool
	has     map[vrrp.InterfaceAddress]string // virtual addresses with their lifetimes
	paths   map[string]bool                  // routes and rules
	ports   map[vrrp.Port][]vrrp.Identity
	view    *vrrp.Interfaces
	arrived []vrrp.Packet
	claims  []vrrp.Claim
	refused []netip.Addr
	answers bool // the other director has the addresses
	signed  vrrp.Sequence
	log     []string
}

var own = map[string][]string{"eth0": {"10.9.0.1/24", "10.9.0.7/24"}, "eth1": {"192.168.1.1/24"}, "eth2": {"10.9.0.9/24"}, "vrrp4-51": nil}

func newHost(t *testing.T) *host {
	h := &host{t: t, ended: make(chan struct{}), wake: make(chan struct{}, 1), mark: time.Now(),
		down: map[string]bool{}, has: map[vrrp.InterfaceAddress]string{}, paths: map[string]bool{}}
	h.publish()
	h.session = vrrp.NewSession(h, h, h.event)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() { defer close(h.ended); h.session.Run(ctx) }()
	return h
}

func (h *host) note(format string, args ...any) {
	h.log = append(h.log, fmt.Sprintf("%9.3f ", time.Since(h.mark).Seconds())+fmt.Sprintf(format, args...))
}

// event writes down what the router becomes; what else it tells depends on what it
// has told before.
func (h *host) event(e vrrp.Event) {
	if e.Changed() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.note("%s is %s: %s", e.Router, e.To, e.Text)
	}
}

// forget forgets what was noted so far, and counts the time anew.
func (h *host) forget() {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log, h.mark = nil, time.Now()
}

// look writes down all that is there to be seen.
func (h *host) look(when string) {
	synctest.Wait()
	statuses := h.session.Statuses()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = append(h.seen, "---- "+when)
	slices.Sort(h.log) // What happens at one moment is of two goroutines.
	h.seen = append(h.seen, h.log...)
	h.log = nil
	for _, s := range statuses {
		s.Age = 0
		s.Since, s.Counters, s.Peers, s.Rivals = time.Time{}, vrrp.Counters{}, nil, nil
		s.AdvertGaps, s.AdvertLateness = vrrp.Histogram{}, vrrp.Histogram{}
		if s.Authentication != nil {
			h.seen = append(h.seen, fmt.Sprintf("authentication %+v", *s.Authentication))
			s.Authentication = nil
		}
		delete(s.Senders, vrrp.ReasonUnsigned) // They are remembered.
		delete(s.Senders, vrrp.ReasonUnverified)
		if s.Aside != nil {
			h.seen = append(h.seen, fmt.Sprintf("stands aside for %+v", *s.Aside))
			s.Aside = nil
		}
		h.seen = append(h.seen, fmt.Sprintf("status %+v", s))
	}
	for a, lease := range h.has {
		h.seen = append(h.seen, fmt.Sprintf("%s dev %s %s", a.Prefix, a.Interface, lease))
	}
	slices.Sort(h.seen[len(h.seen)-len(h.has):])
	h.seen = append(h.seen, slices.Sorted(maps.Keys(h.paths))...)
	h.seen = append(h.seen, fmt.Sprint("listening ", h.ports), fmt.Sprint("refusing ", h.refused))
}

func (h *host) state() vrrp.State { return h.session.Statuses()[0].State }

// advert is one of the other director's.
func (h *host) advert(priority uint8) {
	c, src, dst := &h.other, netip.MustParseAddr("10.9.0.2"), vrrp.Group4
	switch {
	case len(c.Peers) > 0:
		dst = netip.MustParseAddr("10.9.0.1")
	case c.Multicast.IsValid():
		dst = c.Multicast
	}
	ad := vrrp.Advert{Version: c.Version, VRID: c.VRID, Priority: priority, Interval: c.Interval}
	if c.Version == 2 {
		copy(ad.Password[:], c.Authentication.Password)
	}
	for _, p := range c.Addresses {
		ad.Addresses = append(ad.Addresses, p.Addr())
	}
	payload := ad.Append(nil, src, dst)
	if a := &c.Authentication; a.Signer != 0 {
		h.signed++
		other := vrrp.NewRouter(*c)
		other.Startup(time.Now(), src)
		payload = other.Encode(nil, vrrp.Send{Advert: ad, Sequence: vrrp.Sequence(time.Now().Unix())<<32 + h.signed}, dst)
	}
	h.mu.Lock()
	h.arrived = append(h.arrived, vrrp.Packet{Port: vrrp.Port{Interface: c.Interface, Family: 4}, Src: src, Dst: dst, TTL: cmp.Or(h.ttl, int(c.MaxTTL)), Payload: payload})
	h.mu.Unlock()
	h.token()
	synctest.Wait()
}

// strange lets the other director advertise in another version for some turns, and
// answer for the addresses.
func (h *host) strange(turns int) {
	version := h.other.Version
	h.other.Version = 5 - version
	h.answer(true)
	for range turns {
		h.advert(200)
		time.Sleep(h.other.Interval)
	}
	h.other.Version = version
	h.answer(false)
}

// answer lets somebody else answer for the addresses, or nobody.
func (h *host) answer(yes bool) {
	h.mu.Lock()
	h.answers = yes
	h.mu.Unlock()
}

func (h *host) set(device string, up bool) {
	h.mu.Lock()
	h.down[device] = !up
	h.publish()
	h.mu.Unlock()
}

func (h *host) token() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *host) publish() {
	h.view = &vrrp.Interfaces{ByName: map[string]vrrp.Interface{}, Ports: map[vrrp.Port]string{}}
	for name, addresses := range own {
		i := vrrp.Interface{Enabled: true, Up: !h.down[name]}
		for _, a := range addresses {
			i.Addresses = append(i.Addresses, netip.MustParsePrefix(a))
		}
		for a := range h.has {
			if a.Interface == name {
				i.Addresses = append(i.Addresses, a.Prefix)
			}
		}
		h.view.ByName[name] = i
	}
	for p := range h.ports {
		h.view.Ports[p] = ""
	}
	h.token()
}

func (h *host) Wake() <-chan struct{} { return h.wake }

func (h *host) WakeAt(at time.Time) {
	if h.alarm != nil {
		h.alarm.Stop()
	}
	if !at.IsZero() {
		h.alarm = time.AfterFunc(time.Until(at), h.token)
	}
}

func (h *host) Listen(wanted map[vrrp.Port][]vrrp.Identity) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ports = wanted
	h.publish()
}

func (h *host) Interfaces() *vrrp.Interfaces {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.view
}

func (h *host) Receive(f func(vrrp.Packet)) {
	h.mu.Lock()
	packets := h.arrived
	h.arrived = nil
	h.mu.Unlock()
	for _, p := range packets {
		f(p)
	}
}

func (h *host) Refuse(addresses []netip.Addr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused = addresses
}

func (h *host) Watch(map[string][]netip.Addr) {}

func (h *host) Ask(a vrrp.Ask) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.answers {
		h.claims = append(h.claims, vrrp.Claim{Interface: a.Interface, Address: a.Address, MAC: "52:54:00:00:00:02"})
		h.token()
	}
	return nil
}

func (h *host) Claims(f func(vrrp.Claim)) {
	h.mu.Lock()
	claims := h.claims
	h.claims = nil
	h.mu.Unlock()
	for _, c := range claims {
		f(c)
	}
}

func (h *host) Unremovable(vrrp.Holdings) map[vrrp.InterfaceAddress]error { return nil }

func (h *host) Send(p vrrp.Packet) error {
	ad, err := vrrp.Decode(p.Payload, p.Src, p.Dst)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("on %s from %s to %s with TTL %d: %+v", p.Port.Interface, p.Src, p.Dst, p.TTL, ad)
	if ad.Signed {
		h.note("signed %x", p.Payload[len(p.Payload)-28:])
	}
	return err
}

// Renew leaves it to Hold.
func (h *host) Renew(want vrrp.Holdings) (missing []vrrp.InterfaceAddress, err error) {
	return want.Addresses, nil
}

func (h *host) Hold(want vrrp.Holdings) (added, missing vrrp.Holdings, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range want.Addresses {
		if own[a.Interface] == nil {
			err = errors.New("there is no " + a.Interface)
			continue
		}
		if h.has[a] == "" {
			added.Addresses = append(added.Addresses, a)
		}
		h.has[a] = "for ever"
		if want.Lease > 0 {
			h.has[a] = "for " + want.Lease.String()
		}
	}
	for _, p := range slices.Concat(texts(want.Routes), texts(want.Rules)) {
		h.paths[p] = true
	}
	h.publish()
	return added, missing, err
}

func (h *host) Sweep(vrrp.Holdings) error { return nil }

func texts[T fmt.Stringer](list []T) (all []string) {
	for _, v := range list {
		all = append(all, v.String())
	}
	return all
}

func (h *host) Release(all vrrp.Holdings) (removed vrrp.Holdings, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range all.Addresses {
		if h.has[a] != "" {
			removed.Addresses = append(removed.Addresses, a)
		}
		delete(h.has, a)
	}
	for _, p := range slices.Concat(texts(all.Routes), texts(all.Rules)) {
		delete(h.paths, p)
	}
	h.publish()
	return removed, nil
}

func (h *host) Announce(all vrrp.Holdings) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range all.Addresses {
		h.note("announce %s on %s", a.Prefix.Addr(), a.Interface)
	}
	return nil
}
