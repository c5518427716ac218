package link

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"github.com/lvsd/lvsd/vrrp"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	// headerOfIP is SKF_NET_OFF of linux/filter.h: what follows it is an offset
	// into the IP header, which the raw sockets of IPv6 don't deliver.
	headerOfIP = 0xfff00000
	// headerOfLink is SKF_LL_OFF: the same for the Ethernet header.
	headerOfLink = 0xffe00000
	wholePacket  = 1 << 18 // more than any packet has
)

// A filter is a program of the kernel's packet filter. A raw socket runs it for
// each packet that would reach it, before anybody is woken.
type filter []bpf.Instruction

// newFilter returns the filter for the adverts of these identities that come from
// this network, or from as far as one of the routers allows; or, with strays, for
// everything else. Of the device of a virtual MAC, both are for what comes from that
// MAC: the interface below hears everything but that.
func newFilter(family int, ours []vrrp.Identity, strays bool) filter {
	accept, other := bpf.RetConstant{Val: wholePacket}, bpf.RetConstant{Val: 0}
	if strays {
		accept, other = other, accept
	}
	f := filter{
		bpf.LoadAbsolute{Off: headerOfIP + 7, Size: 1}, // hop limit
		bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: lowestTTL(ours), SkipTrue: 1},
		other,
		bpf.LoadAbsolute{Off: 0, Size: 2}, // version and type, VRID
	}
	if family == 4 { // Its raw sockets deliver the IP header too.
		f[0] = bpf.LoadAbsolute{Off: 8, Size: 1} // TTL
		f = append(f[:3], bpf.LoadMemShift{Off: 0}, bpf.LoadIndirect{Off: 0, Size: 2})
	}
	for _, i := range ours {
		f = append(f, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(i.Header()), SkipTrue: 1}, accept)
	}
	f = append(f, other)
	if len(ours) > 0 && ours[0].Below != "" {
		return append(fromMAC(vrrp.MAC(family, ours[0].VRID)), f...)
	}
	return f
}

// fromMAC begins a filter for packets from a MAC.
func fromMAC(mac [6]byte) filter {
	refuse := bpf.RetConstant{Val: 0}
	return filter{
		bpf.LoadAbsolute{Off: headerOfLink + 6, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: binary.BigEndian.Uint32(mac[:]), SkipTrue: 1},
		refuse,
		bpf.LoadAbsolute{Off: headerOfLink + 10, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(binary.BigEndian.Uint16(mac[4:])), SkipTrue: 1},
		refuse,
	}
}

// lowestTTL is the smallest TTL that an advert of these identities may have.
func lowestTTL(ours []vrrp.Identity) uint32 {
	lowest := uint8(vrrp.TTL)
	for _, i := range ours {
		lowest = min(lowest, cmp.Or(i.MinTTL, vrrp.TTL))
	}
	return uint32(lowest)
}

// maxWatched bounds the addresses that are watched on an interface: the kernel takes
// no program of more than some 20 kB (net.core.optmem_max), as it translates it.
const maxWatched = 400

// arpFilter returns the filter for ARP frames with one of these addresses as the
// sender's, of which the MAC is not ours; nil: whatever it is.
func arpFilter(mac net.HardwareAddr, addrs []netip.Addr) filter {
	accept, refuse := bpf.RetConstant{Val: wholePacket}, bpf.RetConstant{Val: 0}
	var f filter
	if mac != nil {
		f = filter{
			bpf.LoadAbsolute{Off: 14 + 8, Size: 4}, // sender hardware address
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: binary.BigEndian.Uint32(mac), SkipTrue: 3},
			bpf.LoadAbsolute{Off: 14 + 12, Size: 2},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(binary.BigEndian.Uint16(mac[4:])), SkipTrue: 1},
			refuse,
		}
	}
	f = append(f, bpf.LoadAbsolute{Off: 14 + 14, Size: 4}) // sender protocol address
	for _, a := range addrs {
		if a.Is4() {
			f = append(f, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: binary.BigEndian.Uint32(a.AsSlice()), SkipTrue: 1}, accept)
		}
	}
	return append(f, refuse)
}

// naFilter returns the filter for neighbour advertisements, from this network, of
// these addresses and of some others: it compares only the exclusive or of an
// address's four words, to be short.
func naFilter(addrs []netip.Addr) filter {
	accept, refuse := bpf.RetConstant{Val: wholePacket}, bpf.RetConstant{Val: 0}
	f := filter{
		bpf.LoadAbsolute{Off: headerOfIP + 7, Size: 1}, // hop limit
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 255, SkipTrue: 1},
		refuse,
		bpf.LoadAbsolute{Off: 0, Size: 2}, // type and code
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: neighbourAdvertisement << 8, SkipTrue: 1},
		refuse,
		bpf.LoadAbsolute{Off: 8, Size: 4}, // target
	}
	for i := uint32(4); i < 16; i += 4 {
		f = append(f, bpf.TAX{}, bpf.LoadAbsolute{Off: 8 + i, Size: 4}, bpf.ALUOpX{Op: bpf.ALUOpXor})
	}
	for _, a := range addrs {
		if b := a.As16(); a.Is6() {
			sum := uint32(0)
			for i := 0; i < 16; i += 4 {
				sum ^= binary.BigEndian.Uint32(b[i:])
			}
			f = append(f, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: sum, SkipTrue: 1}, accept)
		}
	}
	return append(f, refuse)
}

// notBy returns the filter for what rtnetlink(7) tells, but for what the socket of this
// port has asked for: nlmsg_pid in struct nlmsghdr of linux/netlink.h, in the host's order.
func notBy(port uint32) filter {
	var pid [4]byte
	binary.NativeEndian.PutUint32(pid[:], port)
	return filter{
		bpf.LoadAbsolute{Off: 12, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: binary.BigEndian.Uint32(pid[:]), SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: wholePacket},
	}
}

// attach puts a filter in the place of the one that a socket has. Each packet
// passes the one or the other.
func (f filter) attach(fd int) error {
	assembled, err := bpf.Assemble(f)
	if err != nil {
		return fmt.Errorf("assembling the packet filter: %w", err)
	}
	program := make([]unix.SockFilter, len(assembled))
	for i, r := range assembled {
		program[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	if err != nil {
		return fmt.Errorf("attaching the packet filter: %w", err)
	}
	return nil
}
