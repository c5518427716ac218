package ipvsctl

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
)

// Disjoint reports whether no packet is among those of two selections. Its time grows with
// their number, and hardly faster: it walks along the addresses, with the ports at hand that
// are taken at each.
func Disjoint(all []*Selection) bool {
	type edge struct {
		at        netip.Addr
		end       bool // after the last address of a range, else before its first one
		selection *Selection
	}
	var edges []edge
	for _, s := range all {
		for _, r := range s.Addresses {
			edges = append(edges, edge{r.First, false, s}, edge{r.Last, true, s})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if c := a.at.Compare(b.at); c != 0 || a.end == b.end {
			return c
		}
		return map[bool]int{true: 1, false: -1}[a.end]
	})
	taken := make(map[Protocol][]PortRange) // in order
	for _, e := range edges {
		for _, protocol := range e.selection.Protocols {
			for _, r := range e.selection.ports() {
				ports := taken[protocol]
				at, same := slices.BinarySearchFunc(ports, r, func(a, b PortRange) int { return cmp.Compare(a.First, b.First) })
				switch {
				case e.end:
					ports = slices.Delete(ports, at, at+1)
				case same || at > 0 && ports[at-1].Last >= r.First || at < len(ports) && ports[at].First <= r.Last:
					return false
				default:
					ports = slices.Insert(ports, at, r)
				}
				taken[protocol] = ports
			}
		}
	}
	return true
}

// ports are those of its packets, where none stand for all.
func (s *Selection) ports() []PortRange {
	if len(s.Ports) == 0 {
		return []PortRange{{0, math.MaxUint16}}
	}
	return s.Ports
}
