package link

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A macvlan is the device of a virtual MAC as it is wanted.
type macvlan struct {
	name   string
	family int
	mac    net.HardwareAddr
	below  *device
}

// is reports whether a device is the one that is wanted.
func (m *macvlan) is(d *device) bool {
	return d.private && d.parent == m.below.index && slices.Equal(d.mac, m.mac) && d.master == m.below.vrf()
}

// makeDevices makes the devices of virtual MACs that are wanted, and removes those that
// are not. It reports whether something failed that should be tried again.
func (l *Link) makeDevices(t table, v *view) (failed bool) {
	if l.dry {
		return false
	}
	l.mu.Lock()
	want := l.want
	l.mu.Unlock()
	for p, ours := range want {
		if len(ours) == 0 || ours[0].Below == "" {
			continue
		}
		mac := vrrp.MAC(p.Family, ours[0].VRID)
		m := &macvlan{name: p.Interface, family: p.Family, mac: mac[:], below: v.devices[ours[0].Below]}
		if m.below == nil {
			v.Ports[p] = fmt.Sprintf("interface %s does not exist", ours[0].Below)
			continue
		}
		if err := l.makeDevice(t, v, m); err != nil {
			v.Ports[p] = err.Error()
			failed = true
		}
	}
	if want != nil {
		l.removeDevices(t, v, want)
	}
	return failed
}

// makeDevice makes a device, unless it is there. One that is there and not lvsd's is
// left alone.
func (l *Link) makeDevice(t table, v *view, m *macvlan) error {
	d := v.devices[m.name]
	if d != nil && !d.virtual() {
		return fmt.Errorf("there is a device %s that lvsd has not made: choose another device for the virtual MAC, or remove it (ip link delete %[1]s)", m.name)
	}
	if d != nil && !m.is(d) {
		if err := l.removeDevice(t, v, d); err != nil {
			return err
		}
		d = nil
	}
	if d != nil && l.prepared[d.index] {
		return nil
	}
	if d == nil {
		if err := l.addDevice(t, v, m); err != nil {
			return err
		}
		d = v.devices[m.name]
	} else {
		_ = setMute(d, false) // A director that crashed may have left it so.
		if l.bare(d) {        // The addresses of that one have run out.
			_ = l.netlink.LinkSetDown(d.link())
		}
	}
	if err := l.prepare(m); err != nil {
		return err
	}
	l.prepared[d.index] = true
	return nil
}

// addDevice makes a device, which is down, and lets the view know it at once.
func (l *Link) addDevice(t table, v *view, m *macvlan) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex, attrs.HardwareAddr, attrs.MasterIndex = m.name, m.below.index, m.mac, m.below.vrf()
	device := &netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_PRIVATE}
	err := l.netlink.LinkAdd(device)
	switch {
	case errors.Is(err, unix.EOPNOTSUPP):
		err = fmt.Errorf("this kernel has no macvlan, and cannot load it: load the module (modprobe macvlan), or remove virtual_mac")
	case errors.Is(err, unix.EBUSY):
		err = fmt.Errorf("%s is a port of a bridge, a bond or the like (%w): write that one as the router's interface", m.below.name, err)
	case errors.Is(err, unix.EINVAL):
		err = fmt.Errorf("%s is not an Ethernet interface (%w): remove virtual_mac", m.below.name, err)
	}
	if err == nil {
		err = l.netlink.LinkSetAlias(device, ownAlias+"virtual MAC on "+m.below.name)
	}
	var made netlink.Link
	if err == nil {
		made, err = l.netlink.LinkByIndex(device.Index)
	}
	if err != nil {
		return fmt.Errorf("making device %s on %s: %w", m.name, m.below.name, err)
	}
	t.set(made)
	v.devices[m.name] = t[device.Index]
	return nil
}

