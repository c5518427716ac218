package link_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
)

// claims asks who has an address on va and returns who answers within a moment.
func claims(t *testing.T, l *link.Link, address string, ask bool) (macs []string) {
	t.Helper()
	a := netip.MustParseAddr(address)
	if ask {
		l.Ask(vrrp.Ask{Interface: "va", Address: a})
	}
	for range 60 {
		l.Claims(func(c vrrp.Claim) {
			if c.Interface != "va" || c.Address != a {
				t.Errorf("a claim of %+v, want one of %s", c, address)
			}
			if !slices.Contains(macs, c.MAC) {
				macs = append(macs, c.MAC)
			}
		})
		time.Sleep(5 * time.Millisecond)
	}
	return macs
}

func TestWhoElseHasAnAddress(t *testing.T) {
	cable(t, "va", "vb")
	ip(t, "addr add 10.9.0.1/24 dev va")
	ip(t, "addr add fe80::a/64 dev va nodad")
	other := host(t, "vb")
	for _, line := range []string{"ip link set vb address 52:54:00:00:00:02", "ip addr add 10.9.0.2/24 dev vb",
		"ip addr add 10.9.0.200/24 dev vb", "ip addr add fe80::200/64 dev vb nodad", "ip addr add 2001:db8::200/64 dev vb nodad"} {
		other.Run(line)
	}
	l := open(t)
	watched := []netip.Addr{}
	for _, a := range []string{"10.9.0.200", "10.9.0.201", "fe80::200", "fe80::201", "2001:db8::200", "10.9.0.202"} {
		watched = append(watched, netip.MustParseAddr(a))
	}
	ip(t, "addr add 10.9.0.202/24 dev va") // it is here
	l.Watch(map[string][]netip.Addr{"va": watched, "nix": watched, "lo": watched})
	wait(t, "somebody listens", func() bool { return len(claims(t, l, "10.9.0.200", true)) > 0 })
	for len(l.Wake()) > 0 {
		<-l.Wake()
	}
	l.Ask(vrrp.Ask{Interface: "va", Address: netip.MustParseAddr("10.9.0.200")})
	<-l.Wake() // An answer wakes the loop.
	claims(t, l, "10.9.0.200", false)
	for _, tt := range []struct {
		name, address string
		answered      bool
	}{
		{"ARP: somebody has it", "10.9.0.200", true},
		{"ARP: nobody has it", "10.9.0.201", false},
		{"ARP: only we have it", "10.9.0.202", false},
		{"ARP: it is not watched", "10.9.0.2", false},
		{"IPv6: somebody has it", "2001:db8::200", true},
		{"IPv6, link-local: somebody has it", "fe80::200", true},
		{"IPv6, link-local: nobody has it", "fe80::201", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			if tt.answered {
				want = []string{"52:54:00:00:00:02"}
			}
			if got := claims(t, l, tt.address, true); !slices.Equal(got, want) {
				t.Errorf("answered by %v, want %v", got, want)
			}
		})
	}
	if got := other.Run("ip -4 neigh show dev vb"); got != "" {
		t.Errorf("the questions have left %q with the others", got)
	}
	t.Run("a real server that uses the virtual address asks for its gateway", func(t *testing.T) {
		other.Run("ip addr flush dev vb")
		other.Run("ip addr add 10.9.0.200/24 dev vb")
		other.Run("bash -c echo>/dev/udp/10.9.0.1/9")
		if got := claims(t, l, "10.9.0.200", false); len(got) != 1 {
			t.Errorf("claimed by %v", got)
		}
	})
	t.Run("what is not watched any more is not told", func(t *testing.T) {
		l.Watch(nil)
		wait(t, "nobody listens", func() bool { return len(claims(t, l, "10.9.0.200", true)) == 0 })
	})
}

// An IPv6 address has four words to compare, and the filter of many addresses must
// be one that the kernel takes.
func TestManyAddressesAreWatched(t *testing.T) {
	cable(t, "va", "vb")
	other := host(t, "vb")
	var all []netip.Addr
	for i := range 600 {
		all = append(all, netip.MustParseAddr(fmt.Sprintf("2001:db8::%x:200", i)))
	}
	other.Run("ip addr add 2001:db8::7:200/64 dev vb nodad")
	other.Run("ip addr add 2001:db8::7:201/64 dev vb nodad")
	l := open(t)
	l.Watch(map[string][]netip.Addr{"va": all})
	wait(t, "one of them is told", func() bool { return len(claims(t, l, "2001:db8::7:200", true)) == 1 })
	if got := claims(t, l, "2001:db8::7:201", true); len(got) > 0 {
		t.Errorf("one that is not watched is claimed by %v", got)
	}
}
