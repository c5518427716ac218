package probe

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// datagrams are buffers that the largest datagram fits into. A probe has one only
// while it reads, not while it waits.
var datagrams = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// exchange sends a datagram to an address, and returns the first one that comes back
// from there.
func exchange(ctx context.Context, to netip.AddrPort, request []byte) (answer []byte, err error) {
	fd, err := openUDP(ctx, to)
	if err != nil {
		return nil, err
	}
	if _, err := unix.SendmsgN(fd, request, nil, nil, 0); err != nil {
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
	var received error
	waited := raw.Read(func(fd uintptr) (done bool) {
		buffer := datagrams.Get().(*[64 << 10]byte)
		defer datagrams.Put(buffer)
		var n int
		if n, _, received = unix.Recvfrom(int(fd), buffer[:], 0); received == nil {
			answer = slices.Clone(buffer[:n])
		}
		return received != unix.EAGAIN && received != unix.EINTR
	})
	switch {
	case waited != nil:
		return nil, nothingCame(while("waiting for the answer", waited))
	case received != nil:
		// ICMP, of the server's host or of a router, or nobody answers for the address.
		return nil, while(connecting, received)
	}
	if t := tracerOf(ctx); t != nil {
		t("received", fmt.Sprintf("%d bytes: %.300q", len(answer), answer))
	}
	return answer, nil
}

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
