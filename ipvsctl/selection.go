package ipvsctl

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// An AddressRange is some addresses of one family in a row. It is comparable.
type AddressRange struct{ First, Last netip.Addr }

// Holds reports whether an address is in the range.
func (r AddressRange) Holds(a netip.Addr) bool {
	return r.First.Compare(a) <= 0 && a.Compare(r.Last) <= 0
}

// String returns the range as "10.13.0.200" or "10.13.0.200-10.13.0.209".
func (r AddressRange) String() string {
	if r.First == r.Last {
		return r.First.String()
	}
	return r.First.String() + "-" + r.Last.String()
}

// A PortRange is some ports in a row. It is comparable.
type PortRange struct{ First, Last uint16 }

// String returns the range as "80" or "16384-32767".
func (r PortRange) String() string {
	first := strconv.Itoa(int(r.First))
	if r.First == r.Last {
		return first
	}
	return first + "-" + strconv.Itoa(int(r.Last))
}

// A Selection is which packets belong to a virtual service: those to one of the addresses, of
// one of the protocols, and to one of the ports. Its lists are in order, and no two ranges
// of one touch.
type Selection struct {
	Addresses []AddressRange // of one family
	Protocols []Protocol
	Ports     []PortRange // empty: every port
}

// Select returns a selection of lists in any order.
func Select(addresses []AddressRange, protocols []Protocol, ports []PortRange) Selection {
	s := Selection{Protocols: slices.Sorted(slices.Values(protocols))}
	s.Protocols = slices.Compact(s.Protocols)
	s.Addresses = joined(addresses, func(a, b AddressRange) int { return a.First.Compare(b.First) }, func(a *AddressRange, b AddressRange) bool {
		if next := a.Last.Next(); next.IsValid() && b.First.Compare(next) > 0 {
			return false
		}
		if a.Last.Compare(b.Last) < 0 {
			a.Last = b.Last
		}
		return true
	})
	s.Ports = joined(ports, func(a, b PortRange) int { return cmp.Compare(a.First, b.First) }, func(a *PortRange, b PortRange) bool {
		if uint32(b.First) > uint32(a.Last)+1 {
			return false
		}
		a.Last = max(a.Last, b.Last)
		return true
	})
	return s
}

// joined returns ranges in order, where join makes one of two that touch.
func joined[R any](ranges []R, order func(a, b R) int, join func(a *R, b R) bool) (all []R) {
	for _, r := range slices.SortedFunc(slices.Values(ranges), order) {
		if n := len(all); n == 0 || !join(&all[n-1], r) {
			all = append(all, r)
		}
	}
	return all
}

// Family is the unspecified address of the packets' family, 0.0.0.0 or ::.
func (s *Selection) Family() netip.Addr {
	if len(s.Addresses) > 0 && s.Addresses[0].First.Is6() {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// HasAddr reports whether packets to an address may be among them.
func (s *Selection) HasAddr(a netip.Addr) bool {
	return slices.ContainsFunc(s.Addresses, func(r AddressRange) bool { return r.Holds(a) })
}

// Has reports whether the packets of a service by address are among them; those of one for
// every port are if all ports are.
func (s *Selection) Has(key ServiceKey) bool {
	return s.HasAddr(key.Addr) && slices.Contains(s.Protocols, key.Protocol) &&
		(len(s.Ports) == 0 || slices.ContainsFunc(s.Ports, func(r PortRange) bool { return r.First <= key.Port && key.Port <= r.Last }))
}

// Overlaps reports whether a packet may be among those of both.
func (s *Selection) Overlaps(o *Selection) bool {
	addresses := func(a, b AddressRange) bool { return a.Holds(b.First) || b.Holds(a.First) }
	ports := func(a, b PortRange) bool { return a.First <= b.Last && b.First <= a.Last }
	return any2(s.Addresses, o.Addresses, addresses) &&
		any2(s.Protocols, o.Protocols, func(a, b Protocol) bool { return a == b }) &&
		(len(s.Ports) == 0 || len(o.Ports) == 0 || any2(s.Ports, o.Ports, ports))
}

// any2 reports whether two of a and b are as they should.
func any2[T any](a, b []T, as func(a, b T) bool) bool {
	return slices.ContainsFunc(a, func(x T) bool { return slices.ContainsFunc(b, func(y T) bool { return as(x, y) }) })
}

// Keys returns the services by address that have these packets, in order, or none where
// there were more than a limit.
func (s *Selection) Keys(limit int) (keys []ServiceKey) {
	ports := s.Ports
	if len(ports) == 0 {
		ports = []PortRange{{}} // IPVS's own word for every port
	}
	for _, r := range s.Addresses {
		for a := r.First; a.IsValid() && r.Holds(a); a = a.Next() {
			for _, protocol := range s.Protocols {
				for _, p := range ports {
					if len(keys)+int(p.Last-p.First)+1 > limit {
						return nil
					}
					for port := int(p.First); port <= int(p.Last); port++ {
						keys = append(keys, ServiceKey{Protocol: protocol, Addr: a, Port: uint16(port)})
					}
				}
			}
		}
	}
	return keys
}

// String returns the selection as people write it: "tcp,udp 10.13.0.200:80,443", with an
// asterisk for every port.
func (s *Selection) String() string {
	var addresses []string
	for _, r := range s.Addresses {
		text := r.String()
		if r.First.Is6() {
			text = "[" + text + "]"
		}
		addresses = append(addresses, text)
	}
	ports := "*"
	if len(s.Ports) > 0 {
		ports = listed(s.Ports)
	}
	return listed(s.Protocols) + " " + strings.Join(addresses, ",") + ":" + ports
}

// listed returns the texts of values with commas between.
func listed[T interface{ String() string }](values []T) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = v.String()
	}
	return strings.Join(all, ",")
}
