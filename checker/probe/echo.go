package probe

import (
	"encoding/binary"

	"golang.org/x/net/bpf"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// An echoFamily holds what differs between ICMP and ICMPv6 for an echo.
type echoFamily struct {
	domain, protocol int
	request          icmp.Type
	reply            uint8
	// hasHeader is true if a packet starts with its IP header, both when it is
	// read and when the filter sees it.
	hasHeader bool
}

var (
	ipv4Echo = echoFamily{unix.AF_INET, unix.IPPROTO_ICMP, ipv4.ICMPTypeEcho, uint8(ipv4.ICMPTypeEchoReply), true}
	ipv6Echo = echoFamily{unix.AF_INET6, unix.IPPROTO_ICMPV6, ipv6.ICMPTypeEchoRequest, uint8(ipv6.ICMPTypeEchoReply), false}
)

// An echo is what a request carries and its reply must return.
type echo struct {
	ID, Seq uint16
	// Token distinguishes this echo from one of another program with the same
	// ID.
	Token uint64
}

// encode returns the request. Its data is the token, padded to the size that
// ping(8) sends, so that firewalls which look at the size see nothing unusual.
// The kernel fills in the checksum of ICMPv6.
func (f echoFamily) encode(e echo) ([]byte, error) {
	data := append(binary.BigEndian.AppendUint64(nil, e.Token), make([]byte, 48)...)
	m := icmp.Message{Type: f.request, Body: &icmp.Echo{ID: int(e.ID), Seq: int(e.Seq), Data: data}}
	return m.Marshal(nil)
}

// decode reads a reply as the socket delivers it; ok is false for anything
// else.
func (f echoFamily) decode(packet []byte) (e echo, ok bool) {
	if f.hasHeader {
		if len(packet) < ipv4.HeaderLen {
			return echo{}, false
		}
		length := int(packet[0]&0x0f) * 4
		if length < ipv4.HeaderLen || len(packet) < length {
			return echo{}, false
		}
		packet = packet[length:]
	}
	m, err := icmp.ParseMessage(f.protocol, packet)
	if err != nil || packet[0] != f.reply || m.Code != 0 {
		return echo{}, false
	}
	body, isEcho := m.Body.(*icmp.Echo)
	if !isEcho || len(body.Data) < 8 {
		return echo{}, false
	}
	return echo{
		ID:    uint16(body.ID),
		Seq:   uint16(body.Seq),
		Token: binary.BigEndian.Uint64(body.Data),
	}, true
}

// filter returns a program that lets only replies with our ID into the
// socket's buffer: every raw socket receives all ICMP packets of the host.
func (f echoFamily) filter(id uint16) ([]bpf.RawInstruction, error) {
	start := bpf.Instruction(bpf.LoadConstant{Dst: bpf.RegX, Val: 0})
	if f.hasHeader {
		start = bpf.LoadMemShift{Off: 0}
	}
	return bpf.Assemble([]bpf.Instruction{
		start,
		bpf.LoadIndirect{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(f.reply), SkipTrue: 3},
		bpf.LoadIndirect{Off: 4, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(id), SkipTrue: 1},
		bpf.RetConstant{Val: 0xffff},
		bpf.RetConstant{Val: 0},
	})
}
