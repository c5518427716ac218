package machine

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An Interface is a network interface of a machine.
type Interface struct {
	Name string
	MTU  int // of packets, in bytes
	// Down: it is administratively down, or has no carrier.
	Down bool
	// Quiet: nobody is asked for a neighbour there. It is the loopback interface, the
	// end of a tunnel or a dummy.
	Quiet bool
	// ARPIgnore is net.ipv4.conf.*.arp_ignore as it is in force there, the larger one
	// of "all" and the interface's own. With 0 the machine answers ARP requests that
	// arrive there for addresses of all its interfaces
	// (linux/Documentation/networking/ip-sysctl.rst).
	ARPIgnore uint32
	Addresses []netip.Prefix
}

// Has reports whether an address is among its own.
func (i *Interface) Has(a netip.Addr) bool {
	return slices.ContainsFunc(i.Addresses, func(p netip.Prefix) bool { return p.Addr() == a })
}

// interfaces lists the interfaces with their addresses, as rtnetlink(7) tells:
// package net would list all addresses once for each interface, and it knows
// neither IFF_NOARP nor the parameters.
func interfaces() ([]Interface, error) {
	links, err := dump(unix.RTM_GETLINK)
	if err != nil {
		return nil, err
	}
	addrs, err := dump(unix.RTM_GETADDR)
	if err != nil {
		return nil, err
	}
	var all []Interface
	places := make(map[int32]int)
	ignore := number("/proc/sys/net/ipv4/conf/all/arp_ignore")
	for _, m := range links {
		if m.Header.Type != unix.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg {
			continue
		}
		head, attributes := (*unix.IfInfomsg)(unsafe.Pointer(&m.Data[0])), m.Data[unix.SizeofIfInfomsg:]
		places[head.Index] = len(all)
		all = append(all, Interface{
			Name:      word(attribute(attributes, unix.IFLA_IFNAME)),
			MTU:       int(four(attribute(attributes, unix.IFLA_MTU))),
			Down:      head.Flags&unix.IFF_UP == 0 || head.Flags&unix.IFF_RUNNING == 0,
			Quiet:     head.Flags&(unix.IFF_LOOPBACK|unix.IFF_POINTOPOINT|unix.IFF_NOARP) != 0,
			ARPIgnore: max(ignore, arpIgnore(attribute(attributes, unix.IFLA_AF_SPEC))),
		})
	}
	for _, m := range addrs {
		if m.Header.Type != unix.RTM_NEWADDR || len(m.Data) < unix.SizeofIfAddrmsg {
			continue
		}
		head, attributes := (*unix.IfAddrmsg)(unsafe.Pointer(&m.Data[0])), m.Data[unix.SizeofIfAddrmsg:]
		bytes := attribute(attributes, unix.IFA_LOCAL)
		if bytes == nil { // IPv6 has it only where there is a peer.
			bytes = attribute(attributes, unix.IFA_ADDRESS)
		}
		place, known := places[int32(head.Index)]
		if a, ok := netip.AddrFromSlice(bytes); ok && known {
			all[place].Addresses = append(all[place].Addresses, netip.PrefixFrom(a, int(head.Prefixlen)))
		}
	}
	return all, nil
}

// A Link is what an interface is besides its addresses.
type Link struct {
	Name string
	MTU  int // of packets, in bytes
	// Kind is what it is, in the kernel's word: "bridge", "bond", "vlan"; of a card: empty.
	Kind string
	// Master is the bridge, bond or VRF that it belongs to; empty: none.
	Master string
	// Below is the interface that a VLAN or a macvlan is on; empty: it is neither.
	Below string
}

// Links lists the interfaces of this machine.
func Links() ([]Link, error) {
	messages, err := dump(unix.RTM_GETLINK)
	if err != nil {
		return nil, err
	}
	var all []Link
	names, masters, below := make(map[uint32]string), []uint32(nil), []uint32(nil)
	for _, m := range messages {
		if m.Header.Type != unix.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg {
			continue
		}
		head, attributes := (*unix.IfInfomsg)(unsafe.Pointer(&m.Data[0])), m.Data[unix.SizeofIfInfomsg:]
		l := Link{
			Name: word(attribute(attributes, unix.IFLA_IFNAME)),
			MTU:  int(four(attribute(attributes, unix.IFLA_MTU))),
			Kind: word(attribute(attribute(attributes, unix.IFLA_LINKINFO), unix.IFLA_INFO_KIND)),
		}
		names[uint32(head.Index)] = l.Name
		all, masters, below = append(all, l), append(masters, four(attribute(attributes, unix.IFLA_MASTER))), append(below, four(attribute(attributes, unix.IFLA_LINK)))
	}
	for i := range all {
		all[i].Master = names[masters[i]]
		if slices.Contains([]string{"vlan", "macvlan", "ipvlan"}, all[i].Kind) { // Of a veth, it is the other end.
			all[i].Below = names[below[i]]
		}
	}
	return all, nil
}

// four and word are the values of attributes; zero where there is none.
func four(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(b)
}

func word(b []byte) string { return strings.TrimRight(string(b), "\x00") }

// dump lists all objects of one kind.
func dump(kind int) ([]syscall.NetlinkMessage, error) {
	b, err := syscall.NetlinkRIB(kind, unix.AF_UNSPEC)
	if err != nil {
		return nil, os.NewSyscallError("netlinkrib", err)
	}
	messages, err := syscall.ParseNetlinkMessage(b)
	return messages, os.NewSyscallError("parsenetlinkmessage", err)
}

const (
	inetConf      = 1  // IFLA_INET_CONF: an interface's IPv4 parameters (linux/if_link.h)
	confARPIgnore = 19 // IPV4_DEVCONF_ARP_IGNORE: a place among them, from 1 (linux/ip.h)
)

// arpIgnore returns an interface's own arp_ignore, of what the kernel tells about it
// for each family: attributes in attributes.
func arpIgnore(families []byte) uint32 {
	conf := attribute(attribute(families, unix.AF_INET), inetConf)
	return four(conf[min(4*(confARPIgnore-1), len(conf)):])
}

// attribute returns the value of an attribute among attributes, or nil: each begins with
// its length, without what fills it up to a multiple of four, and its kind. Package
// syscall would make a list of them for each address.
func attribute(attributes []byte, kind uint16) []byte {
	for len(attributes) >= unix.SizeofNlAttr {
		length := int(binary.NativeEndian.Uint16(attributes))
		if length < unix.SizeofNlAttr || length > len(attributes) {
			return nil
		}
		if binary.NativeEndian.Uint16(attributes[2:])&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER) == kind {
			return attributes[unix.SizeofNlAttr:length]
		}
		attributes = attributes[min((length+3)&^3, len(attributes)):]
	}
	return nil
}

// number reads a parameter of the kernel that is a number; 0: it does not exist.
func number(path string) uint32 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 32)
	return uint32(n)
}
