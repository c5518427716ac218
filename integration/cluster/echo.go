package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
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
// when each was sent and when answers arrived: a clock for how long an address
// was away. Arrivals are the kernel's time stamps, so that it does not matter
// when this process gets to read them.
type Echo struct {
	fd       int
	to       unix.Sockaddr
	request  icmp.Type
	reply    byte
	id       uint16
	stopping atomic.Bool
	running  sync.WaitGroup

	mu       sync.Mutex
	sent     []time.Time
	arrivals []time.Time
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

// run sends and, now and then, reads. It keeps a thread, and makes as few
// system calls as it can: they are dear in user-mode Linux.
func (e *Echo) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const readEvery = 10
	next := time.Now()
	for sequence := 0; !e.stopping.Load(); sequence++ {
		m := icmp.Message{Type: e.request, Body: &icmp.Echo{ID: int(e.id), Seq: sequence & 0xffff, Data: make([]byte, 8)}}
		if packet, err := m.Marshal(nil); err == nil {
			e.note(&e.sent, time.Now())
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
	packet, control := make([]byte, 512), make([]byte, 64)
	for {
		n, controls, _, _, err := unix.Recvmsg(e.fd, packet, control, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EBADF) {
			return
		}
		if err != nil {
			continue // an error that the network reported, such as no route
		}
		if at, ok := timestamp(control[:controls]); ok && e.mine(packet[:n]) {
			e.note(&e.arrivals, at)
		}
	}
}

// mine reports whether a packet is an answer to one of our requests. An IPv4
// one comes with its header.
func (e *Echo) mine(packet []byte) bool {
	if e.request == ipv4.ICMPTypeEcho {
		if len(packet) == 0 || len(packet) < int(packet[0]&0xf)*4 {
			return false
		}
		packet = packet[packet[0]&0xf*4:]
	}
	return len(packet) >= 8 && packet[0] == e.reply && binary.BigEndian.Uint16(packet[4:]) == e.id
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

// note adds a moment by the wall clock, which the kernel's time stamps have.
func (e *Echo) note(times *[]time.Time, t time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	*times = append(*times, t.Round(0))
}

// Stop stops sending and closes the socket.
func (e *Echo) Stop() {
	if e.stopping.Swap(true) {
		return
	}
	e.running.Wait()
	_ = unix.Close(e.fd)
}

// Gap is the longest time after t without an answer, up to now: from the last
// answer before to the first one after. A time in which fewer than two requests
// were sent is no gap of the address, but of the sender's.
func (e *Echo) Gap(t time.Time) time.Duration {
	e.mu.Lock()
	sent, arrivals := slices.Clone(e.sent), slices.Clone(e.arrivals)
	e.mu.Unlock()
	if n := len(sent); n > 0 {
		arrivals = append(arrivals, sent[n-1]) // the end, if nothing was answered since
	}
	return longestGap(t.Round(0), sent, arrivals)
}

func longestGap(t time.Time, sent, arrivals []time.Time) time.Duration {
	longest := time.Duration(0)
	last := t
	for _, a := range arrivals {
		if a.After(last) {
			if a.Sub(last) > longest && sentBetween(sent, last, a) >= 2 {
				longest = a.Sub(last)
			}
			last = a
		}
	}
	return longest
}

// sentBetween counts the requests sent between two moments, by halving: there
// are many.
func sentBetween(sent []time.Time, from, to time.Time) int {
	i, _ := slices.BinarySearchFunc(sent, from, time.Time.Compare)
	j, _ := slices.BinarySearchFunc(sent, to, time.Time.Compare)
	return j - i
}