// removeDevices removes the devices that are not wanted any more, and have no address
// any more: those of a router that nobody took over from stay for the next start to
// adopt. What that start does not know is removed with its addresses.
func (l *Link) removeDevices(t table, v *view, want map[vrrp.Port][]vrrp.Identity) {
	wanted := make(map[string]bool)
	for p := range want {
		wanted[p.Interface] = true
	}
	for _, d := range v.devices {
		if d.virtual() && !wanted[d.name] && (!l.swept || l.bare(d)) {
			_ = l.removeDevice(t, v, d) // It is tried again with the next event.
		}
	}
	l.swept = true
}

// removeDevice removes a device, and restores what was changed of the interface below
// where it was the last one there.
func (l *Link) removeDevice(t table, v *view, d *device) error {
	if err := l.netlink.LinkDel(d.link()); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("removing device %s: %w", d.name, err)
	}
	delete(t, d.index)
	delete(v.devices, d.name)
	delete(l.prepared, d.index)
	for _, other := range v.devices {
		if other.virtual() && other.parent == d.parent {
			return nil
		}
	}
	l.restore(d.parent)
	return nil
}

// leave removes the devices that have no address, at the end.
func (l *Link) leave() {
	if l.dry {
		return
	}
	v := l.view.Load()
	for _, d := range v.devices {
		if d.virtual() && l.bare(d) {
			_ = l.removeDevice(nil, &view{devices: v.devices}, d) // Nobody is left to be told.
		}
	}
}

// below returns the interface below the device of a virtual MAC; nil: it is none.
func (v *view) below(d *device) *device {
	if d.virtual() {
		for _, other := range v.devices {
			if other.index == d.parent {
				return other
			}
		}
	}
	return nil
}

// makeWithin bounds how long an address waits for its device, which Run makes.
const makeWithin = time.Second

// await waits until the devices of virtual MACs are there that are wanted for addresses.
func (l *Link) await(h vrrp.Holdings) {
	v := l.view.Load()
	if !slices.ContainsFunc(h.Addresses, func(a vrrp.InterfaceAddress) bool { return v.devices[a.Interface] == nil }) {
		return
	}
	wanted := make(map[string]vrrp.Port)
	l.mu.Lock()
	for p, ours := range l.want {
		if len(ours) > 0 && ours[0].Below != "" {
			wanted[p.Interface] = p
		}
	}
	l.mu.Unlock()
	end := time.Now().Add(makeWithin)
	for _, a := range h.Addresses {
		p, virtual := wanted[a.Interface]
		for v := l.view.Load(); virtual && v.devices[a.Interface] == nil && v.Ports[p] == "" && time.Now().Before(end); v = l.view.Load() {
			time.Sleep(time.Millisecond)
		}
	}
}

// bare reports whether a device has no address. The view may not know of one yet.
func (l *Link) bare(d *device) bool {
	there, err := l.netlink.AddrList(d.link(), netlink.FAMILY_ALL)
	return err == nil && len(there) == 0
}

// raise brings a device up that is to have an address, and lower takes down those that
// have none: nobody else must hear of the virtual MAC from this director.
func (l *Link) raise(d *device) error {
	if !d.virtual() || d.admin && !l.lowered[d.index] {
		return nil
	}
	err := l.netlink.LinkSetUp(d.link())
	delete(l.lowered, d.index)
	if errors.Is(err, unix.EBUSY) {
		err = fmt.Errorf("another device has its MAC address, such as one of keepalived's (%w): stop that, or choose another id", err)
	}
	if err != nil {
		return fmt.Errorf("bringing device %s up: %w", d.name, err)
	}
	return nil
}

// mute has the devices of the addresses send nothing, or send again. Before Linux 5.1 that
// could not be asked for.
func (l *Link) mute(h vrrp.Holdings) error {
	v := l.view.Load()
	var errs []error
	for _, a := range h.Addresses {
		d := v.devices[a.Interface]
		if d == nil || !d.virtual() || l.muted[d.index] == h.Mute {
			continue
		}
		err := setMute(d, h.Mute)
		if err == nil {
			l.muted[d.index] = h.Mute
		} else if !h.Mute && !errors.Is(err, unix.ENODEV) {
			errs = append(errs, fmt.Errorf("letting device %s send: %w", d.name, err))
		}
	}
	return errors.Join(errs...)
}

