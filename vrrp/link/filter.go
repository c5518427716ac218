package link

import (
	"fmt"

	"github.com/lvsd/lvsd/vrrp"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	// headerOfIP is SKF_NET_OFF of linux/filter.h: what follows it is an offset
	// into the IP header, which the raw sockets of IPv6 don't deliver.
	headerOfIP  = 0xfff00000
	wholePacket = 1 << 18 // more than any packet has
)

// A filter is a program of the kernel's packet filter. A raw socket runs it for
// each packet that would reach it, before anybody is woken.
type filter []bpf.Instruction

// newFilter returns the filter for the adverts of these identities that come from
// this network, or, with strays, for everything else.
func newFilter(family int, ours []vrrp.Identity, strays bool) filter {
	accept, other := bpf.RetConstant{Val: wholePacket}, bpf.RetConstant{Val: 0}
	if strays {
		accept, other = other, accept
	}
	f := filter{
		bpf.LoadAbsolute{Off: headerOfIP + 7, Size: 1}, // hop limit
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: vrrp.TTL, SkipTrue: 1},
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
	return append(f, other)
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
