package machine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// changesApart is the least time between two changes that Watch tells of.
const changesApart = 100 * time.Millisecond

// watched are the groups of rtnetlink(7) that tell when this machine may reach
// what it could not reach before, or no longer.
const watched = unix.RTMGRP_LINK |
	unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV4_ROUTE |
	unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV6_ROUTE

// Watch tells that interfaces, addresses or routes of this network namespace
// have changed, until ctx ends: once for all that changes within a tenth of a
// second, and that includes the newest change. It does not tell what changed.
// Another lifetime of an address is no change.
func Watch(ctx context.Context) (<-chan struct{}, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening a socket of rtnetlink: %w", err)
	}
	err = errors.Join(refuseRenewals(fd), unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: watched}))
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("subscribing to changes of this machine's addresses: %w", err)
	}
	socket := os.NewFile(uintptr(fd), "rtnetlink")
	raw, err := socket.SyscallConn()
	if err != nil {
		socket.Close()
		return nil, fmt.Errorf("polling rtnetlink: %w", err)
	}
	context.AfterFunc(ctx, func() { socket.Close() })
	changes := make(chan struct{}, 1)
	go watch(ctx, raw, changes)
	return changes, nil
}

// refuseRenewals keeps from a socket that an address was given another lifetime. The
// kernel tells of that as of a new address, but that it was changed later than it was made.
// A Master with a thousand addresses begins hundreds of their leases anew each second.
func refuseRenewals(fd int) error {
	// Offsets in struct nlmsghdr of linux/netlink.h, behind that and struct ifaddrmsg, and in
	// an attribute with a struct ifa_cacheinfo (linux/if_addr.h).
	const kind, attributes, made, changed = 4, unix.SizeofNlMsghdr + unix.SizeofIfAddrmsg, 4 + 8, 4 + 12
	var newAddress [2]byte
	binary.NativeEndian.PutUint16(newAddress[:], unix.RTM_NEWADDR) // Filters read the network's order.
	all := bpf.RetConstant{Val: 1 << 18}
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: kind, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(binary.BigEndian.Uint16(newAddress[:])), SkipTrue: 1},
		all,
		bpf.LoadConstant{Dst: bpf.RegX, Val: unix.IFA_CACHEINFO},
		bpf.LoadConstant{Dst: bpf.RegA, Val: attributes},
		bpf.LoadExtension{Num: bpf.ExtNetlinkAttr},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 1},
		all, // It has none.
		bpf.TAX{},
		bpf.LoadIndirect{Off: made, Size: 4},
		bpf.StoreScratch{Src: bpf.RegA, N: 0},
		bpf.LoadIndirect{Off: changed, Size: 4},
		bpf.LoadScratch{Dst: bpf.RegX, N: 0},
		bpf.JumpIfX{Cond: bpf.JumpNotEqual, SkipTrue: 1},
		all,
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		return fmt.Errorf("assembling the filter: %w", err)
	}
	code := make([]unix.SockFilter, len(program))
	for i, r := range program {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}))
}

// watch tells of changes until the socket is closed.
func watch(ctx context.Context, socket syscall.RawConn, changes chan<- struct{}) {
	for socket.Read(takeAll) == nil {
		select {
		case changes <- struct{}{}:
		default: // Nobody has taken the last one yet.
		}
		select {
		case <-time.After(changesApart):
		case <-ctx.Done():
		}
	}
}

// takeAll reads all messages that wait, and reports whether there were any. What
// does not fit is lost, and nobody wants it.
func takeAll(fd uintptr) (any bool) {
	var message [64]byte
	for {
		_, err := unix.Read(int(fd), message[:])
		if err != nil && err != unix.ENOBUFS && err != unix.EINTR { // ENOBUFS: more came than was read
			return any
		}
		any = true
	}
}
