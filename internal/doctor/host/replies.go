package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/doctor"
	"github.com/lvsd/lvsd/internal/rawip"
)

// Ask asks real servers as this director, as the virtual address and as doctor.Outside, all at
// once and twice within a time that it waits, and returns what came back of it. A server is
// asked for a connection, which is given up before a program there hears of it, or for an echo.
func Ask(questions []doctor.Question, wait time.Duration) (map[netip.Addr]doctor.Answers, error) {
	q, err := newInquiry(questions)
	if err != nil {
		return nil, err
	}
	defer q.close()
	for range 2 {
		q.each(q.send)
		if err := q.receive(time.Now().Add(wait / 2)); err != nil {
			return nil, err
		}
	}
	q.each(q.giveUp)
	return q.answers, nil
}

// The headers of IPv4 and of an echo, in bytes.
const ipHeader, echoHeader = 20, 8

// The places of those as whom a server is asked.
const (
	asOwn = iota
	asVirtual
	asOutside
	asMany // how many there are
)

// An inquiry is one run of Ask.
type inquiry struct {
	questions []doctor.Question
	sources   [][asMany]netip.Addr
	indices   []int // of the interfaces
	answers   map[netip.Addr]doctor.Answers

	// raw sends, ears hears all that arrives at the port that reserved keeps from others.
	raw, ears, reserved int
	port                uint16
	// first is the sequence number of the first server as this director. The others
	// follow, so that an answer tells which it is of.
	first uint32
}

func newInquiry(questions []doctor.Question) (q *inquiry, err error) {
	q = &inquiry{questions: questions, answers: make(map[netip.Addr]doctor.Answers), first: rand.Uint32(), raw: -1, ears: -1, reserved: -1}
	defer func() {
		if err != nil {
			q.close()
		}
	}()
	for _, a := range questions {
		sources := [asMany]netip.Addr{asVirtual: a.Virtual, asOutside: doctor.Outside}
		if c, err := net.Dial("udp4", netip.AddrPortFrom(a.Server, 9).String()); err == nil { // It sends nothing.
			sources[asOwn] = c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
			_ = c.Close()
		}
		index := 0
		if i, err := net.InterfaceByName(a.Interface); err == nil {
			index = i.Index
		}
		q.sources, q.indices = append(q.sources, sources), append(q.indices, index)
		q.answers[a.Server] = doctor.Answers{}
	}
	if q.reserved, q.port, err = rawip.ReservePort(unix.AF_INET); err != nil {
		return q, fmt.Errorf("reserving a port: %w", err)
	}
	return q, errors.Join(q.openRaw(), q.openEars())
}

func (q *inquiry) close() {
	for _, fd := range []int{q.raw, q.ears, q.reserved} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// openRaw opens the socket for packets with a header of their own. Those to a server that
// answers no ARP stay in its buffer, which has room for all.
func (q *inquiry) openRaw() (err error) {
	if q.raw, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW); err != nil {
		return fmt.Errorf("opening a raw socket: %w", err)
	}
	_ = unix.SetsockoptInt(q.raw, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 4<<20)
	return nil
}

// openEars opens the socket that hears what arrives, whomever it is for, before anything
// filters it.
func (q *inquiry) openEars() (err error) {
	if q.ears, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return fmt.Errorf("opening a packet socket: %w", err)
	}
	program, err := q.filter()
	if err != nil {
		return err
	}
	if err := rawip.Attach(q.ears, program); err != nil {
		return err
	}
	const ipv4 = unix.ETH_P_IP>>8 | unix.ETH_P_IP&0xff<<8 // big-endian, in the kernel's structure
	return os.NewSyscallError("bind", unix.Bind(q.ears, &unix.SockaddrLinklayer{Protocol: ipv4}))
}

// filter lets in what is for the reserved port, by TCP, or as the identifier of an echo.
func (q *inquiry) filter() ([]bpf.RawInstruction, error) {
	return bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: 9}, // not the first fragment
		bpf.LoadMemShift{Off: 0},
		bpf.LoadAbsolute{Off: 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_TCP, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.IPPROTO_ICMP, SkipTrue: 5},
		bpf.LoadIndirect{Off: 4, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(q.port), SkipTrue: 2},
		bpf.LoadIndirect{Off: 2, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(q.port), SkipTrue: 1},
		bpf.RetConstant{Val: 128},
		bpf.RetConstant{Val: 0},
	})
}

