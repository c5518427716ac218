package probe

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// datagrams are buffers that the largest datagram fits into. A probe has one only
// while it reads, not while it waits.
var datagrams = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// maxStrangers bounds how many datagrams are ignored that answer something else.
const maxStrangers = 256

// exchange sends a datagram to an address, and returns the first one that comes back
// from there and answers it, as far as accept can tell. Others are ignored: anybody can
// send them in the server's name, and they may be late.
func exchange(ctx context.Context, to netip.AddrPort, request []byte, accept func([]byte) bool) (answer []byte, err error) {
	return exchangeFrom(ctx, to, func(netip.AddrPort) []byte { return request }, accept)
}

// exchangeFrom is exchange with a request that says where it comes from.
func exchangeFrom(ctx context.Context, to netip.AddrPort, request func(from netip.AddrPort) []byte, accept func([]byte) bool) (answer []byte, err error) {
	fd, err := openUDP(ctx, to)
	if err != nil {
		return nil, err
	}
	if _, err := unix.SendmsgN(fd, request(localOf(fd)), nil, nil, 0); err != nil {
		unix.Close(fd)
		return nil, notRunCall("send", err)
	}
	traceSocket(ctx, "sent", fd, to)
	f := os.NewFile(uintptr(fd), "udp")
	defer f.Close()
	defer context.AfterFunc(ctx, func() { f.SetDeadline(time.Unix(1, 0)) })()
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, notRun(err)
	}
	strangers := 0
	var received error
	waited := raw.Read(func(fd uintptr) (done bool) {
		for strangers < maxStrangers && ctx.Err() == nil {
			answer, received = receive(int(fd), accept)
			if received != nil || answer != nil {
				return received != unix.EAGAIN
			}
			strangers++
		}
		return strangers == maxStrangers // At the deadline, to wait once more ends this.
	})
	switch {
	case waited != nil && strangers > 0:
		return nil, while(fmt.Sprintf("waiting for the answer: %d datagrams came that answer something else", strangers), waited)
	case waited != nil:
		return nil, nothingCame(while("waiting for the answer", waited))
	case received != nil:
		// ICMP, of the server's host or of a router, or nobody answers for the address.
		return nil, while(connecting, received)
	case answer == nil:
		return nil, fmt.Errorf("%d datagrams came, and all answer something else", strangers)
	}
	if t := tracerOf(ctx); t != nil {
		t("received", fmt.Sprintf("%d bytes: %q", len(answer), answer))
	}
	return answer, nil
}

// receive reads one datagram. It returns nil if that is not accepted.
func receive(fd int, accept func([]byte) bool) ([]byte, error) {
	buffer := datagrams.Get().(*[64 << 10]byte)
	defer datagrams.Put(buffer)
	for {
		n, _, err := unix.Recvfrom(fd, buffer[:], 0)
		switch {
		case err == unix.EINTR:
		case err != nil || !accept(buffer[:n]):
			return nil, err
		default:
			return append([]byte{}, buffer[:n]...), nil
		}
	}
}

// anything accepts every datagram.
func anything([]byte) bool { return true }

// openUDP returns a socket that sends to an address, and receives from nowhere else. It
// hears all that ICMP says of the address, not of the port alone.
func openUDP(ctx context.Context, to netip.AddrPort) (int, error) {
	family, level, option := unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_RECVERR
	if to.Addr().Is4() {
		family, level, option = unix.AF_INET, unix.IPPROTO_IP, unix.IP_RECVERR
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return -1, notRunCall("socket", err)
	}
	if err := direct(ctx, fd, to.Addr()); err != nil {
		unix.Close(fd)
		return -1, err
	}
	err = cmp.Or(unix.SetsockoptInt(fd, level, option, 1), unix.Connect(fd, sockaddr(to)))
	if err != nil {
		unix.Close(fd)
		return -1, notRunCall("connect", err)
	}
	return fd, nil
}
