package vrrp

import (
	"net/netip"
	"testing"
)

// The director's own address stays whatever becomes of the router.
func TestWhichAddressIsTheDirectorsOwn(t *testing.T) {
	addr := func(s string) (a netip.Addr) {
		if s != "" {
			a = netip.MustParseAddr(s)
		}
		return a
	}
	const own, second, virtual, virtual2 = "10.0.0.1", "10.0.0.2", "10.0.0.100", "10.0.0.101"
	for _, tt := range []struct {
		name      string
		owner     bool
		inspected bool
		source    string
		was       string
		there     []string
		want      string
	}{
		{"the only one", false, true, "", "", []string{own}, own},
		{"the only one of the family", false, true, "", "", []string{"2001:db8::1", own, "fe80::1"}, own},
		{"the configured source", false, true, second, own, []string{own}, second},
		{"two, of which none is chosen", false, true, "", "", []string{own, second}, ""},
		{"beside a virtual one that somebody added", false, true, "", own, []string{own, virtual}, ""},
		{"a virtual one alone, found at the start", false, false, "", "", []string{virtual}, virtual},
		{"a virtual one alone, that came later", false, true, "", "", []string{virtual}, ""},
		{"a virtual one alone, that was found at the start", false, true, "", virtual, []string{virtual}, virtual},
		{"a virtual one alone, after the own one went", false, true, "", own, []string{virtual}, ""},
		{"none any more: until it is back", false, true, "", own, nil, own},
		{"an owner's, the one that was there first", true, false, "", "", []string{virtual, virtual2}, virtual},
		{"an owner's, behind others now", true, true, "", virtual2, []string{virtual, virtual2}, virtual2},
		{"an owner's, behind others and one that is not virtual", true, true, "", virtual2, []string{own, virtual, virtual2}, virtual2},
		{"an owner's, that is gone for a moment", true, true, "", virtual, []string{virtual2}, virtual},
		{"an owner's, that is gone, beside one that is not virtual", true, true, "", virtual, []string{virtual2, own}, ""},
		{"an owner's, that is gone, and one that is not virtual alone", true, true, "", virtual, []string{own}, own},
		{"an owner's that is not virtual, and is gone", true, true, "", own, nil, own},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			c.Source = addr(tt.source)
			if tt.owner {
				c.Priority = ownerPriority
			}
			m := &member{key: routerKey{Port: Port{"eth0", 4}}, router: NewRouter(c), inspected: tt.inspected, own: addr(tt.was)}
			var i Interface
			for _, a := range tt.there {
				i.Addresses = append(i.Addresses, netip.PrefixFrom(addr(a), 24))
			}
			m.findOwn(i, map[netip.Addr]bool{addr(virtual): true, addr(virtual2): true})
			if m.own != addr(tt.want) {
				t.Errorf("it is %v, want %q", m.own, tt.want)
			}
		})
	}
}
