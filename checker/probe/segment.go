package probe

import (
	"encoding/binary"

	"golang.org/x/net/bpf"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/rawip"
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

const (
	// synSize is the length of a SYN: a header, and the option that every client sends.
	synSize = rawip.HeaderLen + 4
	// answerSize is the longest part of an answer that is read: the headers of IPv4 and
	// TCP, the former with its options.
	answerSize = 60 + rawip.HeaderLen
)

// request returns the segment that asks for a connection, without a checksum.
func (f tcpFamily) request(from, to uint16, seq uint32) (s [synSize]byte) {
	rawip.Segment{From: from, To: to, Seq: seq, Flags: rawip.SYN}.Put(s[:])
	s[20], s[21] = 2, 4 // maximum segment size
	binary.BigEndian.PutUint16(s[22:], f.segment)
	return s
}

// decode reads an answer as the socket delivers it; ok is false for anything else. The
// kernel has checked its IP header, and its checksum or that it has not left the machine.
func (f tcpFamily) decode(packet []byte) (s rawip.Segment, ok bool) {
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
	return rawip.Read(packet)
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
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: rawip.SYN | rawip.RST, SkipTrue: 1},
		bpf.RetConstant{Val: answerSize},
		bpf.RetConstant{Val: 0},
	})
}