// setMute takes the carrier from a device, or gives it back. What arrives for its MAC
// reaches it all the same, and is answered by the interface below. A busy kernel follows a
// moment later; only from ARP it can be kept at once.
func setMute(d *device, mute bool) error {
	value := []byte{0}
	message := nl.NewIfInfomsg(unix.AF_UNSPEC)
	message.Index, message.Change = int32(d.index), unix.IFF_NOARP
	if mute {
		value[0], message.Flags = 1, unix.IFF_NOARP
	}
	request := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
	request.AddData(message)
	request.AddData(nl.NewRtAttr(unix.IFLA_PROTO_DOWN, value))
	_, err := request.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

func (l *Link) lower(h vrrp.Holdings) error {
	v := l.view.Load()
	var errs []error
	done := make(map[string]bool)
	for _, a := range h.Addresses {
		d := v.devices[a.Interface]
		if d == nil || !d.virtual() || done[d.name] || l.holdsOn(d.name) {
			continue
		}
		done[d.name] = true
		if err := l.netlink.LinkSetDown(d.link()); err != nil && !errors.Is(err, unix.ENODEV) {
			errs = append(errs, fmt.Errorf("taking device %s down: %w", d.name, err))
		}
		l.lowered[d.index] = true
		errs = append(errs, l.mute(vrrp.Holdings{Addresses: []vrrp.InterfaceAddress{a}}))
	}
	return errors.Join(errs...)
}

func (l *Link) holdsOn(name string) bool {
	for a := range l.held {
		if a.Interface == name {
			return true
		}
	}
	return false
}

// prepare sets the kernel's parameters for a device and the interface below, so that
// each answers for its own addresses only, with its own MAC.
func (l *Link) prepare(m *macvlan) error {
	all := []parameter{
		// Without these the kernel answers ARP requests for the addresses of all its
		// interfaces on each of them.
		{4, m.name, "arp_ignore", "1"},
		{4, m.name, "arp_announce", "2"},
		// What arrives for the virtual MAC is answered by the interface below.
		{4, m.name, "rp_filter", loose()},
		{4, m.name, "promote_secondaries", "1"},
		{4, m.name, "forwarding", read(4, m.below.name, "forwarding")},
	}
	if m.family == 4 {
		all = append(all, parameter{6, m.name, "disable_ipv6", "1"})
	} else {
		all = append(all,
			parameter{6, m.name, "disable_ipv6", "0"},
			parameter{6, m.name, "addr_gen_mode", "1"}, // none
			parameter{6, m.name, "accept_ra", "0"},
			parameter{6, m.name, "autoconf", "0"},
			parameter{6, m.name, "accept_dad", "0"},
			parameter{6, m.name, "router_solicitations", "0"},
			parameter{6, m.name, "forwarding", read(6, m.below.name, "forwarding")})
	}
	for _, p := range all {
		if err := p.set(); err != nil {
			return err
		}
	}
	if m.family == 6 {
		return nil // Neighbour discovery is strict about this.
	}
	return l.prepareBelow(m.below)
}

// prepareBelow sets those of the interface below, and remembers what they were. Those
// that are strict already stay.
func (l *Link) prepareBelow(d *device) error {
	for _, p := range []parameter{{4, d.name, "arp_ignore", "1"}, {4, d.name, "arp_announce", "2"}} {
		was := read(4, d.name, p.key)
		if was >= p.value && len(was) == 1 {
			continue
		}
		if err := p.set(); err != nil {
			return err
		}
		p.value = was
		l.changed[d.index] = append(l.changed[d.index], p)
	}
	return nil
}

// restore sets the parameters of an interface to what they were.
func (l *Link) restore(index int) {
	for _, p := range l.changed[index] {
		_ = p.set() // It may be gone.
	}
	delete(l.changed, index)
}

// loose is the strictest rp_filter that lets packets in whose answers leave by another
// interface: the kernel takes the larger one of this and that of "all".
func loose() string {
	if read(4, "all", "rp_filter") == "0" {
		return "0"
	}
	return "2"
}
