package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// claimsBurst bounds how many claims are read before others have their turn.
	claimsBurst = 64
	// claimSize is the longest part of a packet that is read: an ARP frame has 42
	// bytes, and the link-layer address of an advertisement is among its first ones.
	claimSize = 128
)

// A listener hears who else on an interface has some addresses. Filters in the
// kernel keep everything else away.
type listener struct {
	name  string // of the interface
	index int
	mac   net.HardwareAddr
	addrs []netip.Addr
	// arp is a packet socket, by which questions are sent as well; nd is a raw
	// socket of ICMPv6, and nil where no address is of IPv6.
	arp, nd *tap
}

// A tap is a socket that is read now and then.
type tap struct {
	of    *listener
	parse func([]byte) (netip.Addr, net.HardwareAddr)
	fd    int
	file  *os.File
	raw   syscall.RawConn
	buf   []byte
}

// newListener listens on an interface.
func newListener(d *device, addrs []netip.Addr) (l *listener, err error) {
	l = &listener{name: d.name, index: d.index, mac: d.mac, addrs: addrs}
	mine := d.mac
	if d.virtual() {
		mine = nil
	}
	if l.arp, err = l.tap(parseARP, func() (int, error) { return openARP(d.index, mine, addrs) }); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(addrs, netip.Addr.Is6) {
		if l.nd, err = l.tap(parseNA, func() (int, error) { return openND(d.name, addrs) }); err != nil {
			l.close()
			return nil, err
		}
	}
	return l, nil
}

// fits reports whether a listener does what is wanted of it now.
func (l *listener) fits(index int, mac net.HardwareAddr, addrs []netip.Addr) bool {
	return l.index == index && slices.Equal(l.mac, mac) && slices.Equal(l.addrs, addrs)
}

func (l *listener) tap(parse func([]byte) (netip.Addr, net.HardwareAddr), open func() (int, error)) (*tap, error) {
	fd, err := open()
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "neighbours")
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &tap{of: l, parse: parse, fd: fd, file: file, raw: raw, buf: make([]byte, claimSize)}, nil
}

func openARP(index int, mac net.HardwareAddr, addrs []netip.Addr) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("opening a packet socket (CAP_NET_RAW is needed): %w", err)
	}
	// The filter comes first: nothing arrives before the socket is bound.
	err = errors.Join(bound(fd), arpFilter(mac, addrs).attach(fd))
	if bind := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ARP), Ifindex: index}); bind != nil {
		err = errors.Join(err, fmt.Errorf("binding a packet socket: %w", bind))
	}
	if err != nil {
		return 0, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

func openND(name string, addrs []netip.Addr) (int, error) {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6)
	if err != nil {
		return 0, fmt.Errorf("opening a raw socket of ICMPv6 (CAP_NET_RAW is needed): %w", err)
	}
	// Other types are not even copied for the socket.
	only := &unix.ICMPv6Filter{}
	for i := range only.Data {
		only.Data[i] = ^uint32(0)
	}
	only.Data[neighbourAdvertisement/32] &^= 1 << (neighbourAdvertisement % 32)
	err = errors.Join(bound(fd), naFilter(addrs).attach(fd),
		unix.SetsockoptICMPv6Filter(fd, unix.IPPROTO_ICMPV6, unix.ICMPV6_FILTER, only),
		unix.BindToDevice(fd, name))
	if err != nil {
		return 0, errors.Join(fmt.Errorf("listening to neighbour advertisements: %w", err), unix.Close(fd))
	}
	return fd, nil
}

// bound bounds what waits in a socket.
func bound(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, straysBuffer/2)
}

// taps are those that there are.
func (l *listener) taps() []*tap {
	return slices.DeleteFunc([]*tap{l.arp, l.nd}, func(t *tap) bool { return t == nil })
}

func (l *listener) close() {
	for _, t := range l.taps() {
		_ = t.file.Close()
	}
}

// receive calls f for each address that somebody else claims.
func (t *tap) receive(f func(netip.Addr, net.HardwareAddr)) {
	_ = t.raw.Control(func(fd uintptr) {
		for range claimsBurst {
			n, _, err := unix.Recvfrom(int(fd), t.buf, unix.MSG_DONTWAIT)
			if errors.Is(err, unix.EAGAIN) {
				return
			}
			if err != nil {
				continue
			}
			if ip, mac := t.parse(t.buf[:n]); slices.Contains(t.of.addrs, ip) {
				f(ip, mac)
			}
		}
	})
}

// parseARP returns who claims an address by an ARP packet, a request or an answer.
func parseARP(b []byte) (ip netip.Addr, mac net.HardwareAddr) {
	if len(b) < 42 {
		return ip, nil
	}
	return netip.AddrFrom4([4]byte(b[28:32])), net.HardwareAddr(slices.Clone(b[22:28]))
}

// parseNA returns who claims an address by a neighbour advertisement (RFC 4861
// section 4.4); the MAC is nil where the advertisement has none.
func parseNA(b []byte) (ip netip.Addr, mac net.HardwareAddr) {
	if len(b) < 24 || b[0] != neighbourAdvertisement {
		return ip, nil
	}
	ip = netip.AddrFrom16([16]byte(b[8:24]))
	for options := b[24:]; len(options) >= 8 && options[1] > 0; {
		if options[0] == targetLinkLayer && options[1] == 1 {
			return ip, net.HardwareAddr(slices.Clone(options[2:8]))
		}
		options = options[min(len(options), int(options[1])*8):]
	}
	return ip, nil
}

// ask sends one question, if there is room for it.
func (l *listener) ask(ip netip.Addr) error {
	to, frame, protocol := broadcast, arpProbe, uint16(unix.ETH_P_ARP)
	if ip.Is6() {
		to, frame, protocol = solicitedMAC(ip), dadSolicitation, unix.ETH_P_IPV6
	}
	addr := &unix.SockaddrLinklayer{Protocol: networkOrder(protocol), Ifindex: l.index, Halen: 6}
	copy(addr.Addr[:], to)
	var err error
	control := l.arp.raw.Control(func(fd uintptr) {
		err = unix.Sendto(int(fd), frame(l.mac, ip), unix.MSG_DONTWAIT, addr)
	})
	return errors.Join(control, err)
}

// networkOrder is a protocol as the kernel has it in its socket addresses.
func networkOrder(protocol uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, protocol))
}
