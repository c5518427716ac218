package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"golang.org/x/sys/unix"
)

const (
	// receiveBuffer bounds what waits in a socket. A packet takes at least
	// 768 bytes there, so this is more than a thousand adverts.
	receiveBuffer = 1 << 20
	// receiveBurst bounds how many packets are read before the timers have
	// their turn. It is more than the buffer holds: whatever had arrived
	// when a stalled process woke up is read.
	receiveBurst = receiveBuffer / 512
	// straysBuffer bounds the strays that wait: some eighty packets. What does
	// not fit is dropped by the kernel.
	straysBuffer = 64 << 10
	// readEvery and straysEvery are how often somebody is woken at most for
	// packets, and for strays. Under a flood a wake-up costs many times as much as
	// the reading of a packet.
	readEvery = 2 * time.Millisecond
	// readMore is by how much longer that is for each router: of 1,000 Masters in step, the
	// adverts take some 15 ms, and Go's own monitor runs with each of the wake-ups.
	readMore    = 10 * time.Microsecond
	straysEvery = 100 * time.Millisecond
	// internetControl is the traffic class of routing protocols (RFC 4594,
	// CS6).
	internetControl = 0xc0
	// ipv6MulticastAll is IPV6_MULTICAST_ALL of linux/in6.h.
	ipv6MulticastAll = 29
)

// A socket is the raw socket of one Port, bound to its interface. A filter in the
// kernel keeps away what is not for our routers; some of that comes by a second
// socket, strays, with a small buffer that is read now and then.
type socket struct {
	port   vrrp.Port // that its packets come from
	index  int       // of the interface
	family int
	ttl    int // of packets to one host, as last set
	ours   []vrrp.Identity
	strays *socket
	fd     int
	file   *os.File
	raw    syscall.RawConn

	// What follows is used by send only: the packet that is being sent, what has come of it,
	// what sends it, and where to.
	packet  vrrp.Packet
	unsent  error
	sending func(fd uintptr)
	to4     unix.SockaddrInet4
	to6     unix.SockaddrInet6
	oob     []byte
}

// openSocket returns a socket that listens on the port to the adverts of these
// identities.
func openSocket(p vrrp.Port, index int, ours []vrrp.Identity) (*socket, error) {
	s, err := openRaw(p, index, receiveBuffer, groups(p.Family, ours), newFilter(p.Family, ours, false))
	if err != nil {
		return nil, err
	}
	if s.strays, err = openRaw(p, index, straysBuffer, groups(p.Family, ours), newFilter(p.Family, ours, true)); err != nil {
		s.close()
		return nil, err
	}
	s.ours = ours
	if len(ours) > 0 && ours[0].Below != "" { // It is the device of a virtual MAC.
		s.port.Interface = ours[0].Below
	}
	s.strays.port = s.port
	return s, nil
}

