package link

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/fault"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// forever is the lifetime of a permanent address.
const forever = math.MaxUint32

// errNoLease is that an address is there, and has no lease.
var errNoLease = errors.New("held without a lease")

// holdAddresses makes it so that the addresses are on their interfaces. The kernel
// removes them when their lease ends, of whole seconds, rounded up; holding again
// begins it anew. An address whose removal would take an own address of the interface
// along is held without a lease, with an error.
func (l *Link) holdAddresses(h vrrp.Holdings) (added, missing []vrrp.InterfaceAddress, err error) {
	spared := l.sparing()
	err = l.each(h, "adding %s to %s: %w", func(d *device, a vrrp.InterfaceAddress) error {
		isNew, err := l.hold(d, a, h.Attributes[a.Prefix.Addr()], h.Lease, spared)
		if isNew {
			added = append(added, a)
		} else if err != nil && !errors.Is(err, errNoLease) {
			missing = append(missing, a)
		}
		return err
	})
	return added, missing, err
}

// Renew begins the leases of addresses anew that Hold has added. It returns those that
// are not there as it knows, or that the kernel refuses.
func (l *Link) Renew(h vrrp.Holdings) (missing []vrrp.InterfaceAddress, err error) {
	v, spared := l.view.Load(), make(sparing)
	there := make([]vrrp.InterfaceAddress, 0, len(h.Addresses))
	for _, a := range h.Addresses {
		d := v.devices[a.Interface]
		if _, held := l.held[a]; held && d != nil && d.has(a) && spared.endangers(d, a.Prefix) == nil {
			there = append(there, a)
		} else {
			missing = append(missing, a)
		}
	}
	for some := range slices.Chunk(there, renewedAtOnce) {
		refused, err := l.renewals.renew(len(some), func(i int) assignment {
			return l.request(v.devices[some[i].Interface], some[i], l.as(some[i]), h.Lease)
		})
		if err != nil {
			return nil, fault.Of(fmt.Errorf("renewing the leases of addresses: %w", err))
		}
		for i := range refused {
			missing = append(missing, some[i])
		}
	}
	return missing, nil
}

// has reports whether an address was last seen on an interface.
func (d *device) has(a vrrp.InterfaceAddress) bool {
	return slices.ContainsFunc(d.addrs, func(o address) bool { return o.Prefix == a.Prefix })
}

// each calls f with each address and its interface, which is nil where it does
// not exist, and wraps its errors.
func (l *Link) each(h vrrp.Holdings, doing string, f func(*device, vrrp.InterfaceAddress) error) error {
	v := l.view.Load()
	var errs []error
	for _, a := range h.Addresses {
		if err := f(v.devices[a.Interface], a); err != nil {
			errs = append(errs, fmt.Errorf(doing, a.Prefix, a.Interface, err))
		}
	}
	return errors.Join(errs...)
}

func (l *Link) hold(d *device, a vrrp.InterfaceAddress, as vrrp.Attributes, lease time.Duration, spared sparing) (added bool, err error) {
	if d == nil {
		return false, errors.New("the interface does not exist")
	}
	if err := l.raise(d); err != nil {
		return false, err
	}
	different, err := l.differs(d, a, as)
	if different {
		_, err = l.release(d, a, spared)
	}
	if err != nil {
		return false, fmt.Errorf("removing it, which was added in another way: %w", err)
	}
	l.held[a] = nil
	if as != (vrrp.Attributes{}) {
		l.held[a] = &as
	}
	// When a lease ends the kernel removes the address by the same rule, and
	// nobody is left by then to prepare for it.
	var noLease error
	if lease > 0 {
		if noLease = spared.endangers(d, a.Prefix); noLease != nil {
			lease, noLease = 0, fmt.Errorf("%w: %w", errNoLease, noLease)
		}
	}
	addr := l.request(d, a, as, lease)
	// An exclusive add shows whether the address was there.
	if err = l.requests.add(addr); errors.Is(err, unix.EEXIST) {
		return false, errors.Join(l.requests.replace(addr), noLease)
	}
	return err == nil, errors.Join(err, noLease)
}

