package machine

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A way is where the routes send packets to an address.
type way struct {
	local   bool       // the address is this machine's own
	index   int32      // of the interface by which they leave
	gateway netip.Addr // that they go by; invalid: the address is a neighbour
}

// A Way is where the routes send packets to an address.
type Way struct {
	Local     bool       // the address is this machine's own
	Interface string     // by which they leave
	Gateway   netip.Addr // that they go by; invalid: the address is a neighbour
}

// WayTo asks the kernel for the way to an address. An error says why there is none.
func WayTo(to netip.Addr) (Way, error) {
	w, err := wayTo(to)
	if err != nil {
		return Way{}, err
	}
	name, err := nameOf(w.index)
	return Way{Local: w.local, Interface: name, Gateway: w.gateway}, err
}

// wayTo asks the kernel for the way to an address (RTM_GETROUTE, rtnetlink(7)).
func wayTo(to netip.Addr) (way, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return way{}, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, routeRequest(to), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return way{}, os.NewSyscallError("sendto", err)
	}
	var answer [4096]byte
	n, _, err := unix.Recvfrom(fd, answer[:], 0)
	if err != nil {
		return way{}, os.NewSyscallError("recvfrom", err)
	}
	messages, err := syscall.ParseNetlinkMessage(answer[:n])
	if err != nil || len(messages) == 0 {
		return way{}, fmt.Errorf("the kernel's answer about the route to %v cannot be read: %w", to, err)
	}
	return wayOf(messages[0])
}

// routeRequest is the question for the route to an address.
func routeRequest(to netip.Addr) []byte {
	family := unix.AF_INET6
	if to.Is4() {
		family = unix.AF_INET
	}
	bytes := to.AsSlice()
	length := unix.SizeofNlMsghdr + unix.SizeofRtMsg + unix.SizeofNlAttr + len(bytes)
	b := make([]byte, 0, length)
	b = binary.NativeEndian.AppendUint32(b, uint32(length))
	b = binary.NativeEndian.AppendUint16(b, unix.RTM_GETROUTE)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST)
	b = append(b, make([]byte, 8)...) // sequence number, port
	b = append(b, byte(family), byte(8*len(bytes)))
	b = append(b, make([]byte, unix.SizeofRtMsg-2)...)
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofNlAttr+len(bytes)))
	b = binary.NativeEndian.AppendUint16(b, unix.RTA_DST)
	return append(b, bytes...)
}

// wayOf reads the answer.
func wayOf(m syscall.NetlinkMessage) (way, error) {
	switch {
	case m.Header.Type == unix.NLMSG_ERROR && len(m.Data) >= 4:
		return way{}, syscall.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
	case m.Header.Type != unix.RTM_NEWROUTE || len(m.Data) < unix.SizeofRtMsg:
		return way{}, fmt.Errorf("an answer of type %d to a question for a route", m.Header.Type)
	}
	head := (*unix.RtMsg)(unsafe.Pointer(&m.Data[0]))
	w := way{local: head.Type == unix.RTN_LOCAL}
	if b := attribute(m.Data[unix.SizeofRtMsg:], unix.RTA_OIF); len(b) >= 4 {
		w.index = int32(binary.NativeEndian.Uint32(b))
	}
	w.gateway, _ = netip.AddrFromSlice(attribute(m.Data[unix.SizeofRtMsg:], unix.RTA_GATEWAY))
	return w, nil
}

// nameOf returns the name of an interface (SIOCGIFNAME, netdevice(7)).
func nameOf(index int32) (string, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	var request [40]byte // struct ifreq
	binary.NativeEndian.PutUint32(request[unix.IFNAMSIZ:], uint32(index))
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCGIFNAME, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return "", os.NewSyscallError("ioctl SIOCGIFNAME", errno)
	}
	name, _, _ := strings.Cut(string(request[:unix.IFNAMSIZ]), "\x00")
	return name, nil
}

// outgoing returns the interfaces by which packets to some addresses leave. Addresses
// that this machine has itself, or no way to, are left out.
func outgoing(to []netip.Addr) map[netip.Addr]string {
	names := make(map[int32]string)
	all := make(map[netip.Addr]string)
	for _, a := range to {
		w, err := wayTo(a)
		if err != nil || w.local || w.index == 0 {
			continue
		}
		if _, known := names[w.index]; !known {
			names[w.index], _ = nameOf(w.index) // It may just have gone.
		}
		if names[w.index] != "" {
			all[a] = names[w.index]
		}
	}
	return all
}

// Deaf returns why this machine drops what a real server sends it from a virtual address:
// while it has the address itself, it takes that for forged unless two parameters say
// otherwise (accept_local and rp_filter in linux/Documentation/networking/ip-sysctl.rst).
// nil: it does not drop it, as far as is known. IPv6 has no such parameters.
func Deaf(virtual, server netip.Addr) error {
	if !virtual.Is4() {
		return nil
	}
	if w, err := wayTo(virtual); err != nil || !w.local {
		return nil
	}
	name := outgoing([]netip.Addr{server})[server]
	if name == "" {
		return nil
	}
	settings := make(map[Setting]string)
	readConf(settings, name)
	here := func() bool {
		all, _ := interfaces()
		i := slices.IndexFunc(all, func(i Interface) bool { return i.Name == name })
		return i >= 0 && all[i].Has(virtual)
	}
	switch accept, strict := Hears(settings, name); {
	case !accept:
		return fmt.Errorf("this director has %v itself, and drops what comes from there, since %s is 0", virtual, AcceptLocal(name))
	case strict && !here():
		return fmt.Errorf("this director has %v itself on another interface, and drops what comes from there, since %s or that of \"all\" is 1", virtual, RPFilter(name))
	}
	return nil
}