// groups are those to which the adverts of these identities are multicast. Without
// any it is the RFC's, for what is to be reported.
func groups(family int, ours []vrrp.Identity) []netip.Addr {
	usual := vrrp.Group4
	if family == 6 {
		usual = vrrp.Group6
	}
	var all []netip.Addr
	for _, i := range ours {
		if i.Group.IsValid() && i.Group != usual {
			all = append(all, i.Group)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return append(slices.Compact(all), usual)
}

// hear listens to the adverts of other identities from now on. For those of
// other groups it takes another socket.
func (s *socket) hear(ours []vrrp.Identity) error {
	if slices.Equal(s.ours, ours) {
		return nil
	}
	if !slices.Equal(groups(s.family, s.ours), groups(s.family, ours)) {
		return errors.New("it has not joined these groups")
	}
	s.ours = ours
	return errors.Join(s.attach(newFilter(s.family, ours, false)), s.strays.attach(newFilter(s.family, ours, true)))
}

func (s *socket) attach(f filter) (err error) {
	control := s.raw.Control(func(fd uintptr) { err = f.attach(int(fd)) })
	return errors.Join(control, err)
}

// openRaw returns a raw socket with a buffer and a filter.
func openRaw(p vrrp.Port, index, buffer int, groups []netip.Addr, f filter) (*socket, error) {
	domain := unix.AF_INET
	if p.Family == 6 {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_RAW|unix.SOCK_CLOEXEC, vrrp.Protocol)
	if err != nil {
		return nil, fmt.Errorf("opening a raw socket (CAP_NET_RAW is needed): %w", err)
	}
	// The filter comes first: before it is bound, the socket hears everything.
	if err := errors.Join(f.attach(fd), configure(fd, p, index, buffer, groups)); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "vrrp on "+p.Interface)
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	s := &socket{port: p, index: index, family: p.Family, ttl: vrrp.TTL, fd: fd, file: file, raw: raw}
	s.sending = s.sendBy // Made once: a method value is garbage otherwise.
	return s, nil
}

// configure binds a socket to its interface before it joins the groups, and
// keeps away what it sent itself.
func configure(fd int, p vrrp.Port, index, buffer int, groups []netip.Addr) error {
	if err := unix.BindToDevice(fd, p.Interface); err != nil {
		return fmt.Errorf("binding to the interface: %w", err)
	}
	// Beyond the system's limit this needs CAP_NET_ADMIN; without it the
	// smaller buffer does.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer/2) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer/2)
	}
	// Adverts go before the data on a busy interface.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PRIORITY, 6)
	level, options, join := unix.IPPROTO_IP, options4, join4
	if p.Family == 6 {
		level, options, join = unix.IPPROTO_IPV6, options6, join6
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, level, o.name, o.value); err != nil {
			return fmt.Errorf("setting socket option %d of level %d: %w", o.name, level, err)
		}
	}
	for _, group := range groups {
		if err := join(fd, index, group); err != nil {
			return fmt.Errorf("joining %s: %w", group, err)
		}
	}
	return nil
}

type option struct{ name, value int }

var options4 = []option{
	{unix.IP_TTL, vrrp.TTL},
	{unix.IP_MULTICAST_TTL, vrrp.TTL},
	{unix.IP_TOS, internetControl},
	{unix.IP_MULTICAST_LOOP, 0},
	{unix.IP_MULTICAST_ALL, 0},
	// A Master whose interface has lost the address that it advertises from goes
	// on for a moment, and can say that it leaves. Needs CAP_NET_RAW, as the socket.
	{unix.IP_TRANSPARENT, 1},
}

func join4(fd, index int, group netip.Addr) error {
	return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreqn{Multiaddr: group.As4(), Ifindex: int32(index)})
}

var options6 = []option{
	{unix.IPV6_UNICAST_HOPS, vrrp.TTL},
	{unix.IPV6_MULTICAST_HOPS, vrrp.TTL},
	{unix.IPV6_TCLASS, internetControl},
	{unix.IPV6_MULTICAST_LOOP, 0},
	{ipv6MulticastAll, 0},
	{unix.IPV6_RECVHOPLIMIT, 1},
	{unix.IPV6_RECVPKTINFO, 1},
	{unix.IPV6_TRANSPARENT, 1}, // as with IPv4
}

func join6(fd, index int, group netip.Addr) error {
	return errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, index),
		unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, &unix.IPv6Mreq{Multiaddr: group.As16(), Interface: uint32(index)}))
}

// close closes the socket; later uses of it return an error.
func (s *socket) close() {
	_ = s.file.Close()
	if s.strays != nil {
		s.strays.close()
	}
}

// receive calls f for what has arrived, and reports whether there may be more.
// Errors that wait in the socket, such as that its interface went down, are
// cleared by reading them.
func (s *socket) receive(b *batch, f func(vrrp.Packet)) (more bool) {
	err := s.raw.Control(func(fd uintptr) {
		for range receiveBurst / batchSize {
			n, err := b.read(int(fd))
			if errors.Is(err, unix.EAGAIN) {
				return
			}
			for i := range n {
				if packet, ok := s.parse(b, i); ok {
					packet.Port = s.port
					f(packet)
				}
			}
			if err == nil && n < batchSize {
				return
			}
		}
		more = true
	})
	return more && err == nil
}