// each calls a function with each server and each as whom it is asked, by their place.
func (q *inquiry) each(f func(place int)) {
	for i := range q.questions {
		for as, source := range q.sources[i] {
			if source.IsValid() {
				f(i*asMany + as)
			}
		}
	}
}

// send asks. What cannot be sent has no answer.
func (q *inquiry) send(place int) {
	question, seq := &q.questions[place/asMany], q.first+uint32(place)
	if question.Port == 0 {
		echo := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: int(q.port), Seq: place}}
		if b, err := echo.Marshal(nil); err == nil {
			q.write(place, unix.IPPROTO_ICMP, b)
		}
		return
	}
	q.write(place, unix.IPPROTO_TCP, q.segment(place, seq, rawip.SYN))
}

// giveUp ends the connection that was asked for, whether an answer came or went elsewhere.
func (q *inquiry) giveUp(place int) {
	if q.questions[place/asMany].Port != 0 {
		q.write(place, unix.IPPROTO_TCP, q.segment(place, q.first+uint32(place)+1, rawip.RST))
	}
}

// segment is one of TCP without data.
func (q *inquiry) segment(place int, seq uint32, flags byte) []byte {
	question, source := &q.questions[place/asMany], q.sources[place/asMany][place%asMany]
	s := make([]byte, rawip.HeaderLen)
	rawip.Segment{From: q.port, To: question.Port, Seq: seq, Flags: flags}.Put(s)
	rawip.Seal(s, source, question.Server)
	return s
}

// write sends a packet. The kernel fills in what is left of its header.
func (q *inquiry) write(place int, protocol byte, body []byte) {
	question, source := &q.questions[place/asMany], q.sources[place/asMany][place%asMany]
	p := make([]byte, ipHeader, ipHeader+len(body))
	p[0], p[8], p[9] = 0x45, 64, protocol
	copy(p[12:], source.AsSlice())
	copy(p[16:], question.Server.AsSlice())
	_ = unix.Sendto(q.raw, append(p, body...), 0, &unix.SockaddrInet4{Addr: question.Server.As4()})
}

// receive notes the answers that arrive until then.
func (q *inquiry) receive(until time.Time) error {
	var buffer [128]byte
	for {
		left := time.Until(until)
		if left <= 0 {
			return nil
		}
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(q.ears), Events: unix.POLLIN}}, int(left.Milliseconds())+1); err != nil && !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("poll", err)
		}
		n, from, err := unix.Recvfrom(q.ears, buffer[:], 0)
		if link, ok := from.(*unix.SockaddrLinklayer); err == nil && ok && link.Pkttype == unix.PACKET_HOST {
			q.note(buffer[:n], link.Ifindex)
		}
	}
}

// note notes a packet, if it is an answer.
func (q *inquiry) note(packet []byte, index int) {
	server, place, ok := q.answerOf(packet)
	if !ok {
		return
	}
	a := q.answers[server]
	switch place % asMany {
	case asOwn:
		a.Own = true
	case asVirtual:
		a.Virtual = a.Virtual || index == q.indices[place/asMany]
	case asOutside:
		a.Outside = true
	}
	q.answers[server] = a
}

// answerOf reads a packet, and returns who answers, and as whom he was asked.
func (q *inquiry) answerOf(p []byte) (server netip.Addr, place int, ok bool) {
	if len(p) < ipHeader || p[0]>>4 != 4 {
		return server, 0, false
	}
	server, body := netip.AddrFrom4([4]byte(p[12:16])), p[min(len(p), int(p[0]&15)*4):]
	port := uint16(0)
	switch s, isSegment := rawip.Read(body); {
	case p[9] == unix.IPPROTO_TCP && isSegment && s.Flags&rawip.ACK != 0 && s.Flags&(rawip.SYN|rawip.RST) != 0:
		port = s.From
		place = int(min(s.Ack-1-q.first, math.MaxUint16))
		ok = port != 0 && s.To == q.port
	case p[9] == unix.IPPROTO_ICMP && len(body) >= echoHeader && body[0] == 0:
		place = int(binary.BigEndian.Uint16(body[6:]))
		ok = binary.BigEndian.Uint16(body[4:]) == q.port
	}
	if i := place / asMany; !ok || i >= len(q.questions) || q.questions[i].Server != server || q.questions[i].Port != port {
		return server, 0, false
	}
	return server, place, true
}
