package filter

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/ipvsctl"
)

// What thousands of services may have is found by one lookup of each packet, however many
// they are: the mark by address, protocol and port, and the source by the mark. Sets and
// maps are anonymous: nobody can change them but with their rule.

const (
	// maxElements is how many addresses, protocols and ports together, ranges counted once, a
	// service may have to be found by a lookup. One with more has a rule of its own.
	maxElements = 256
	// fewRanges is how many services with ranges have a rule each: comparing a packet with so
	// many takes as long as to look it up in a map of ranges.
	fewRanges = 32
)

// perMessage is how many elements one message brings: its length is a number of 16 bits.
const perMessage = 256

// A family is one of the two that packets may be of.
type family struct {
	number byte
	any    netip.Addr // unspecified
	// at is where the header has the destination.
	at   uint32
	size uint32
	kind nftables.SetDatatype
}

var families = []*family{
	{unix.NFPROTO_IPV4, netip.IPv4Unspecified(), 16, 4, nftables.TypeIPAddr},
	{unix.NFPROTO_IPV6, netip.IPv6Unspecified(), 24, 16, nftables.TypeIP6Addr},
}

// of lets only packets of the family pass.
func (f *family) of() []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{f.number}}}
}

// destination loads the address that a packet is for.
func (f *family) destination() expr.Any {
	return &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: f.at, Len: f.size}
}

// split parts markings into those that are found in a table of hashes, which any number of them
// makes no slower, those that are found in a map of ranges, and those that have a rule each;
// singly: all with ranges have.
func split(rules ipvsctl.Ruleset, singly bool) (exact, ranged, apart []*ipvsctl.Marking) {
	for i := range rules {
		switch m := &rules[i]; {
		case len(m.Addresses)*len(m.Protocols)*len(portsOf(m)) > maxElements:
			apart = append(apart, m)
		case slices.ContainsFunc(m.Addresses, func(r ipvsctl.AddressRange) bool { return r.First != r.Last }),
			slices.ContainsFunc(portsOf(m), func(r ipvsctl.PortRange) bool { return r.First != r.Last }):
			ranged = append(ranged, m)
		default:
			exact = append(exact, m)
		}
	}
	if singly || len(ranged) <= fewRanges {
		apart, ranged = append(apart, ranged...), nil
	}
	return exact, ranged, apart
}

// portsOf are all ports of a marking.
func portsOf(m *ipvsctl.Marking) []ipvsctl.PortRange {
	if len(m.Ports) == 0 {
		return []ipvsctl.PortRange{{First: 0, Last: math.MaxUint16}}
	}
	return m.Ports
}

// lookUp adds a rule by which the packets of one family get the marks of some services, by one
// map.
func (w *writer) lookUp(chain *nftables.Chain, f *family, services []*ipvsctl.Marking, ranged bool) {
	var all []nftables.SetElement
	for _, m := range services {
		if m.Family() == f.any {
			all = append(all, elements(m, ranged)...)
		}
	}
	if len(all) == 0 {
		return
	}
	kind := nftables.MustConcatSetType(f.kind, nftables.TypeInetProto, nftables.TypeInetService)
	set := w.set(&nftables.Set{IsMap: true, Interval: ranged, Concatenation: ranged, KeyType: kind, DataType: nftables.TypeMark}, all)
	second := uint32(unix.NFT_REG32_00) + f.size/4 // The parts of a key are in registers of four bytes in a row.
	w.add(chain, "", append(f.of(), f.destination(),
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: second},
		&expr.Payload{DestRegister: second + 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Lookup{SourceRegister: 1, DestRegister: 1, IsDestRegSet: true, SetName: set.Name, SetID: set.ID}, swap(expr.ByteorderNtoh),
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: 1}))
}

// elements are what a map has of a marking.
func elements(m *ipvsctl.Marking, ranged bool) (all []nftables.SetElement) {
	for _, a := range m.Addresses {
		for _, protocol := range m.Protocols {
			for _, p := range portsOf(m) {
				e := nftables.SetElement{Key: keyOf(a.First, protocol, p.First), Val: binary.BigEndian.AppendUint32(nil, m.Mark), Comment: comment(m.Service)}
				if ranged {
					e.KeyEnd = keyOf(a.Last, protocol, p.Last) // Also of one alone: nft(8) takes two without it for a range.
				}
				all = append(all, e)
			}
		}
	}
	return all
}

// keyOf is what a packet has in its registers.
func keyOf(a netip.Addr, protocol ipvsctl.Protocol, port uint16) []byte {
	key := append(a.AsSlice(), byte(protocol), 0, 0, 0)
	return append(binary.BigEndian.AppendUint16(key, port), 0, 0)
}

// translate adds rules by which the packets of one family get another source.
func (w *writer) translate(chain *nftables.Chain, f *family, rules ipvsctl.Ruleset) {
	var masqueraded, translated []nftables.SetElement
	for i := range rules {
		r := &rules[i]
		e := nftables.SetElement{Key: binary.BigEndian.AppendUint32(nil, r.Mark), Comment: comment(r.Service)}
		switch {
		case r.Family() != f.any:
		case r.Masquerade:
			masqueraded = append(masqueraded, e)
		case r.To.IsValid():
			e.Val = r.To.AsSlice()
			translated = append(translated, e)
		}
	}
	mark := append(f.of(), &expr.Meta{Key: expr.MetaKeyMARK, Register: 1}, swap(expr.ByteorderHton))
	if len(masqueraded) > 0 {
		set := w.set(&nftables.Set{KeyType: nftables.TypeMark}, masqueraded)
		w.add(chain, "", append(slices.Clip(mark), &expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID}, &expr.Masq{}))
	}
	if len(translated) > 0 {
		set := w.set(&nftables.Set{IsMap: true, KeyType: nftables.TypeMark, DataType: f.kind}, translated)
		w.add(chain, "", append(slices.Clip(mark),
			&expr.Lookup{SourceRegister: 1, DestRegister: 1, IsDestRegSet: true, SetName: set.Name, SetID: set.ID},
			&expr.NAT{Type: expr.NATTypeSourceNAT, Family: uint32(f.number), RegAddrMin: 1}))
	}
}

// swap turns a mark in register 1 from this machine's order of bytes into the network's, or
// back. The kernel's is the former; sets have the latter, as nft takes it of what the library
// makes.
func swap(op expr.ByteorderOp) expr.Any {
	return &expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: op, Len: 4, Size: 4}
}

// set adds a set or a map with its elements.
func (w *writer) set(s *nftables.Set, elements []nftables.SetElement) *nftables.Set {
	s.Table, s.Anonymous, s.Constant, s.Size = w.table, true, true, uint32(len(elements))
	first := elements[:min(perMessage, len(elements))]
	w.note(w.conn.AddSet(s, first))
	more := *s
	more.Anonymous = false // The library would refuse it, and the kernel knows it by its ID.
	for chunk := range slices.Chunk(elements[len(first):], perMessage) {
		w.note(w.conn.SetAddElements(&more, chunk))
	}
	return s
}
