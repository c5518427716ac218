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

	"golang.org/x/net/icmp"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/doctor"
	"github.com/lvsd/lvsd/internal/rawip"
)

// Ask asks real servers as this director, as the virtual address and as doctor.Outside, all at
// once and twice within a time that it waits, and returns what came back of it. A server is
// asked for a connection, which is given up before a program there hears of it, or for an echo.
func Ask(questions []doctor.Question, wait time.Duration) (map[netip.Addr]doctor.Answers, error) {
	answers := make(map[netip.Addr]doctor.Answers)
	var both []*inquiry
	for _, f := range []*family{&four, &six} {
		q, err := newInquiry(f, questions, answers)
		if err != nil {
			return nil, fmt.Errorf("by %s: %w", f.name, err)
		}
		defer q.close()
		both = append(both, q)
	}
	for range 2 {
		for _, q := range both {
			q.each(q.send)
		}
		if err := receive(both, time.Now().Add(wait/2)); err != nil {
			return nil, err
		}
	}
	for _, q := range both {
		q.each(q.giveUp)
	}
	return answers, nil
}

// The places of those as whom a server is asked.
const (
	asOwn = iota
	asVirtual
	asOutside
	asMany // how many there are
)

// An inquiry is what Ask does of one family.
type inquiry struct {
	*family
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

// newInquiry prepares the questions of a family. Where there are none, it opens nothing.
func newInquiry(f *family, questions []doctor.Question, answers map[netip.Addr]doctor.Answers) (q *inquiry, err error) {
	q = &inquiry{family: f, answers: answers, first: rand.Uint32(), raw: -1, ears: -1, reserved: -1}
	defer func() {
		if err != nil {
			q.close()
		}
	}()
	for _, a := range questions {
		if a.Server.Is4() == (f == &four) {
			q.add(a)
		}
	}
	if len(q.questions) == 0 {
		return q, nil
	}
	if q.reserved, q.port, err = rawip.ReservePort(f.domain); err != nil {
		return q, fmt.Errorf("reserving a port: %w", err)
	}
	return q, errors.Join(q.openRaw(), q.openEars())
}

// add notes a question, and as whom it can be asked.
func (q *inquiry) add(a doctor.Question) {
	sources := [asMany]netip.Addr{asVirtual: a.Virtual, asOutside: doctor.Outside(a.Server)}
	if c, err := net.Dial("udp", netip.AddrPortFrom(a.Server, 9).String()); err == nil { // It sends nothing.
		sources[asOwn] = c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
		_ = c.Close()
	}
	index := 0
	if i, err := net.InterfaceByName(a.Interface); err == nil {
		index = i.Index
	}
	q.questions, q.sources, q.indices = append(q.questions, a), append(q.sources, sources), append(q.indices, index)
	q.answers[a.Server] = doctor.Answers{}
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
	if q.raw, err = unix.Socket(q.domain, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW); err != nil {
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
	program, err := q.filter(q.port)
	if err != nil {
		return err
	}
	if err := rawip.Attach(q.ears, program); err != nil {
		return err
	}
	big := q.frames>>8 | q.frames<<8 // in the kernel's structure
	return os.NewSyscallError("bind", unix.Bind(q.ears, &unix.SockaddrLinklayer{Protocol: big}))
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
		source := q.sources[place/asMany][place%asMany]
		echo := icmp.Message{Type: q.request, Body: &icmp.Echo{ID: int(q.port), Seq: place}}
		if b, err := echo.Marshal(q.pseudo(source, question.Server)); err == nil {
			q.write(place, q.control, b)
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

// write sends a packet.
func (q *inquiry) write(place int, protocol byte, body []byte) {
	question, source := &q.questions[place/asMany], q.sources[place/asMany][place%asMany]
	to := unix.Sockaddr(&unix.SockaddrInet6{Addr: question.Server.As16()})
	if question.Server.Is4() {
		to = &unix.SockaddrInet4{Addr: question.Server.As4()}
	}
	_ = unix.Sendto(q.raw, append(q.header(protocol, source, question.Server, len(body)), body...), 0, to)
}

// receive notes the answers that arrive until then.
func receive(all []*inquiry, until time.Time) error {
	var ears []unix.PollFd
	for _, q := range all {
		ears = append(ears, unix.PollFd{Fd: int32(q.ears), Events: unix.POLLIN}) // Below zero, it is left out.
	}
	var buffer [128]byte
	for {
		left := time.Until(until)
		if left <= 0 {
			return nil
		}
		if _, err := unix.Poll(ears, int(left.Milliseconds())+1); err != nil && !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("poll", err)
		}
		for _, q := range all {
			n, from, err := unix.Recvfrom(q.ears, buffer[:], 0)
			if link, ok := from.(*unix.SockaddrLinklayer); err == nil && ok && link.Pkttype == unix.PACKET_HOST {
				q.note(buffer[:n], link.Ifindex)
			}
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
	server, protocol, body := q.read(p)
	port := uint16(0)
	switch s, isSegment := rawip.Read(body); {
	case protocol == unix.IPPROTO_TCP && isSegment && s.Flags&rawip.ACK != 0 && s.Flags&(rawip.SYN|rawip.RST) != 0:
		port = s.From
		place = int(min(s.Ack-1-q.first, math.MaxUint16))
		ok = port != 0 && s.To == q.port
	case protocol == q.control && len(body) >= echoHeader && body[0] == q.reply:
		place = int(binary.BigEndian.Uint16(body[6:]))
		ok = binary.BigEndian.Uint16(body[4:]) == q.port
	}
	if i := place / asMany; !ok || i >= len(q.questions) || q.questions[i].Server != server || q.questions[i].Port != port {
		return server, 0, false
	}
	return server, place, true
}
