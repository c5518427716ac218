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
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/doctor"
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

// The parts of an IPv4 packet, in bytes, and TCP's flags.
const (
	ipHeader, tcpHeader, echoHeader = 20, 20, 8

	synFlag, rstFlag, ackFlag = 1 << 1, 1 << 2, 1 << 4
)

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
	return q, errors.Join(q.reserve(), q.openRaw(), q.openEars())
}

func (q *inquiry) close() {
	for _, fd := range []int{q.raw, q.ears, q.reserved} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// reserve takes a port that no connection of this machine has then.
func (q *inquiry) reserve() (err error) {
	if q.reserved, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return os.NewSyscallError("socket", err)
	}
	if err := unix.Bind(q.reserved, &unix.SockaddrInet4{}); err != nil {
		return os.NewSyscallError("bind", err)
	}
	name, err := unix.Getsockname(q.reserved)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	q.port = uint16(name.(*unix.SockaddrInet4).Port)
	return nil
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
	if err := unix.SetsockoptSockFprog(q.ears, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	const ipv4 = unix.ETH_P_IP>>8 | unix.ETH_P_IP&0xff<<8 // big-endian, in the kernel's structure
	return os.NewSyscallError("bind", unix.Bind(q.ears, &unix.SockaddrLinklayer{Protocol: ipv4}))
}

// filter lets in what is for the reserved port, by TCP, or as the identifier of an echo.
func (q *inquiry) filter() ([]unix.SockFilter, error) {
	raw, err := bpf.Assemble([]bpf.Instruction{
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
	program := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		program[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return program, err
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
		echo := []byte{8, 0, 0, 0} // an echo request (RFC 792)
		echo = binary.BigEndian.AppendUint16(echo, q.port)
		echo = binary.BigEndian.AppendUint16(echo, uint16(place))
		binary.BigEndian.PutUint16(echo[2:], sum(0, echo))
		q.write(place, unix.IPPROTO_ICMP, echo)
		return
	}
	q.write(place, unix.IPPROTO_TCP, q.segment(place, seq, synFlag))
}

// giveUp ends the connection that was asked for, whether an answer came or went elsewhere.
func (q *inquiry) giveUp(place int) {
	if q.questions[place/asMany].Port != 0 {
		q.write(place, unix.IPPROTO_TCP, q.segment(place, q.first+uint32(place)+1, rstFlag))
	}
}

// segment is one of TCP without data (RFC 9293, section 3.1).
func (q *inquiry) segment(place int, seq uint32, flags byte) []byte {
	question, source := &q.questions[place/asMany], q.sources[place/asMany][place%asMany]
	s := make([]byte, tcpHeader)
	binary.BigEndian.PutUint16(s[0:], q.port)
	binary.BigEndian.PutUint16(s[2:], question.Port)
	binary.BigEndian.PutUint32(s[4:], seq)
	s[12], s[13] = tcpHeader/4<<4, flags
	binary.BigEndian.PutUint16(s[14:], 64240)
	pseudo := append(source.AsSlice(), question.Server.AsSlice()...)
	binary.BigEndian.PutUint16(s[16:], sum(uint32(unix.IPPROTO_TCP+len(s)), append(pseudo, s...)))
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

// sum is the Internet checksum of bytes (RFC 1071).
func sum(s uint32, bytes []byte) uint16 {
	for i := 0; i+1 < len(bytes); i += 2 {
		s += uint32(binary.BigEndian.Uint16(bytes[i:]))
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return ^uint16(s)
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
	switch {
	case p[9] == unix.IPPROTO_TCP && len(body) >= tcpHeader && body[13]&ackFlag != 0 && body[13]&(synFlag|rstFlag) != 0:
		port = binary.BigEndian.Uint16(body[0:])
		place = int(min(binary.BigEndian.Uint32(body[8:])-1-q.first, math.MaxUint16))
		ok = port != 0 && binary.BigEndian.Uint16(body[2:]) == q.port
	case p[9] == unix.IPPROTO_ICMP && len(body) >= echoHeader && body[0] == 0:
		place = int(binary.BigEndian.Uint16(body[6:]))
		ok = binary.BigEndian.Uint16(body[4:]) == q.port
	}
	if i := place / asMany; !ok || i >= len(q.questions) || q.questions[i].Server != server || q.questions[i].Port != port {
		return server, 0, false
	}
	return server, place, true
}
