package link

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// followed are the groups of rtnetlink(7) that tell of interfaces and addresses.
const followed = unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR

// subscribe returns the messages that the kernel sends when interfaces or addresses have
// changed, in its order, until ctx ends or one is lost: more came than the buffer holds.
// What has changed by requests of the socket of that port is left out. The library's subscriptions, one
// for either, each keep 64 kB on the stack of a goroutine.
func subscribe(ctx context.Context, buffer int, but uint32) (<-chan syscall.NetlinkMessage, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	err = errors.Join(
		notBy(but).attach(fd),
		os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer)),
		os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: followed})))
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	file := os.NewFile(uintptr(fd), "rtnetlink")
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	events := make(chan syscall.NetlinkMessage, 64)
	stop := context.AfterFunc(ctx, func() { file.Close() })
	go func() {
		defer close(events)
		defer file.Close()
		defer stop()
		for {
			all, err := receive(raw)
			if err != nil {
				return
			}
			for _, m := range all {
				select {
				case events <- m:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return events, nil
}

// receive waits for the kernel's next messages.
func receive(raw syscall.RawConn) (all []syscall.NetlinkMessage, err error) {
	closed := raw.Read(func(fd uintptr) (done bool) {
		var size int
		if size, _, err = unix.Recvfrom(int(fd), nil, unix.MSG_PEEK|unix.MSG_TRUNC); err != nil {
			return err != unix.EAGAIN && err != unix.EINTR
		}
		data := make([]byte, size)
		var from unix.Sockaddr
		if size, from, err = unix.Recvfrom(int(fd), data, 0); err != nil {
			return err != unix.EAGAIN && err != unix.EINTR
		}
		if sender, ok := from.(*unix.SockaddrNetlink); ok && sender.Pid == 0 { // the kernel
			all, err = syscall.ParseNetlinkMessage(data[:size])
		}
		return true
	})
	return all, errors.Join(closed, err)
}

// apply applies a message of the kernel, and reports whether it may have changed anything.
func (t table) apply(m *syscall.NetlinkMessage) (changed bool) {
	switch m.Header.Type {
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		index, a, err := parseAddress(m)
		return err == nil && t.addr(index, a, m.Header.Type == unix.RTM_NEWADDR)
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		header := unix.NlMsghdr(m.Header)
		link, err := netlink.LinkDeserialize(&header, m.Data)
		if err != nil {
			return false
		}
		t.link(m, link)
		return true
	}
	return false
}

// attributes goes through the attributes of a message, up to one that is cut off: each
// begins with its length, without what fills it up to a multiple of four, and its kind
// (netlink(7)). Package syscall would make a list of them at each renewal of a lease.
func attributes(data []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(data) >= unix.SizeofRtAttr {
			length := int(binary.NativeEndian.Uint16(data))
			if length < unix.SizeofRtAttr || length > len(data) {
				return
			}
			if !yield(binary.NativeEndian.Uint16(data[2:]), data[unix.SizeofRtAttr:length]) {
				return
			}
			data = data[min((length+3)&^3, len(data)):]
		}
	}
}

// parseAddress returns the address that a message tells of, and the index of its
// interface. Of an address with a peer (IFA_ADDRESS), the prefix length is the peer's.
func parseAddress(m *syscall.NetlinkMessage) (index int, a address, err error) {
	if len(m.Data) < unix.SizeofIfAddrmsg {
		return 0, a, fmt.Errorf("a message of %d bytes", len(m.Data))
	}
	var local, peer []byte
	for kind, value := range attributes(m.Data[unix.SizeofIfAddrmsg:]) {
		switch {
		case kind == unix.IFA_LOCAL:
			local = value
		case kind == unix.IFA_ADDRESS:
			peer = value
		case kind == unix.IFA_FLAGS && len(value) >= 4:
			a.flags = int(binary.NativeEndian.Uint32(value))
		}
	}
	own, bits := peer, int(m.Data[1]) // struct ifaddrmsg of linux/if_addr.h
	if local != nil && !(m.Data[0] == unix.AF_INET && bytes.Equal(local, peer)) {
		if end, ok := netip.AddrFromSlice(peer); ok {
			a.peer = netip.PrefixFrom(end, bits)
		}
		own, bits = local, 8*len(local)
	}
	ip, ok := netip.AddrFromSlice(own)
	if !ok {
		return 0, a, fmt.Errorf("an address of %d bytes", len(own))
	}
	a.Prefix = netip.PrefixFrom(ip.Unmap(), bits)
	return int(binary.NativeEndian.Uint32(m.Data[4:])), a, nil
}