// differs reports whether an address is there with other attributes, which the kernel
// changes only where it is added anew. Of one that was not added by Hold, only those
// count that are wanted.
func (l *Link) differs(d *device, a vrrp.InterfaceAddress, as vrrp.Attributes) (bool, error) {
	as.Preferred = false // That one it does change.
	if l.hasHeld(a) {
		was := l.as(a)
		was.Preferred = false
		return was != as, nil
	}
	at := slices.IndexFunc(d.addrs, func(o address) bool { return o.Prefix == a.Prefix })
	if as == (vrrp.Attributes{}) || at < 0 {
		return false, nil
	}
	if as.Peer.IsValid() && as.Peer != d.addrs[at].peer.Addr() {
		return true, nil
	}
	all, err := whole(func() ([]netlink.Addr, error) {
		return l.netlink.AddrList(&netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: d.index}}, netlink.FAMILY_V4)
	})
	i := slices.IndexFunc(all, func(o netlink.Addr) bool { return o.IPNet.String() == ipNet(a.Prefix).String() })
	if i < 0 {
		return false, err
	}
	broadcast, _ := netip.AddrFromSlice(all[i].Broadcast)
	return as.Label != "" && as.Label != all[i].Label || as.Scope != 0 && int(as.Scope) != all[i].Scope ||
		as.Broadcast.IsValid() && as.Broadcast != broadcast.Unmap() || as.NoPrefixRoute && all[i].Flags&unix.IFA_F_NOPREFIXROUTE == 0, err
}

// request is an address as it is given to the kernel.
func (l *Link) request(d *device, a vrrp.InterfaceAddress, as vrrp.Attributes, lease time.Duration) assignment {
	valid := uint32(forever)
	if lease > 0 {
		valid = uint32((lease + time.Second - 1) / time.Second)
	}
	addr := assignment{index: d.index, prefix: a.Prefix, peer: as.Peer, valid: valid, preferred: valid}
	if as.NoPrefixRoute {
		addr.flags = unix.IFA_F_NOPREFIXROUTE
	}
	if a.Prefix.Addr().Is4() {
		addr.broadcast, addr.label, addr.scope = as.Broadcast, as.Label, as.Scope
		if d.virtual() && l.onLink(d, a) {
			addr.flags = unix.IFA_F_NOPREFIXROUTE
		}
		return addr
	}
	// Two directors hold the address during a hand-over, and duplicate
	// address detection would disable it on the second.
	addr.flags |= unix.IFA_F_NODAD
	// Connections that the director itself opens must not come from an address
	// that may move away (RFC 6724 section 5, rule 3). IPv4 needs no flag for
	// that: an address in a network that has one already is secondary.
	if !as.Preferred {
		addr.preferred = 0
	}
	if l.onLink(d, a) {
		// The route to the network belongs to the own address. A permanent
		// address that gets a lease would pass it on to that route.
		addr.flags |= unix.IFA_F_NOPREFIXROUTE
	}
	return addr
}

// onLink reports whether an own address of the interface, or of the one below the
// device of a virtual MAC, is in the same network, which has its route there then.
func (l *Link) onLink(d *device, a vrrp.InterfaceAddress) bool {
	if below := l.view.Load().below(d); below != nil {
		if a.Prefix.Addr().IsLinkLocalUnicast() {
			return false // Such a network is another one on each interface.
		}
		d = below
	}
	return slices.ContainsFunc(d.addrs, func(o address) bool {
		return o.Masked() == a.Prefix.Masked() && !l.hasHeld(vrrp.InterfaceAddress{Interface: d.name, Prefix: o.Prefix})
	})
}

func (l *Link) hasHeld(a vrrp.InterfaceAddress) bool {
	_, held := l.held[a]
	return held
}

// as is how Hold has added an address.
func (l *Link) as(a vrrp.InterfaceAddress) vrrp.Attributes {
	if as := l.held[a]; as != nil {
		return *as
	}
	return vrrp.Attributes{}
}

// Unremovable returns which addresses, once they are held, could not be removed again
// without the interface's own ones, and why. That depends on whether one of its network
// is there already, of which it becomes a secondary one. Otherwise it becomes the
// primary one, and whatever comes later needs promote_secondaries.
func (l *Link) Unremovable(h vrrp.Holdings) map[vrrp.InterfaceAddress]error {
	v, spared := l.view.Load(), make(sparing)
	all := make(map[vrrp.InterfaceAddress]error)
	for _, a := range h.Addresses {
		d := v.devices[a.Interface]
		if d == nil || !d.wouldLead(a.Prefix) {
			continue
		}
		if err := spared.prepare(d); err != nil {
			all[a] = fmt.Errorf("%v could not be removed from %s again without addresses of its network that come later, since promote_secondaries cannot be set (%w): "+
				"set net.ipv4.conf.all.promote_secondaries=1 (for a container, where it is created), or give %s an address in %v first",
				a.Prefix, a.Interface, err, a.Interface, a.Prefix.Masked())
		}
	}
	return all
}

// wouldLead reports whether an address is the primary one of its network, or would
// be if it were added.
func (d *device) wouldLead(p netip.Prefix) bool {
	return p.Addr().Is4() && !p.IsSingleIP() && !slices.ContainsFunc(d.addrs, func(o address) bool {
		return o.Prefix != p && o.Masked() == p.Masked() && o.flags&unix.IFA_F_SECONDARY == 0
	})
}

