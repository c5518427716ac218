package probe

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/bpf"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// The flags of a TCP segment that a knock is about.
const (
	flagSYN = 1 << 1
	flagRST = 1 << 2
	flagACK = 1 << 4
)

// A tcpFamily holds what differs between IPv4 and IPv6 for a raw TCP segment.
type tcpFamily struct {
	domain int
	// segment is the largest that fits into an Ethernet frame, which a SYN says.
	segment uint16
	// hasHeader is true if what is read starts with its IP header, both for the
	// program and for its filter, and if the sender computes the checksum.
	hasHeader bool
}

var (
	ipv4TCP = tcpFamily{domain: unix.AF_INET, segment: 1460, hasHeader: true}
	ipv6TCP = tcpFamily{domain: unix.AF_INET6, segment: 1440}
)

// A segment is what there is to know of an answer: a TCP segment without its data.
type segment struct {
	from, to uint16 // ports
	ack      uint32
	flags    byte
}

const (
	tcpHeader = 20
	// synSize is the length of a SYN: a header, and the option that every client sends.
	synSize = tcpHeader + 4
	// answerSize is the longest part of an answer that is read: the headers of IPv4 and
	// TCP, the former with its options.
	answerSize = 60 + tcpHeader
	// checksumAt is where a header has its checksum.
	checksumAt = 16
)

// request returns the segment that asks for a connection, without a checksum.
func (f tcpFamily) request(from, to uint16, seq uint32) (s [synSize]byte) {
	binary.BigEndian.PutUint16(s[0:], from)
	binary.BigEndian.PutUint16(s[2:], to)
	binary.BigEndian.PutUint32(s[4:], seq)
	s[12] = synSize / 4 << 4
	s[13] = flagSYN
	binary.BigEndian.PutUint16(s[14:], 64240) // the window, as Linux has it
	s[20], s[21] = 2, 4                       // maximum segment size
	binary.BigEndian.PutUint16(s[22:], f.segment)
	return s
}

// seal fills in the checksum of a segment between two IPv4 addresses.
func seal(segment []byte, from, to netip.Addr) {
	sum := uint32(unix.IPPROTO_TCP) + uint32(len(segment))
	for _, addr := range [][4]byte{from.As4(), to.As4()} {
		sum += uint32(binary.BigEndian.Uint16(addr[:2])) + uint32(binary.BigEndian.Uint16(addr[2:]))
	}
	for i := 0; i+1 < len(segment); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(segment[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(segment[checksumAt:], ^uint16(sum))
}

// decode reads an answer as the socket delivers it; ok is false for anything else. The
// kernel has checked its IP header, and its checksum or that it has not left the machine.
func (f tcpFamily) decode(packet []byte) (s segment, ok bool) {
	if f.hasHeader {
		if len(packet) < ipv4.HeaderLen {
			return s, false
		}
		length := int(packet[0]&0x0f) * 4
		if packet[0]>>4 != 4 || length < ipv4.HeaderLen || len(packet) < length {
			return s, false
		}
		packet = packet[length:]
	}
	if len(packet) < tcpHeader {
		return s, false
	}
	return segment{
		from:  binary.BigEndian.Uint16(packet[0:]),
		to:    binary.BigEndian.Uint16(packet[2:]),
		ack:   binary.BigEndian.Uint32(packet[8:]),
		flags: packet[13],
	}, true
}

// quoted reads what an ICMP error has of a segment of ours: its ports and its sequence
// number.
func quoted(packet []byte) (from, to uint16, seq uint32, ok bool) {
	if len(packet) < 8 {
		return 0, 0, 0, false
	}
	return binary.BigEndian.Uint16(packet[0:]), binary.BigEndian.Uint16(packet[2:]), binary.BigEndian.Uint32(packet[4:]), true
}

// filter returns a program that lets only answers to one port into the socket's
// buffer: every raw socket receives all TCP segments of the host.
func (f tcpFamily) filter(port uint16) ([]bpf.RawInstruction, error) {
	start := bpf.Instruction(bpf.LoadConstant{Dst: bpf.RegX, Val: 0})
	if f.hasHeader {
		start = bpf.LoadMemShift{Off: 0}
	}
	return bpf.Assemble([]bpf.Instruction{
		start,
		bpf.LoadIndirect{Off: 2, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(port), SkipTrue: 3},
		bpf.LoadIndirect{Off: 13, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: flagSYN | flagRST, SkipTrue: 1},
		bpf.RetConstant{Val: answerSize},
		bpf.RetConstant{Val: 0},
	})
}
