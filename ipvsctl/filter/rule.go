package filter

import (
	"encoding/binary"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"

	"github.com/lvsd/lvsd/ipvsctl"
)

// A value is what a part of a packet may be: one, or a range, in the network's byte order.
type value struct{ first, last []byte }

// matches adds that what is in register 1 is one of some values. Sets are anonymous: nobody
// can change them but with their rule.
func (w *writer) matches(values []value, kind nftables.SetDatatype) []expr.Any {
	if len(values) == 1 {
		v := values[0]
		if string(v.first) == string(v.last) {
			return []expr.Any{&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: v.first}}
		}
		return []expr.Any{&expr.Range{Op: expr.CmpOpEq, Register: 1, FromData: v.first, ToData: v.last}}
	}
	var elements []nftables.SetElement
	for _, v := range values {
		elements = append(elements, nftables.SetElement{Key: v.first})
		if after, ok := next(v.last); ok {
			elements = append(elements, nftables.SetElement{Key: after, IntervalEnd: true})
		}
	}
	set := &nftables.Set{Table: w.table, Anonymous: true, Constant: true, Interval: true, KeyType: kind}
	w.note(w.conn.AddSet(set, elements))
	return []expr.Any{&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID}}
}

// next returns the number after one; ok is false for the last one.
func next(number []byte) (after []byte, ok bool) {
	after = append(after, number...)
	for i := len(after) - 1; i >= 0; i-- {
		if after[i]++; after[i] != 0 {
			return after, true
		}
	}
	return nil, false
}

// selects are the expressions that only the packets of a selection pass.
func (w *writer) selects(s *ipvsctl.Selection) (all []expr.Any) {
	f := families[slices.IndexFunc(families, func(f *family) bool { return f.any == s.Family() })]
	var addresses, protocols, ports []value
	for _, r := range s.Addresses {
		addresses = append(addresses, value{r.First.AsSlice(), r.Last.AsSlice()})
	}
	for _, p := range s.Protocols {
		protocols = append(protocols, value{[]byte{byte(p)}, []byte{byte(p)}})
	}
	for _, p := range s.Ports {
		ports = append(ports, value{binary.BigEndian.AppendUint16(nil, p.First), binary.BigEndian.AppendUint16(nil, p.Last)})
	}
	all = append(f.of(), f.destination())
	all = append(all, w.matches(addresses, f.kind)...)
	all = append(all, &expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1})
	all = append(all, w.matches(protocols, nftables.TypeInetProto)...)
	if len(ports) > 0 {
		all = append(all, &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2})
		all = append(all, w.matches(ports, nftables.TypeInetService)...)
	}
	return all
}

// mark gives a packet a mark.
func mark(n uint32) []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: 1, Data: binaryutil.NativeEndian.PutUint32(n)},
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: 1},
	}
}
