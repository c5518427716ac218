package probe

import (
	"context"
	"errors"
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

// openEcho opens a raw socket that receives replies to its ID only.
func openEcho(f echoFamily) (*echoSocket, error) {
	s := &echoSocket{id: uint16(rand.Uint32())}
	filter, err := f.filter(s.id)
	if err != nil {
		return nil, err
	}
	fd, err := openRaw(f.domain, f.protocol, filter, "ping")
	if err != nil {
		return nil, err
	}
	s.file = os.NewFile(uintptr(fd), "icmp")
	if s.raw, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
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
