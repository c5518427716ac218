package cluster

import (
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// senderName is what a process is called that sends the requests of an Echo to
// the address that is its argument.
const senderName = "echo-sender"

// Main returns unless this process was started by StartEcho, as one that sends
// echo requests: then it does that, and ends. Programs that use StartEcho call
// it before anything else.
func Main() {
	if len(os.Args) != 2 || os.Args[0] != senderName {
		return
	}
	if err := sendEchoes(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "sending echo requests:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A report is what a sender has done since its last one.
type report struct {
	Sent    []time.Time
	Answers []answer
	Looked  time.Time // when it began to read answers
}

// An answer is one that arrived at a moment, by the kernel's time stamp.
type answer struct {
	Sequence uint16
	At       time.Time
}

// request returns the number of the request that was answered, of so many, or
// -1. Sequence numbers come around after two minutes: it is the last one of
// that sequence number.
func (a answer) request(requests int) int {
	last := requests - 1
	return max(-1, last-int(uint16(last)-a.Sequence))
}

// A sender sends echo requests and reads their answers. The sequence number of a
// request is its number, without what does not fit.
type sender struct {
	fd      int
	id      uint16
	request icmp.Type
	reply   byte
	pending report
}

// sendEchoes sends requests and reports to the standard output, until the
// standard input ends.
func sendEchoes(to string) error {
	addr, err := netip.ParseAddr(to)
	if err != nil {
		return err
	}
	s, err := newSender(addr)
	if err != nil {
		return err
	}
	// A second thread of Go, which this one may spin for, has no processor of its own.
	runtime.GOMAXPROCS(1)
	// Not before: a program's start takes long, and would keep peers from running.
	processInRealTime(beforeKeepers)
	var stopping atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stopping.Store(true)
	}()
	return s.run(&stopping, gob.NewEncoder(os.Stdout))
}

func newSender(to netip.Addr) (*sender, error) {
	s := &sender{id: uint16(os.Getpid()), request: ipv6.ICMPTypeEchoRequest, reply: byte(ipv6.ICMPTypeEchoReply)}
	var peer unix.Sockaddr = &unix.SockaddrInet6{Addr: to.As16()}
	family, protocol := unix.AF_INET6, unix.IPPROTO_ICMPV6
	if to.Is4() {
		s.request, s.reply = ipv4.ICMPTypeEcho, byte(ipv4.ICMPTypeEchoReply)
		peer = &unix.SockaddrInet4{Addr: to.As4()}
		family, protocol = unix.AF_INET, unix.IPPROTO_ICMP
	}
	fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, fmt.Errorf("opening a socket: %w", err)
	}
	s.fd = fd
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20),
		unix.Connect(fd, peer), // it hears the answers of that address alone
	)
	if err != nil {
		return nil, fmt.Errorf("preparing the socket: %w", err)
	}
	return s, nil
}

// run sends and, now and then, reads and reports. It makes as few system calls
// as it can: they are dear in user-mode Linux.
func (s *sender) run(stopping *atomic.Bool, reports *gob.Encoder) error {
	const readEvery = 10
	next := time.Now()
	for n := 0; !stopping.Load(); n++ {
		if err := s.send(n); err != nil {
			return err
		}
		if n%readEvery == 0 {
			if err := s.report(reports); err != nil {
				return err
			}
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
	time.Sleep(late) // for the last answers
	return s.report(reports)
}

func (s *sender) send(n int) error {
	m := icmp.Message{Type: s.request, Body: &icmp.Echo{ID: int(s.id), Seq: n & 0xffff, Data: make([]byte, 8)}}
	packet, err := m.Marshal(nil)
	if err != nil {
		return err
	}
	s.pending.Sent = append(s.pending.Sent, time.Now())
	// A host without a route or neighbour refuses: as good as lost.
	_ = unix.Sendto(s.fd, packet, unix.MSG_DONTWAIT, nil)
	return nil
}

// report reads the answers that have arrived, and reports.
func (s *sender) report(reports *gob.Encoder) error {
	s.pending.Looked = time.Now()
	s.read()
	err := reports.Encode(s.pending)
	s.pending = report{Sent: s.pending.Sent[:0], Answers: s.pending.Answers[:0]}
	return err
}

// read notes all answers that have arrived.
func (s *sender) read() {
	packet, control := make([]byte, 512), make([]byte, 64)
	for {
		n, controls, _, _, err := unix.Recvmsg(s.fd, packet, control, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) {
			return
		}
		if err != nil {
			continue // an error that the network reported, such as no route
		}
		sequence, mine := s.sequence(packet[:n])
		if at, ok := timestamp(control[:controls]); ok && mine {
			s.pending.Answers = append(s.pending.Answers, answer{sequence, at})
		}
	}
}

// sequence returns the sequence number of an answer to one of our requests. A
// packet of IPv4 comes with its header.
func (s *sender) sequence(packet []byte) (sequence uint16, mine bool) {
	if s.request == ipv4.ICMPTypeEcho {
		if len(packet) == 0 || len(packet) < int(packet[0]&0xf)*4 {
			return 0, false
		}
		packet = packet[packet[0]&0xf*4:]
	}
	if len(packet) < 8 || packet[0] != s.reply || binary.BigEndian.Uint16(packet[4:]) != s.id {
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
