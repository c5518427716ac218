package probe

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A conn is a TCP connection that ends with its context, by deadline or
// cancellation, without a goroutine to watch it.
type conn struct {
	*os.File
	stop func() bool
}

// dial connects to an address. It makes the system calls itself for two
// reasons. Only so is it known whether an error came from connect(2) itself,
// which is this director's routing, or later, which is the server: EHOSTUNREACH
// is both a missing route and a server that does not answer ARP. And it takes a
// quarter less CPU time than a net.Dialer (measured: 57 µs a check against 77),
// which is most of what a TCP check costs.
//
// With halfOpen, nothing will be sent on the connection, and the last packet of
// the handshake is left out.
func dial(ctx context.Context, to netip.AddrPort, halfOpen bool) (*conn, error) {
	fd, err := openTCP(ctx, to.Addr(), halfOpen)
	if err != nil {
		return nil, err
	}
	sa := sockaddr(to)
	if err := unix.Connect(fd, sa); err != nil && !inProgress(err) {
		unix.Close(fd)
		if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ECONNRESET) {
			return nil, while(connecting, err)
		}
		return nil, notRunCall("connect", err)
	}
	// The runtime's poller must not see the socket earlier: one that has not
	// begun to connect reports a hang-up at once.
	c := &conn{File: os.NewFile(uintptr(fd), "tcp")}
	c.stop = context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	traceSocket(ctx, "connecting", fd, to)
	if err := c.connected(sa); err != nil {
		c.Close()
		return nil, while(connecting, err)
	}
	traceSocket(ctx, "connected", fd, to)
	if header := proxyHeader(ctx); header != "" && !halfOpen {
		if _, err := c.WriteString(header); err != nil {
			c.Close()
			return nil, while("sending the header of the PROXY protocol", err)
		}
	}
	return c, nil
}

// openTCP returns a socket that neither blocks nor lingers.
//
// A probe's connection ends with a reset, unless the server has said all that it
// has to say. By a FIN the side that closes first, this director, would keep each
// connection for a minute in TIME_WAIT (and in conntrack for two): 300,000 of
// them at 5,000 probes a second.
//
// Without TCP_QUICKACK the kernel holds back the last ACK of the handshake for
// data to follow, and close sends the reset in its place. So a server's kernel
// answers SYN by SYN/ACK, which is what this probe asks, and the server's
// process never hears of it: no accept, no log line about a connection that
// was reset, and no place in the accept queue of a process that hangs. A full
// queue is noticed as ever: there the SYN gets no answer.
func openTCP(ctx context.Context, addr netip.Addr, halfOpen bool) (int, error) {
	family := unix.AF_INET6
	if addr.Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, notRunCall("socket", err)
	}
	err = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 0})
	if err == nil && halfOpen {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0)
	}
	if err != nil {
		unix.Close(fd)
		return -1, notRunCall("setsockopt", err)
	}
	if err := direct(ctx, fd, addr); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// connected waits until the connection is established or has failed. On a
// socket that is connecting already, connect(2) returns how that went. It is
// called once before waiting, because the poller does not tell what happened
// before it began.
func (c *conn) connected(sa unix.Sockaddr) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = raw.Write(func(fd uintptr) (done bool) {
		result = unix.Connect(int(fd), sa)
		return !inProgress(result)
	})
	if err != nil {
		return err
	}
	return result
}

// local returns this side's address; the unspecified one where nobody knows it.
func (c *conn) local() netip.AddrPort {
	own := netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	if raw, err := c.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { own = localOf(int(fd)) })
	}
	return own
}

// inProgress reports whether the kernel goes on connecting by itself.
func inProgress(err error) bool {
	return err == unix.EINPROGRESS || err == unix.EALREADY || err == unix.EINTR
}

// closeInOrder makes Close end the connection with a FIN.
func (c *conn) closeInOrder() error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = raw.Control(func(fd uintptr) {
		result = unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{})
	})
	return cmp.Or(err, result)
}

const (
	// closePatience bounds how long a server's close is waited for when all is said, and
	// lastWordsLimit what is read meanwhile, in bytes.
	closePatience  = 100 * time.Millisecond
	lastWordsLimit = 64 << 10
)

// part ends a conversation on the connection as a polite client does: it says goodbye,
// lets the server close first if it does so soon, and closes in order. A server that
// goes on talking is not listened to for long. stream is the connection, or what is
// spoken on it.
func (c *conn) part(ctx context.Context, stream io.ReadWriteCloser, goodbye []byte) {
	if !c.patient(ctx) {
		return
	}
	if len(goodbye) > 0 {
		if _, err := stream.Write(goodbye); err != nil {
			return
		}
		if c.drain(stream) {
			c.closeInOrder()
			return
		}
	}
	if tls, ok := stream.(interface{ CloseWrite() error }); ok && c.patient(ctx) && tls.CloseWrite() != nil {
		return
	}
	if c.closeWrite() == nil && c.patient(ctx) {
		c.drain(c)
		c.closeInOrder()
	}
}

// patient sets the deadline of what comes next to a moment from now. It reports
// whether the probe has that long.
func (c *conn) patient(ctx context.Context) bool {
	c.SetDeadline(time.Now().Add(closePatience))
	return ctx.Err() == nil // Its end has set an earlier deadline, which was just overwritten.
}

// drain reads what else a server says, within bounds, and reports whether that has ended.
func (c *conn) drain(stream io.Reader) (ended bool) {
	limit := &io.LimitedReader{R: stream, N: lastWordsLimit}
	_, err := io.Copy(io.Discard, limit)
	return err == nil && limit.N > 0
}

// closeWrite tells the server that nothing more comes.
func (c *conn) closeWrite() error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = raw.Control(func(fd uintptr) { result = unix.Shutdown(int(fd), unix.SHUT_WR) })
	return cmp.Or(err, result)
}

// Close ends the connection with a reset, or with a FIN after closeInOrder.
func (c *conn) Close() error {
	c.stop()
	return c.File.Close()
}

// LocalAddr is part of net.Conn; crypto/tls does not call it.
func (c *conn) LocalAddr() net.Addr { return nil }

// RemoteAddr is part of net.Conn; crypto/tls does not call it.
func (c *conn) RemoteAddr() net.Addr { return nil }
