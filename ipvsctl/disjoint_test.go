package ipvsctl

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// anySelection is one of few addresses and ports, so that two often have packets in common.
func anySelection(r *rand.Rand) *Selection {
	at := func(n int) netip.Addr {
		if r.IntN(4) == 0 {
			return netip.AddrFrom16([16]byte{0x20, 1, 15: byte(n)})
		}
		return netip.AddrFrom4([4]byte{10, 13, 0, byte(n)})
	}
	first := at(r.IntN(40))
	addresses := []AddressRange{{first, first}}
	for range r.IntN(3) {
		if a, b := at(r.IntN(40)), at(r.IntN(40)); a.Is4() == first.Is4() && b.Is4() == first.Is4() && a.Compare(b) <= 0 {
			addresses = append(addresses, AddressRange{a, b})
		}
	}
	var ports []PortRange
	for range r.IntN(3) {
		port := uint16(1 + r.IntN(60))
		ports = append(ports, PortRange{port, port + uint16(r.IntN(3))})
	}
	s := Select(addresses, []Protocol{TCP, UDP, SCTP}[:1+r.IntN(3)], ports)
	return &s
}

// It is what comparing each with each other one tells.
func TestDisjointSelections(t *testing.T) {
	told := map[bool]int{}
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var all []*Selection
		for range 1 + r.IntN(5) {
			all = append(all, anySelection(r))
		}
		want := true
		for i := range all {
			for j := range i {
				want = want && !all[i].Overlaps(all[j])
			}
		}
		if got := Disjoint(all); got != want {
			t.Fatalf("seed %d: %v, want %v: %v", seed, got, want, all)
		}
		told[want]++
	}
	if told[true] < 500 || told[false] < 500 {
		t.Errorf("told %v: these are no tests", told)
	}
}

// BenchmarkDisjoint judges 5,000 services with two ports each, all at one address or each at
// its own.
func BenchmarkDisjoint(b *testing.B) {
	for name, address := range map[string]func(i int) netip.Addr{
		"one address":   func(int) netip.Addr { return netip.AddrFrom4([4]byte{10, 13, 0, 200}) },
		"own addresses": func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 13, byte(i >> 8), byte(i)}) },
	} {
		all := make([]*Selection, 5000)
		for i := range all {
			a, port := address(i), uint16(1+4*i)
			s := Select([]AddressRange{{a, a}}, []Protocol{TCP, UDP}, []PortRange{{port, port}, {port + 2, port + 2}})
			all[i] = &s
		}
		b.Run(name, func(b *testing.B) {
			for range b.N {
				if !Disjoint(all) {
					b.Fatal("it finds packets of two")
				}
			}
		})
	}
}
