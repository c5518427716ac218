package machine

import (
	"net/netip"
	"os"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// interfaces lists the interfaces with their addresses, as rtnetlink(7) tells:
// package net would list all addresses once for each interface.
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
	for _, m := range links {
		if m.Header.Type != unix.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg {
			continue
		}
		head := (*unix.IfInfomsg)(unsafe.Pointer(&m.Data[0]))
		places[head.Index] = len(all)
		all = append(all, Interface{Name: strings.TrimRight(string(attribute(&m, unix.IFLA_IFNAME)), "\x00")})
	}
	for _, m := range addrs {
		if m.Header.Type != unix.RTM_NEWADDR || len(m.Data) < unix.SizeofIfAddrmsg {
			continue
		}
		head := (*unix.IfAddrmsg)(unsafe.Pointer(&m.Data[0]))
		bytes := attribute(&m, unix.IFA_LOCAL)
		if bytes == nil { // IPv6 has it only where there is a peer.
			bytes = attribute(&m, unix.IFA_ADDRESS)
		}
		place, known := places[int32(head.Index)]
		if a, ok := netip.AddrFromSlice(bytes); ok && known {
			all[place].Addresses = append(all[place].Addresses, netip.PrefixFrom(a, int(head.Prefixlen)))
		}
	}
	return all, nil
}

// dump lists all objects of one kind.
func dump(kind int) ([]syscall.NetlinkMessage, error) {
	b, err := syscall.NetlinkRIB(kind, unix.AF_UNSPEC)
	if err != nil {
		return nil, os.NewSyscallError("netlinkrib", err)
	}
	messages, err := syscall.ParseNetlinkMessage(b)
	return messages, os.NewSyscallError("parsenetlinkmessage", err)
}

// attribute returns the value of an attribute, or nil.
func attribute(m *syscall.NetlinkMessage, kind uint16) []byte {
	all, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return nil
	}
	for _, a := range all {
		if a.Attr.Type == kind {
			return a.Value
		}
	}
	return nil
}