func (s *socket) parse(b *batch, i int) (vrrp.Packet, bool) {
	packet, control := b.at(i)
	if s.family == 4 {
		return parse4(packet)
	}
	return parse6(packet, control, netip.AddrFrom16(b.from[i].Addr))
}

// parse4 takes the IPv4 header off, with which a raw socket delivers. The
// kernel has verified it and put fragments together.
func parse4(b []byte) (vrrp.Packet, bool) {
	if len(b) < 20 {
		return vrrp.Packet{}, false
	}
	header, total := int(b[0]&0xf)*4, int(binary.BigEndian.Uint16(b[2:]))
	if header < 20 || total < header || total > len(b) {
		return vrrp.Packet{}, false
	}
	return vrrp.Packet{
		Src:     netip.AddrFrom4([4]byte(b[12:16])),
		Dst:     netip.AddrFrom4([4]byte(b[16:20])),
		TTL:     int(b[8]),
		Payload: b[header:total],
	}, true
}

// parse6 finds the hop limit and the destination in the control messages: a
// raw socket delivers IPv6 without its header.
func parse6(b, oob []byte, src netip.Addr) (vrrp.Packet, bool) {
	p := vrrp.Packet{Src: src, TTL: -1, Payload: b}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return p, false
	}
	for _, m := range messages {
		if m.Header.Level != unix.IPPROTO_IPV6 {
			continue
		}
		switch {
		case m.Header.Type == unix.IPV6_HOPLIMIT && len(m.Data) >= 4:
			p.TTL = int(binary.NativeEndian.Uint32(m.Data))
		case m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= 16:
			p.Dst = netip.AddrFrom16([16]byte(m.Data[:16]))
		}
	}
	return p, p.Dst.IsValid()
}

// send sends from an address which need not be the one that the kernel would
// choose.
func (s *socket) send(p vrrp.Packet) error {
	s.packet, s.unsent = p, nil
	control := s.raw.Control(s.sending)
	s.packet = vrrp.Packet{}
	return errors.Join(control, s.unsent)
}

// sendBy sends the packet by a file descriptor.
func (s *socket) sendBy(fd uintptr) {
	to, oob := s.address(s.packet)
	if s.unsent = s.setTTL(int(fd), s.packet.TTL); s.unsent == nil {
		s.unsent = unix.Sendmsg(int(fd), s.packet.Payload, oob, to, unix.MSG_DONTWAIT)
	}
}

// address is where a packet goes to, and the control message that says where it comes from.
// Both are valid until the next call.
func (s *socket) address(p vrrp.Packet) (to unix.Sockaddr, oob []byte) {
	if s.family == 6 {
		s.to6 = unix.SockaddrInet6{Addr: p.Dst.As16(), ZoneId: s.zone(p.Dst)}
		if s.oob == nil {
			s.oob = unix.PktInfo6(&unix.Inet6Pktinfo{Ifindex: uint32(s.index)})
		}
		src := p.Src.As16()
		copy(s.oob[unix.CmsgLen(0):], src[:]) // the first field
		return &s.to6, s.oob
	}
	s.to4 = unix.SockaddrInet4{Addr: p.Dst.As4()}
	if s.oob == nil {
		s.oob = unix.PktInfo4(&unix.Inet4Pktinfo{Ifindex: int32(s.index)})
	}
	src := p.Src.As4()
	copy(s.oob[unix.CmsgLen(0)+4:], src[:]) // the second field, after the index
	return &s.to4, s.oob
}

// setTTL sets the TTL of packets to one host. Those to a group always have 255.
func (s *socket) setTTL(fd, ttl int) error {
	if ttl == s.ttl {
		return nil
	}
	level, option := unix.IPPROTO_IP, unix.IP_TTL
	if s.family == 6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS
	}
	if err := unix.SetsockoptInt(fd, level, option, ttl); err != nil {
		return fmt.Errorf("setting the TTL to %d: %w", ttl, err)
	}
	s.ttl = ttl
	return nil
}

// zone is the interface, for an address that means nothing without one.
func (s *socket) zone(dst netip.Addr) uint32 {
	if dst.IsLinkLocalUnicast() || dst.IsLinkLocalMulticast() {
		return uint32(s.index)
	}
	return 0
}
