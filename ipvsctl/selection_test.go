package ipvsctl

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func selected(addresses string, protocols []Protocol, ports ...PortRange) Selection {
	var all []AddressRange
	for text := range strings.SplitSeq(addresses, ",") {
		first, last, ranged := strings.Cut(text, "-")
		if !ranged {
			last = first
		}
		all = append(all, AddressRange{netip.MustParseAddr(first), netip.MustParseAddr(last)})
	}
	return Select(all, protocols, ports)
}

func TestSelections(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Selection
		text string
		keys int // of 64 at most
	}{
		{"80 and 443", selected("10.13.0.200", []Protocol{TCP}, PortRange{443, 443}, PortRange{80, 80}), "tcp 10.13.0.200:80,443", 2},
		{"ports that touch are one range", selected("10.13.0.200", []Protocol{TCP}, PortRange{81, 90}, PortRange{80, 80}, PortRange{85, 95}), "tcp 10.13.0.200:80-95", 16},
		{"the last port", selected("10.13.0.200", []Protocol{UDP}, PortRange{65535, 65535}, PortRange{65534, 65534}), "udp 10.13.0.200:65534-65535", 2},
		{"RTP", selected("10.13.0.200", []Protocol{UDP}, PortRange{16384, 32767}), "udp 10.13.0.200:16384-32767", 0},
		{"every port", selected("10.13.0.200", []Protocol{UDP, TCP, TCP}), "tcp,udp 10.13.0.200:*", 2},
		{"addresses that touch", selected("10.13.0.201,10.13.0.200,10.13.0.202-10.13.0.209", []Protocol{TCP}, PortRange{80, 80}), "tcp 10.13.0.200-10.13.0.209:80", 10},
		{"the last address", selected("255.255.255.254-255.255.255.255", []Protocol{TCP}, PortRange{80, 80}), "tcp 255.255.255.254-255.255.255.255:80", 2},
		{"IPv6", selected("2001:db8::1,2001:db8::3-2001:db8::4", []Protocol{SCTP}, PortRange{9, 9}), "sctp [2001:db8::1],[2001:db8::3-2001:db8::4]:9", 3},
		{"a large network", selected("2001:db8::-2001:db8:ffff::", []Protocol{TCP}, PortRange{80, 80}), "tcp [2001:db8::-2001:db8:ffff::]:80", 0},
	} {
		if got := c.s.String(); got != c.text {
			t.Errorf("%s: %s, want %s", c.name, got, c.text)
		}
		keys := c.s.Keys(64)
		if len(keys) != c.keys || !slices.IsSortedFunc(keys, func(a, b ServiceKey) int { return a.Addr.Compare(b.Addr) }) {
			t.Errorf("%s: %d keys %v, want %d", c.name, len(keys), keys, c.keys)
		}
	}
}

// Two selections overlap exactly if one packet belongs to both.
func TestOverlaps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() Selection {
		var addresses []AddressRange
		var ports []PortRange
		for range 1 + r.IntN(2) {
			first := byte(r.IntN(12))
			addresses = append(addresses, AddressRange{netip.AddrFrom4([4]byte{10, 0, 0, first}), netip.AddrFrom4([4]byte{10, 0, 0, first + byte(r.IntN(3))})})
			from := uint16(1 + r.IntN(12))
			ports = append(ports, PortRange{from, from + uint16(r.IntN(3))})
		}
		return Select(addresses, [][]Protocol{{TCP}, {UDP}, {TCP, UDP}}[r.IntN(3)], ports)
	}
	both := 0
	for range 2000 {
		a, b := random(), random()
		keys := b.Keys(1 << 10)
		want := slices.ContainsFunc(a.Keys(1<<10), func(k ServiceKey) bool { return slices.Contains(keys, k) })
		if got := a.Overlaps(&b); got != want || b.Overlaps(&a) != want {
			t.Fatalf("%v and %v overlap: %v, want %v", &a, &b, got, want)
		}
		if want {
			both++
		}
	}
	if both < 100 || both > 1900 {
		t.Errorf("%d of 2000 overlap: this test shows little", both)
	}
}
