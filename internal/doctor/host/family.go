package host

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/bpf"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// A family holds what differs between packets of IPv4 and IPv6.
type family struct {
	name   string
	domain int
	frames uint16 // Ethernet's number of its packets

	control byte // the protocol of echoes: ICMP, or ICMPv6
	request icmp.Type
	reply   byte
	// pseudo is the header that the checksum of an echo counts too; nil: none.
	pseudo func(from, to netip.Addr) []byte

	// header makes the header of a packet.
	header func(protocol byte, from, to netip.Addr, body int) []byte
	// read reads a packet; its body is nil where it is none of the family.
	read func(p []byte) (from netip.Addr, protocol byte, body []byte)
	// filter lets in what may be an answer at a port.
	filter func(port uint16) ([]bpf.RawInstruction, error)
}

var (
	four = family{
		"IPv4", unix.AF_INET, unix.ETH_P_IP, unix.IPPROTO_ICMP, ipv4.ICMPTypeEcho, byte(ipv4.ICMPTypeEchoReply), func(_, _ netip.Addr) []byte { return nil }, header4, read4, filter4,
	}
	six = family{
		"IPv6", unix.AF_INET6, unix.ETH_P_IPV6, unix.IPPROTO_ICMPV6, ipv6.ICMPTypeEchoRequest, byte(ipv6.ICMPTypeEchoReply),
		func(from, to netip.Addr) []byte { return icmp.IPv6PseudoHeader(from.AsSlice(), to.AsSlice()) }, header6, read6, filter6,
	}
)

// The lengths of headers without options, in bytes.
const (
	header4Len, header6Len = ipv4.HeaderLen, ipv6.HeaderLen

	echoHeader = 8
	hopLimit   = 64
)

// header4 leaves the length, the number and the checksum to the kernel.
func header4(protocol byte, from, to netip.Addr, body int) []byte {
	p := make([]byte, header4Len, header4Len+body)
	p[0], p[8], p[9] = 0x45, hopLimit, protocol
	copy(p[12:], from.AsSlice())
	copy(p[16:], to.AsSlice())
	return p
}

func header6(protocol byte, from, to netip.Addr, body int) []byte {
	p := make([]byte, header6Len, header6Len+body)
	p[0], p[6], p[7] = 6<<4, protocol, hopLimit
	binary.BigEndian.PutUint16(p[4:], uint16(body))
	copy(p[8:], from.AsSlice())
	copy(p[24:], to.AsSlice())
	return p
}

func read4(p []byte) (from netip.Addr, protocol byte, body []byte) {
	if len(p) < header4Len || p[0]>>4 != 4 {
		return from, 0, nil
	}
	return netip.AddrFrom4([4]byte(p[12:16])), p[9], p[min(len(p), int(p[0]&15)*4):]
}

// read6 reads packets without extension headers, as answers to a SYN and to an echo are.
func read6(p []byte) (from netip.Addr, protocol byte, body []byte) {
	if len(p) < header6Len || p[0]>>4 != 6 {
		return from, 0, nil
	}
	return netip.AddrFrom16([16]byte(p[8:24])), p[6], p[header6Len:]
}

// filter4 lets in what is for a port, by TCP, or as the identifier of an echo; of what is cut
// into fragments, the first.
func filter4(port uint16) ([]bpf.RawInstruction, error) {
	return bpf.Assemble(append([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: uint8(2 + lastOfFilter)},
		bpf.LoadMemShift{Off: 0},
		bpf.LoadAbsolute{Off: 9, Size: 1},
	}, toPort(port, unix.IPPROTO_ICMP)...))
}

// filter6 is the same for IPv6.
func filter6(port uint16) ([]bpf.RawInstruction, error) {
	return bpf.Assemble(append([]bpf.Instruction{
		bpf.LoadConstant{Dst: bpf.RegX, Val: header6Len},
		bpf.LoadAbsolute{Off: 6, Size: 1},
	}, toPort(port, unix.IPPROTO_ICMPV6)...))
}

// lastOfFilter is the place of the instruction of toPort that lets nothing in.
const lastOfFilter = 7

// toPort is the end of a filter, where the protocol is in A, and where the body begins in X.
func toPort(port uint16, control uint32) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_TCP, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: control, SkipTrue: 5},
		bpf.LoadIndirect{Off: 4, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(port), SkipTrue: 2},
		bpf.LoadIndirect{Off: 2, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(port), SkipTrue: 1},
		bpf.RetConstant{Val: 128},
		bpf.RetConstant{Val: 0},
	}
}
