package link

import (
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// wouldDo is the code of events about what is not done.
const wouldDo = "would-do"

// A Dry is a Link that changes nothing. It hears adverts and sees the interfaces as a Link
// does, and on these the addresses as they would be by what it was asked to do; it sends
// nothing, and reports what it would have done.
type Dry struct {
	*Link
	report func(vrrp.Event)

	mu             sync.Mutex
	added, removed map[vrrp.InterfaceAddress]bool
	routes         map[vrrp.Route]bool
	rules          map[vrrp.Rule]bool
	// seen are the interfaces of the Link from which shown was made; nil: it is to be made.
	seen, shown *vrrp.Interfaces
	// said are the priorities of the last adverts that were not sent.
	said map[advertiser]uint8
}

// An advertiser is who sends adverts.
type advertiser struct {
	vrrp.Port
	vrid uint8
}

var (
	_ vrrp.Link   = (*Dry)(nil)
	_ vrrp.Holder = (*Dry)(nil)
)

// OpenDry returns a Dry of this network namespace.
func OpenDry(report func(vrrp.Event)) (*Dry, error) {
	l, err := Open()
	if err != nil {
		return nil, err
	}
	l.dry = true
	return &Dry{Link: l, report: report, added: make(map[vrrp.InterfaceAddress]bool), removed: make(map[vrrp.InterfaceAddress]bool),
		routes: make(map[vrrp.Route]bool), rules: make(map[vrrp.Rule]bool), said: make(map[advertiser]uint8)}, nil
}

// would reports what is not done.
func (d *Dry) would(format string, args ...any) {
	d.report(vrrp.Event{At: time.Now(), Code: wouldDo, Level: slog.LevelInfo, Text: "would " + fmt.Sprintf(format, args...)})
}

// Interfaces returns the interfaces with the addresses that they would have.
func (d *Dry) Interfaces() *vrrp.Interfaces {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.Link.Interfaces()
	if now == d.seen {
		return d.shown
	}
	shown := *now
	shown.ByName = maps.Clone(now.ByName)
	for name, i := range shown.ByName {
		i.Addresses = slices.Clone(i.Addresses)
		for a := range d.removed {
			if a.Interface == name {
				i.Addresses = slices.DeleteFunc(i.Addresses, func(p netip.Prefix) bool { return p == a.Prefix })
			}
		}
		for a := range d.added {
			if a.Interface == name && !slices.Contains(i.Addresses, a.Prefix) {
				i.Addresses = append(i.Addresses, a.Prefix)
			}
		}
		shown.ByName[name] = i
	}
	d.seen, d.shown = now, &shown
	return d.shown
}

// has reports whether an address would be there.
func (d *Dry) has(a vrrp.InterfaceAddress) bool {
	return slices.Contains(d.Interfaces().ByName[a.Interface].Addresses, a.Prefix)
}

// changed lets the loop of the routers look again.
func (d *Dry) changed() {
	d.mu.Lock()
	d.seen = nil
	d.mu.Unlock()
	token(d.wake)
}

// Hold reports what it would add, and takes it for there.
func (d *Dry) Hold(h vrrp.Holdings) (added, missing vrrp.Holdings, err error) {
	for _, a := range h.Addresses {
		if !d.has(a) {
			added.Addresses = append(added.Addresses, a)
			d.mu.Lock()
			d.added[a] = true
			delete(d.removed, a)
			d.mu.Unlock()
		}
	}
	added.Routes, added.Rules = d.take(h, true)
	d.tell("add", added)
	return added, vrrp.Holdings{}, nil
}

// Release reports what it would remove, and takes it for gone.
func (d *Dry) Release(h vrrp.Holdings) (removed vrrp.Holdings, err error) {
	for _, a := range h.Addresses {
		if d.has(a) {
			removed.Addresses = append(removed.Addresses, a)
			d.mu.Lock()
			d.removed[a] = true
			delete(d.added, a)
			d.mu.Unlock()
		}
	}
	removed.Routes, removed.Rules = d.take(h, false)
	d.tell("remove", removed)
	return removed, nil
}

// take makes routes and rules be there or not, and returns those that were not so.
func (d *Dry) take(h vrrp.Holdings, there bool) (routes []vrrp.Route, rules []vrrp.Rule) {
	for _, r := range h.Routes {
		if d.routes[r] != there {
			d.routes[r], routes = there, append(routes, r)
		}
	}
	for _, r := range h.Rules {
		if d.rules[r] != there {
			d.rules[r], rules = there, append(rules, r)
		}
	}
	return routes, rules
}

// tell reports changes that are not made.
func (d *Dry) tell(what string, h vrrp.Holdings) {
	names := h.Names()
	for _, name := range names {
		d.would("%s %s", what, name)
	}
	if len(names) > 0 {
		d.changed()
	}
}

// Renew has nothing to do.
func (d *Dry) Renew(vrrp.Holdings) (missing []vrrp.InterfaceAddress, err error) { return nil, nil }

// Sweep removes nothing: what an earlier process has left may be of one that runs.
func (d *Dry) Sweep(vrrp.Holdings) error { return nil }

// Announce reports what it would announce.
func (d *Dry) Announce(h vrrp.Holdings) error {
	for _, name := range (vrrp.Holdings{Addresses: h.Addresses}).Names() {
		d.would("announce %s", name)
	}
	return nil
}

// Ask asks nobody, so nobody answers.
func (d *Dry) Ask(vrrp.Ask) error { return nil }

// Unremovable finds nothing, since nothing is added.
func (d *Dry) Unremovable(vrrp.Holdings) map[vrrp.InterfaceAddress]error { return nil }

// Refuse drops nothing.
func (d *Dry) Refuse([]netip.Addr) {}

// Send reports the first advert of each priority that it would send.
func (d *Dry) Send(p vrrp.Packet) error {
	a, err := vrrp.Decode(p.Payload, p.Src, p.Dst)
	if err != nil {
		return nil // It would have been sent all the same.
	}
	who := advertiser{p.Port, a.VRID}
	d.mu.Lock()
	last, known := d.said[who]
	d.said[who] = a.Priority
	d.mu.Unlock()
	if !known || last != a.Priority {
		d.would("send adverts of virtual router id %d with priority %d from %v on %s", a.VRID, a.Priority, p.Src, p.Port.Interface)
	}
	return nil
}
