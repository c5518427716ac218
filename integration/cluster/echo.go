package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// EchoInterval is the time between the echo requests of an Echo.
const EchoInterval = 2 * time.Millisecond

// An Echo sends ICMP echo requests to an address, one every 2 ms, and notes
// when each was sent and answered: a clock for how long an address was away.
// The moment of an answer is the kernel's time stamp, so that it does not matter
// when this process gets to read it; and requests are sent by a real-time thread,
// so that the daemons that are watched do not keep it from asking.
type Echo struct {
	fd       int
	to       unix.Sockaddr
	request  icmp.Type
	reply    byte
	id       uint16
	stopping atomic.Bool
	running  sync.WaitGroup

	mu sync.Mutex
	// echoes are all requests, by their sequence numbers without their bound.
	echoes []echo
	// looked is when answers were read last: what had arrived by then is noted.
	looked time.Time
}

// echoes numbers the Echos of this process, to tell their answers apart.
var echoes atomic.Uint32

// StartEcho starts to send echo requests from the host.
func StartEcho(from *Host, to netip.Addr) (*Echo, error) {
	e := &Echo{id: uint16(echoes.Add(1))}
	family, protocol := unix.AF_INET, unix.IPPROTO_ICMP
	if to.Is4() {
		e.to = &unix.SockaddrInet4{Addr: to.As4()}
		e.request, e.reply = ipv4.ICMPTypeEcho, byte(ipv4.ICMPTypeEchoReply)
	} else {
		family, protocol = unix.AF_INET6, unix.IPPROTO_ICMPV6
		e.to = &unix.SockaddrInet6{Addr: to.As16()}
		e.request, e.reply = ipv6.ICMPTypeEchoRequest, byte(ipv6.ICMPTypeEchoReply)
	}
	err := from.In(func() (err error) {
		e.fd, err = unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening a socket for echo requests on %s: %w", from.Name, err)
	}
	// Connected, it hears the answers of that address alone.
	err = errors.Join(
		unix.SetsockoptInt(e.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptInt(e.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20),
		unix.Connect(e.fd, e.to),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("preparing a socket for echo requests on %s: %w", from.Name, err), unix.Close(e.fd))
	}
	e.running.Go(e.run)
	return e, nil
}

// run sends and, now and then, reads. It makes as few system calls as it can:
// they are dear in user-mode Linux.
func (e *Echo) run() {
	runtime.LockOSThread() // and never unlocked: the thread ends with its policy
	// Where that is not allowed it asks as it can, and GapAtMost tells.
	inRealTime()
	const readEvery = 10
	next := time.Now()
	for sequence := 0; !e.stopping.Load(); sequence++ {
		m := icmp.Message{Type: e.request, Body: &icmp.Echo{ID: int(e.id), Seq: sequence & 0xffff, Data: make([]byte, 8)}}
		if packet, err := m.Marshal(nil); err == nil {
			e.noteSent(time.Now())
			// A host without a route or neighbour refuses: as good as lost.
			_ = unix.Sendto(e.fd, packet, unix.MSG_DONTWAIT, nil)
		}
		if sequence%readEvery == 0 {
			e.read()
		}
		// After a pause of its own it does not make up for what it missed.
		next = next.Add(EchoInterval)
		if now := time.Now(); next.Before(now) {
			next = now
		} else {
			pause := unix.NsecToTimespec(int64(next.Sub(now)))
			_ = unix.Nanosleep(&pause, nil)
		}
	}
	time.Sleep(100 * time.Millisecond) // for the last answers
	e.read()
}

// read notes all answers that have arrived.
func (e *Echo) read() {
	looking := time.Now()
	packet, control := make([]byte, 512), make([]byte, 64)
	for {
		n, controls, _, _, err := unix.Recvmsg(e.fd, packet, control, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EBADF) {
			break
		}
		if err != nil {
			continue // an error that the network reported, such as no route
		}
		sequence, mine := e.sequence(packet[:n])
		if at, ok := timestamp(control[:controls]); ok && mine {
			e.noteAnswer(sequence, at)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.looked = looking.Round(0)
}

// sequence returns the sequence number of an answer to one of our requests. A
// packet of IPv4 comes with its header.
func (e *Echo) sequence(packet []byte) (sequence uint16, mine bool) {
	if e.request == ipv4.ICMPTypeEcho {
		if len(packet) == 0 || len(packet) < int(packet[0]&0xf)*4 {
			return 0, false
		}
		packet = packet[packet[0]&0xf*4:]
	}
	if len(packet) < 8 || packet[0] != e.reply || binary.BigEndian.Uint16(packet[4:]) != e.id {
		return 0, false
	}
	return binary.BigEndian.Uint16(packet[6:]), true
}

// timestamp reads the kernel's time stamp (SCM_TIMESTAMPNS in socket(7)).
func timestamp(control []byte) (t time.Time, ok bool) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return t, false
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
			return time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:]))), true
		}
	}
	return t, false
}

// noteSent notes a request by the wall clock, which the kernel's time stamps
// have.
func (e *Echo) noteSent(t time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.echoes = append(e.echoes, echo{sent: t.Round(0)})
}

// noteAnswer notes the answer to the last request of that sequence number: the
// numbers come around after two minutes.
func (e *Echo) noteAnswer(sequence uint16, t time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	last := len(e.echoes) - 1
	i := last - int(uint16(last)-sequence)
	if i >= 0 && e.echoes[i].answered.IsZero() {
		e.echoes[i].answered = t
	}
}

// Stop stops sending and closes the socket.
func (e *Echo) Stop() {
	if e.stopping.Swap(true) {
		return
	}
	e.running.Wait()
	_ = unix.Close(e.fd)
}
