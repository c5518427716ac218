package probe

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A pinger shares one raw socket among all pings of a family. The first of them
// opens it; one goroutine reads it and gives each reply to the probe that waits
// for it.
type pinger struct {
	family echoFamily

	mu      sync.Mutex
	socket  *echoSocket
	waiting map[uint16]waiter
	seq     uint16
}

// A waiter is a ping in flight.
type waiter struct {
	addr  netip.Addr
	token uint64
	done  chan error // buffered, for one value
}

// An echoSocket is an open raw socket, in the runtime's poller.
type echoSocket struct {
	file *os.File
	raw  syscall.RawConn
	id   uint16
}

// ping sends one echo and waits for its reply.
func (p *pinger) ping(ctx context.Context, addr netip.Addr) error {
	w := waiter{addr: addr.WithZone(""), token: rand.Uint64(), done: make(chan error, 1)}
	socket, seq, err := p.add(w)
	if err != nil {
		return notRun(err)
	}
	defer p.remove(seq)
	request, err := p.family.encode(echo{ID: socket.id, Seq: seq, Token: w.token})
	if err != nil {
		return notRun(err)
	}
	if err := socket.send(ctx, addr, request); err != nil {
		return notRunCall("sending an echo request", err)
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return nothingCame(while("waiting for an echo reply", ctx.Err()))
	}
}

// add registers a ping under a free sequence number, and opens the socket if
// none is open.
func (p *pinger) add(w waiter) (*echoSocket, uint16, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.socket == nil {
		socket, err := openEcho(p.family)
		if err != nil {
			return nil, 0, err
		}
		p.socket, p.waiting = socket, make(map[uint16]waiter)
		go p.read(socket)
	}
	if len(p.waiting) > 1<<15 {
		return nil, 0, errors.New("too many pings in flight: lower probes_in_flight")
	}
	for {
		p.seq++
		if _, taken := p.waiting[p.seq]; !taken {
			p.waiting[p.seq] = w
			return p.socket, p.seq, nil
		}
	}
}

// remove ends the wait for a reply.
func (p *pinger) remove(seq uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, seq)
}

// read delivers replies until the socket fails or is closed.
func (p *pinger) read(socket *echoSocket) {
	buf := make([]byte, 2048)
	for {
		n, from, err := socket.receive(buf)
		if err != nil {
			p.fail(socket, err)
			return
		}
		if e, ok := p.family.decode(buf[:n]); ok && e.ID == socket.id {
			p.deliver(from, e)
		}
	}
}

// deliver ends the wait for a reply if it is the right one: from the address
// that was asked, with the number and the token that were sent.
func (p *pinger) deliver(from netip.Addr, e echo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w, ok := p.waiting[e.Seq]
	if !ok || w.addr != from || w.token != e.Token {
		return
	}
	delete(p.waiting, e.Seq)
	w.done <- nil
}

// fail ends every wait after the socket failed. The next ping opens another.
func (p *pinger) fail(socket *echoSocket, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	socket.file.Close()
	if p.socket != socket {
		return
	}
	for _, w := range p.waiting {
		w.done <- notRunCall("receiving echo replies", err)
	}
	p.socket, p.waiting = nil, nil
}

// echoBuffer is the size of the socket's buffers, in bytes. A request to an
// address that nobody answers ARP for stays in the send buffer until the
// kernel gives up: with the default of 208 kB, about a hundred dead servers
// would keep all others from being asked.
const echoBuffer = 16 << 20

// openEcho opens a raw socket that receives replies to its ID only.
func openEcho(f echoFamily) (*echoSocket, error) {
	fd, err := unix.Socket(f.domain, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, f.protocol)
	if errors.Is(err, unix.EPERM) {
		return nil, fmt.Errorf("opening a raw socket for ping: %w (this director needs CAP_NET_RAW)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("opening a raw socket for ping: %w", err)
	}
	s := &echoSocket{id: uint16(rand.Uint32())}
	if err := s.configure(fd, f); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("configuring the raw socket for ping: %w", err)
	}
	s.file = os.NewFile(uintptr(fd), "icmp")
	if s.raw, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
}

// configure sets the filter and the sizes of the buffers.
func (s *echoSocket) configure(fd int, f echoFamily) error {
	program, err := f.filter(s.id)
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(program))
	for i, in := range program {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	fprog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &fprog); err != nil {
		return err
	}
	// Without CAP_NET_ADMIN the system's maximum bounds the sizes.
	for force, plain := range map[int]int{unix.SO_RCVBUFFORCE: unix.SO_RCVBUF, unix.SO_SNDBUFFORCE: unix.SO_SNDBUF} {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, echoBuffer) != nil {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, plain, echoBuffer); err != nil {
				return err
			}
		}
	}
	return nil
}

// send sends one packet, or fails at once if the buffer is full.
func (s *echoSocket) send(ctx context.Context, to netip.Addr, packet []byte) error {
	var sent error
	err := s.raw.Write(func(fd uintptr) bool {
		var by []byte
		if by, sent = control(viaOf(ctx), int(fd), to); sent == nil {
			_, sent = unix.SendmsgN(int(fd), packet, by, sockaddr(netip.AddrPortFrom(to, 0)), unix.MSG_DONTWAIT)
		}
		return true
	})
	return errors.Join(err, sent)
}

// receive waits for one packet.
func (s *echoSocket) receive(buf []byte) (n int, from netip.Addr, err error) {
	var sa unix.Sockaddr
	waiting := s.raw.Read(func(fd uintptr) bool {
		n, sa, err = unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT)
		return err != unix.EAGAIN
	})
	if err = errors.Join(waiting, err); err != nil {
		return 0, netip.Addr{}, err
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		from = netip.AddrFrom4(sa.Addr)
	case *unix.SockaddrInet6:
		from = netip.AddrFrom16(sa.Addr)
	}
	return n, from, nil
}
