package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/checker"
)

// The way of a probe's packets concerns no kind of check, but the sockets that all of
// them open. So it is in the probe's context.

type viaKey struct{}

// withVia returns the context of a probe whose packets go a way; nil: any.
func withVia(ctx context.Context, v *checker.Via) context.Context {
	if v == nil {
		return ctx
	}
	return context.WithValue(ctx, viaKey{}, v)
}

// viaOf returns the way of a probe's packets; nil: any.
func viaOf(ctx context.Context) *checker.Via {
	v, _ := ctx.Value(viaKey{}).(*checker.Via)
	return v
}

type forwardedKey struct{}

// withForwarded returns the context of a probe that asks a virtual address by another way
// than any other that it may ask.
func withForwarded(ctx context.Context, v *checker.Via) context.Context {
	return context.WithValue(ctx, forwardedKey{}, v)
}

// viaTo returns the way of a probe's packets to an address; nil: any.
func viaTo(ctx context.Context, to netip.Addr) *checker.Via {
	if v, _ := ctx.Value(forwardedKey{}).(*checker.Via); v != nil && v.Forwarded.Virtual == to {
		return v
	}
	return viaOf(ctx)
}

// viaOfSpec returns the way that a Spec says; nil: any.
func viaOfSpec(s checker.Spec) (*checker.Via, error) {
	v, err := s.Via()
	if err == nil {
		err = v.Validate()
	}
	if err != nil || v == (checker.Via{}) {
		return nil, err
	}
	return &v, nil
}

// direct makes a socket that asks an address send by the way of its probe.
func direct(ctx context.Context, fd int, to netip.Addr) error {
	v := viaTo(ctx, to)
	if v == nil {
		return nil
	}
	if v.Interface != "" {
		if err := unix.SetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, v.Interface); err != nil {
			return viaError("sending by the interface "+v.Interface, err)
		}
	}
	if v.Mark != 0 {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(v.Mark)); err != nil {
			return viaError(fmt.Sprintf("setting the mark %d", v.Mark), err)
		}
	}
	level, ttl, class := unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, unix.IPV6_TCLASS
	if to.Is4() {
		level, ttl, class = unix.IPPROTO_IP, unix.IP_TTL, unix.IP_TOS
	}
	if v.TTL != 0 {
		if err := unix.SetsockoptInt(fd, level, ttl, int(v.TTL)); err != nil {
			return viaError("setting the TTL", err)
		}
	}
	if v.DSCP != 0 {
		if err := unix.SetsockoptInt(fd, level, class, int(v.DSCP)<<2); err != nil {
			return viaError("setting the codepoint", err)
		}
	}
	return bindSource(v, fd, to)
}

// sockaddr returns an address for a system call.
func sockaddr(to netip.AddrPort) unix.Sockaddr {
	if to.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	}
	sa := &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
	if zone := to.Addr().Zone(); zone != "" {
		if link, err := net.InterfaceByName(zone); err == nil {
			sa.ZoneId = uint32(link.Index)
		}
	}
	return sa
}

// bindSource binds a socket to the source of its probe. It may share a port with others:
// what tells connections apart is whom they ask.
func bindSource(v *checker.Via, fd int, to netip.Addr) error {
	if !v.Source.IsValid() && v.FirstPort == 0 {
		return nil
	}
	source := v.Source
	switch {
	case !source.IsValid() && to.Is4():
		source = netip.IPv4Unspecified()
	case !source.IsValid():
		source = netip.IPv6Unspecified()
	case source.Is4() != to.Is4():
		return otherFamily(to, source)
	}
	// The port is chosen when the other end is known.
	option, port := unix.IP_BIND_ADDRESS_NO_PORT, uint16(0)
	if v.FirstPort != 0 {
		option, port = unix.SO_REUSEADDR, v.FirstPort+uint16(rand.UintN(uint(v.LastPort-v.FirstPort)+1))
	}
	level := unix.IPPROTO_IP
	if option == unix.SO_REUSEADDR {
		level = unix.SOL_SOCKET
	}
	if err := unix.SetsockoptInt(fd, level, option, 1); err != nil {
		return viaError("binding to the source", err)
	}
	from := netip.AddrPortFrom(source, port)
	if err := unix.Bind(fd, sockaddr(from)); err != nil {
		return viaError(fmt.Sprintf("sending from %v", from), err)
	}
	return nil
}

func otherFamily(to, source netip.Addr) error {
	return notRun(fmt.Errorf("the server's address %v cannot be asked from %v: give its check a source of its own family", to, source))
}

// viaError is an error of this director's, with what to do about it where that is known.
func viaError(doing string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, unix.ENODEV):
		hint = ": this director has no such interface"
	case errors.Is(err, unix.EADDRNOTAVAIL):
		hint = ": this director does not have that address"
	case errors.Is(err, unix.EADDRINUSE):
		hint = ": give the check more source_ports"
	case errors.Is(err, unix.EPERM):
		hint = ": this director needs CAP_NET_ADMIN, or CAP_NET_RAW"
	}
	return notRun(fmt.Errorf("%s: %w%s", doing, err, hint))
}

// control returns the same for one packet of a socket that probes share, as control
// messages.
func control(v *checker.Via, fd int, to netip.Addr) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	index, err := indexOf(fd, v.Interface)
	switch {
	case err != nil:
		return nil, viaError("sending by the interface "+v.Interface, err)
	case v.Source.IsValid() && v.Source.Is4() != to.Is4():
		return nil, otherFamily(to, v.Source)
	}
	level, ttl, class := int32(unix.IPPROTO_IPV6), int32(unix.IPV6_HOPLIMIT), int32(unix.IPV6_TCLASS)
	if to.Is4() {
		level, ttl, class = unix.IPPROTO_IP, unix.IP_TTL, unix.IP_TOS
	}
	var all []byte
	switch {
	case !v.Source.IsValid() && index == 0:
	case to.Is4():
		info := unix.Inet4Pktinfo{Ifindex: int32(index)}
		if v.Source.IsValid() {
			info.Spec_dst = v.Source.As4()
		}
		all = unix.PktInfo4(&info)
	default:
		info := unix.Inet6Pktinfo{Ifindex: index}
		if v.Source.IsValid() {
			info.Addr = v.Source.As16()
		}
		all = unix.PktInfo6(&info)
	}
	if v.Mark != 0 {
		all = append(all, message(unix.SOL_SOCKET, unix.SO_MARK, v.Mark)...)
	}
	if v.TTL != 0 {
		all = append(all, message(level, ttl, uint32(v.TTL))...)
	}
	if v.DSCP != 0 {
		all = append(all, message(level, class, uint32(v.DSCP)<<2)...)
	}
	return all, nil
}

// message is one control message that holds a number.
func message(level, kind int32, value uint32) []byte {
	b := make([]byte, unix.CmsgSpace(4))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(4))
	binary.NativeEndian.PutUint32(b[unix.CmsgLen(0):], value)
	return b
}

// indexOf returns the index of an interface; zero for none.
func indexOf(fd int, name string) (uint32, error) {
	if name == "" {
		return 0, nil
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		err = unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request)
	}
	if err != nil {
		return 0, err
	}
	return request.Uint32(), nil
}
