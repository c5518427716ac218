package filter

import (
	"encoding/binary"
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

// maxKeys is how many addresses, protocols and ports together a service may have to be found
// by a lookup. One with more, with ranges or with every port, has a rule of its own.
const maxKeys = 256

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

// A keyed is a marking with the services by address that it is found by.
type keyed struct {
	*ipvsctl.Marking
	keys []ipvsctl.ServiceKey
}

// keysOf are the services by address that a marking is found by; none: it has a rule.
func keysOf(m *ipvsctl.Marking) []ipvsctl.ServiceKey {
	if len(m.Ports) == 0 || slices.ContainsFunc(m.Ports, func(r ipvsctl.PortRange) bool { return r.First != r.Last }) ||
		slices.ContainsFunc(m.Addresses, func(r ipvsctl.AddressRange) bool { return r.First != r.Last }) {
		return nil
	}
	return m.Keys(maxKeys)
}

// lookUp adds a rule by which the packets of one family get the marks of some services.
func (w *writer) lookUp(chain *nftables.Chain, f *family, rules []keyed) {
	var marks []nftables.SetElement
	for _, r := range rules {
		if r.Family() != f.any {
			continue
		}
		for _, k := range r.keys {
			key := append(k.Addr.AsSlice(), byte(k.Protocol), 0, 0, 0)
			key = append(binary.BigEndian.AppendUint16(key, k.Port), 0, 0)
			marks = append(marks, nftables.SetElement{Key: key, Val: binary.BigEndian.AppendUint32(nil, r.Mark), Comment: comment(r.Service)})
		}
	}
	if len(marks) == 0 {
		return
	}
	kind := nftables.MustConcatSetType(f.kind, nftables.TypeInetProto, nftables.TypeInetService)
	set := w.set(&nftables.Set{IsMap: true, KeyType: kind, DataType: nftables.TypeMark}, marks)
	second := uint32(unix.NFT_REG32_00) + f.size/4 // The parts of a key are in registers of four bytes in a row.
	w.add(chain, "", append(f.of(), f.destination(),
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: second},
		&expr.Payload{DestRegister: second + 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Lookup{SourceRegister: 1, DestRegister: 1, IsDestRegSet: true, SetName: set.Name, SetID: set.ID}, swap(expr.ByteorderNtoh),
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: 1}))
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
