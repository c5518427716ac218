package link

import (
	"cmp"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ownAlias begins the alias of every device that lvsd makes ("ip link show"), by which
// a later process knows it.
const ownAlias = "lvsd: "

// A device is one network interface. It is replaced, never changed.
type device struct {
	name  string
	index int
	mac   net.HardwareAddr
	up    bool // administratively, and has a carrier
	noARP bool // point to point, loopback, or without ARP
	addrs []address

	admin          bool   // administratively
	alias          string // "ip link show"
	parent, master int    // the interface below and above, by index
	private        bool   // a macvlan that hears no other one
}

func (d *device) hasARP() bool { return !d.noARP && len(d.mac) == 6 }

// An address is one address of a device.
type address struct {
	netip.Prefix
	peer  netip.Prefix // the other end, of a point-to-point address
	flags int          // IFA_F_*
}

// virtual reports whether lvsd has made a device.
func (d *device) virtual() bool { return strings.HasPrefix(d.alias, ownAlias) }

// vrf is the index of the VRF that a device belongs to. A bridge or a bond has no room
// for a macvlan on one of its ports, so there is no other master to ask for.
func (d *device) vrf() int { return d.master }

func (d *device) link() netlink.Link {
	return &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: d.name, Index: d.index}}
}

// A table is the devices by index, as the events tell.
type table map[int]*device

// link applies a message about an interface.
func (t table) link(m *syscall.NetlinkMessage, link netlink.Link) {
	// A port that leaves a bridge is reported as a deleted link of the family
	// AF_BRIDGE; the interface itself is still there.
	if family := m.Data[0]; family == unix.AF_BRIDGE { // struct ifinfomsg of linux/rtnetlink.h
		return
	}
	if m.Header.Type == unix.RTM_DELLINK {
		delete(t, link.Attrs().Index)
		return
	}
	t.set(link)
}

func (t table) set(link netlink.Link) {
	a := link.Attrs()
	macvlan, _ := link.(*netlink.Macvlan)
	d := &device{
		name:  a.Name,
		index: a.Index,
		mac:   a.HardwareAddr,
		up:    a.RawFlags&unix.IFF_UP != 0 && a.RawFlags&unix.IFF_RUNNING != 0,
		noARP: a.RawFlags&(unix.IFF_NOARP|unix.IFF_LOOPBACK|unix.IFF_POINTOPOINT) != 0,

		admin:   a.RawFlags&unix.IFF_UP != 0,
		alias:   a.Alias,
		parent:  a.ParentIndex,
		master:  a.MasterIndex,
		private: macvlan != nil && macvlan.Mode == netlink.MACVLAN_MODE_PRIVATE,
	}
	if old := t[a.Index]; old != nil {
		d.addrs = old.addrs
		// No event tells that a device got its alias while it was down, but the one of
		// its making may come after that.
		d.alias = cmp.Or(d.alias, old.alias)
		if reflect.DeepEqual(d, old) {
			return // The pointer shows that nothing has changed.
		}
	}
	t[a.Index] = d
}

// addr notes that the interface of that index has an address, or has it no more, and
// reports whether that is news: a lease that was renewed is none.
func (t table) addr(index int, new address, there bool) (changed bool) {
	old := t[index]
	if old == nil {
		return false
	}
	i := slices.IndexFunc(old.addrs, func(a address) bool { return a.Prefix == new.Prefix })
	if i >= 0 && there && old.addrs[i] == new || i < 0 && !there {
		return false
	}
	d := *old
	d.addrs = slices.Clone(old.addrs)
	switch {
	case !there:
		d.addrs = slices.Delete(d.addrs, i, i+1)
	case i >= 0:
		d.addrs[i] = new
	default:
		d.addrs = append(d.addrs, new)
	}
	t[index] = &d
	return true
}

// A sparing remembers, by interface, why its other addresses would be lost with a
// virtual one; nil: they are spared. A virtual address that was added before the
// interface's own one is the primary of their network, and the kernel removes the
// others with it.
type sparing map[string]error
