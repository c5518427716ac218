//go:build linux

package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
)

var _ connections.Edge = Teller{}

// A Teller is the kernel's list of connections, and the network on which its sync daemons
// listen, in this network namespace.
type Teller struct{}

// Connections opens the kernel's list.
func (Teller) Connections() (io.ReadCloser, error) {
	f, err := os.Open("/proc/thread-self/net/ip_vs_conn")
	if err != nil {
		return nil, fmt.Errorf("opening the kernel's list of connections: %w", err)
	}
	return f, nil
}

// What a message may be long at most where nobody says: as the kernel's own.
const usualMTU = 1500

// Dial opens a socket that sends to the group of a sync daemon, by its interface.
func (Teller) Dial(d ipvsctl.SyncDaemon) (connections.Line, error) {
	i, err := net.InterfaceByName(d.Interface)
	if err != nil {
		return nil, fmt.Errorf("sending to those who listen on %s: %w", d.Interface, err)
	}
	family, headers := unix.AF_INET, 20+8
	if d.Group.Is6() {
		family, headers = unix.AF_INET6, 40+8
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	l := &line{fd: fd, room: min(i.MTU, usualMTU) - headers}
	if d.MaxLength != 0 {
		l.room = int(d.MaxLength)
	}
	if err := l.connect(d, i.Index); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("sending to %v by %s: %w", d.Group, d.Interface, err)
	}
	return l, nil
}

// A line is a connected UDP socket.
type line struct{ fd, room int }

func (l *line) Room() int    { return l.room }
func (l *line) Close() error { return unix.Close(l.fd) }

func (l *line) connect(d ipvsctl.SyncDaemon, index int) error {
	if d.Group.Is6() {
		return errors.Join(
			unix.SetsockoptInt(l.fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, index),
			unix.SetsockoptInt(l.fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, int(d.TTL)),
			unix.SetsockoptInt(l.fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP, 0),
			unix.Connect(l.fd, &unix.SockaddrInet6{Port: int(d.Port), ZoneId: uint32(index), Addr: d.Group.As16()}))
	}
	return errors.Join(
		unix.SetsockoptIPMreqn(l.fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(index)}),
		unix.SetsockoptInt(l.fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, int(d.TTL)),
		unix.SetsockoptInt(l.fd, unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 0),
		unix.Connect(l.fd, &unix.SockaddrInet4{Port: int(d.Port), Addr: d.Group.As4()}))
}

// Send sends one message, or loses it where the interface has no room for it: all of them
// are sent again.
func (l *line) Send(b []byte) error {
	if _, err := unix.Write(l.fd, b); err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.ENOBUFS) {
		return os.NewSyscallError("send", err)
	}
	return nil
}

// Listen opens a socket beside that of the kernel's sync daemon, which hears messages
// without a connection alone. It is closed when ctx ends.
func (Teller) Listen(ctx context.Context, d ipvsctl.SyncDaemon) (connections.Ear, error) {
	i, err := net.InterfaceByName(d.Interface)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", d.Interface, err)
	}
	family := unix.AF_INET
	if d.Group.Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := join(fd, d, i.Index); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("listening to %v on %s: %w", d.Group, d.Interface, err)
	}
	e := ear{os.NewFile(uintptr(fd), "sync")}
	context.AfterFunc(ctx, func() { _ = e.Close() })
	return e, nil
}

// join has a socket hear a group.
func join(fd int, d ipvsctl.SyncDaemon, index int) error {
	err := errors.Join(withoutConnections(fd), unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	if err != nil {
		return err
	}
	if d.Group.Is6() {
		return errors.Join(
			unix.Bind(fd, &unix.SockaddrInet6{Port: int(d.Port), ZoneId: uint32(index), Addr: d.Group.As16()}),
			unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, &unix.IPv6Mreq{Multiaddr: d.Group.As16(), Interface: uint32(index)}))
	}
	return errors.Join(
		unix.Bind(fd, &unix.SockaddrInet4{Port: int(d.Port), Addr: d.Group.As4()}),
		unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreqn{Multiaddr: d.Group.As4(), Ifindex: int32(index)}))
}

// withoutConnections keeps from a socket what tells of connections, whose number is the
// fifth byte of a message, behind the head of UDP.
func withoutConnections(fd int) error {
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 8 + 4},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 16},
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
}

// An ear is a UDP socket that Go's poller watches.
type ear struct{ *os.File }

func (e ear) Hear(b []byte) (int, error) { return e.Read(b) }
