package link_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
)

// "What would it do here?" It becomes Master, as nobody else is heard, and nothing of that
// is seen in the kernel or on the wire.
func TestADryLinkChangesNothing(t *testing.T) {
	cable(t, "va", "vb")
	ip(t, "addr add 10.9.0.1/24 dev va")
	ip(t, "addr add 10.9.0.201/24 dev va") // It is among those that are released at the end.
	there := func() string { return ip(t, "-o addr show dev va") + ip(t, "route show table all") + ip(t, "rule") }
	wait(t, "the addresses of IPv6 to be whole", func() bool { return !strings.Contains(ip(t, "-6 -o addr"), "tentative") })
	before := there()
	peer := open(t, vrrp.Port{Interface: "vb", Family: 4})

	var mu sync.Mutex
	var would []string
	report := func(e vrrp.Event) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case e.Code == "would-do":
			would = append(would, e.Text)
		case e.Code == vrrp.AddressesRestored, e.Code == vrrp.AddressesFailed, e.Code == vrrp.AddressesRemoved:
			t.Errorf("%s: %s", e.Code, e.Text)
		}
	}
	said := func(want string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return slices.ContainsFunc(would, func(s string) bool { return strings.HasPrefix(s, want) })
		}
	}
	dry, err := link.OpenDry(report)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	left, ended := make(chan struct{}), make(chan struct{})
	go func() { defer close(left); _ = dry.Run(ctx) }()
	s := vrrp.NewSession(dry, dry, report)
	go func() { defer close(ended); s.Run(ctx) }()
	s.Set(vrrp.Desired{Routers: []vrrp.Config{{Name: "outside", Interface: "va", VRID: 51, Version: 3, Priority: 150, Interval: 100 * time.Millisecond, Preempt: true,
		Addresses: []netip.Prefix{netip.MustParsePrefix("10.9.0.200/24"), netip.MustParsePrefix("10.9.0.201/24")},
		Routes:    []vrrp.Route{route("10.77.0.0/16", via("10.9.0.254", "va"))}}}})
	for _, want := range []string{"would send adverts of virtual router id 51 with priority 150 from 10.9.0.1 on va", "would add 10.9.0.200/24 on va",
		"would add route 10.77.0.0/16", "would announce 10.9.0.200/24 on va"} {
		wait(t, want, said(want))
	}
	// The session believes that it holds them, and goes on for some intervals.
	wait(t, "five adverts", func() bool { all := s.Statuses(); return len(all) == 1 && all[0].Counters.AdvertsSent > 5 })
	if now := there(); now != before {
		t.Errorf("the kernel was changed from\n%s\nto\n%s", before, now)
	}
	s.Set(vrrp.Desired{Ending: vrrp.Stopped})
	<-ended
	for _, want := range []string{"would send adverts of virtual router id 51 with priority 0", "would remove 10.9.0.200/24 on va", "would remove 10.9.0.201/24 on va", "would remove route 10.77.0.0/16"} {
		if !said(want)() {
			t.Errorf("it was not said: %s; but %q", want, would)
		}
	}
	cancel()
	<-left
	if now := there(); now != before {
		t.Errorf("after its end, the kernel was changed from\n%s\nto\n%s", before, now)
	}
	peer.Receive(func(p vrrp.Packet) { t.Errorf("an advert was sent: %v", p) })
}