// releaseAddresses makes it so that the addresses are not on their interfaces. One that
// is gone already is no error.
func (l *Link) releaseAddresses(h vrrp.Holdings) (removed []vrrp.InterfaceAddress, err error) {
	spared := l.sparing()
	err = l.each(h, "removing %s from %s: %w", func(d *device, a vrrp.InterfaceAddress) error {
		defer delete(l.held, a)
		if d == nil {
			return nil
		}
		was, err := l.release(d, a, spared)
		if was {
			removed = append(removed, a)
		}
		return err
	})
	return removed, err
}

// release removes an address, unless that would remove the interface's own
// ones with it, and reports whether it was there.
func (l *Link) release(d *device, a vrrp.InterfaceAddress, spared sparing) (was bool, err error) {
	if err = spared.endangers(d, a.Prefix); err != nil {
		return false, err
	}
	link := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: d.index}}
	addr := &netlink.Addr{IPNet: ipNet(a.Prefix), Broadcast: net.IPv4zero}
	if peer := l.peer(d, a); peer.IsValid() {
		addr.Peer = ipNet(peer)
	}
	err = l.netlink.AddrDel(link, addr)
	if errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.ENODEV) {
		return false, nil
	}
	return err == nil, err
}

// peer is the other end of a point-to-point address that is there, or that Hold has added
// a moment ago. The kernel knows such an address by both.
func (l *Link) peer(d *device, a vrrp.InterfaceAddress) netip.Prefix {
	i := slices.IndexFunc(d.addrs, func(o address) bool { return o.Prefix == a.Prefix })
	if as := l.as(a); i < 0 && as.Peer.IsValid() {
		return netip.PrefixFrom(as.Peer, as.Peer.BitLen())
	}
	if i < 0 {
		return netip.Prefix{}
	}
	return d.addrs[i].peer
}

// sweepAddresses removes the addresses of ours but for these: an earlier process has left
// them.
func (l *Link) sweepAddresses(keep []vrrp.InterfaceAddress) error {
	own, err := l.requests.own()
	if err != nil || len(own) == 0 {
		return err
	}
	there, err := l.list()
	if err != nil {
		return err
	}
	spared := make(sparing)
	var errs []error
	for _, o := range own {
		d, p := there[o.index], prefix(o.net)
		if d == nil || d.virtual() || slices.Contains(keep, vrrp.InterfaceAddress{Interface: d.name, Prefix: p}) {
			continue // A device of ours is kept or removed as a whole.
		}
		if _, err := l.release(d, vrrp.InterfaceAddress{Interface: d.name, Prefix: p}, spared); err != nil {
			errs = append(errs, fmt.Errorf("removing %s from %s: %w", p, d.name, err))
		}
	}
	return errors.Join(errs...)
}

// sparedFor is how long the kernel's parameters are relied upon: a thousand routers that
// move at one time are one after the other.
const sparedFor = 50 * time.Millisecond

// sparing is what was found out a moment ago, for Hold and Release.
func (l *Link) sparing() sparing {
	if now := time.Now(); now.Sub(l.sparedAt) > sparedFor {
		l.spared, l.sparedAt = make(sparing), now
	}
	return l.spared
}

// endangers returns why the removal of an address would remove others, if it
// would.
func (s sparing) endangers(d *device, p netip.Prefix) error {
	if !p.Addr().Is4() {
		return nil
	}
	if err := s.prepare(d); err != nil && d.wouldTakeAlong(p) {
		return fmt.Errorf("the kernel would also remove the interface's own address in that network: %w", err)
	}
	return nil
}

// prepare lets the other addresses of an interface be spared, or returns why not. The
// device of a virtual MAC is made so.
func (s sparing) prepare(d *device) error {
	if d.virtual() {
		return nil
	}
	if _, done := s[d.name]; !done {
		s[d.name] = promoteSecondaries(d.name)
	}
	return s[d.name]
}

// wouldTakeAlong reports whether an address is the primary one of its network
// and others depend on it.
func (d *device) wouldTakeAlong(p netip.Prefix) bool {
	others := false
	for _, o := range d.addrs {
		secondary := o.flags&unix.IFA_F_SECONDARY != 0
		if o.Prefix == p && secondary {
			return false
		}
		others = others || o.Prefix != p && o.Masked() == p.Masked() && secondary
	}
	return others
}

// promoteSecondaries lets the other addresses of a network live on when its
// primary one is removed, by us or by the kernel.
func promoteSecondaries(name string) error {
	var path string
	for _, conf := range [...]string{"all", name} { // Either is enough.
		path = "/proc/sys/net/ipv4/conf/" + conf + "/promote_secondaries"
		if b, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(b)) != "0" {
			return nil
		}
	}
	return os.WriteFile(path, []byte("1"), 0)
}

func ipNet(p netip.Prefix) *net.IPNet {
	a := p.Addr()
	return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(p.Bits(), a.BitLen())}
}
