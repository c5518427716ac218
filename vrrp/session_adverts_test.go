package vrrp_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

func TestPacketsThatAreNotForUs(t *testing.T) {
	play(t, func(s *kernel) {
		s.session.Set(one())
		s.script()
		s.arriveTo(netip.MustParseAddr("10.9.0.1"), 51, 200, true)
		s.want("what was not accepted",
			"0s      failure: packet from 10.9.0.2 discarded: sent to this director alone, but no peers are configured: configure peers on both directors or on neither")
		st := s.status()
		if n := st.Counters.Discarded[vrrp.ReasonNotPeer]; n != 1 || st.Master.IsValid() {
			t.Errorf("discarded %d, follows %v; want 1 and nobody", n, st.Master)
		}
	})
}

// A virtual address makes no network: what is accepted would depend on the role.
func TestTheNetworksOfTheInterfaceDecideAboutSources(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one(func(c *vrrp.Config) { c.Addresses = []netip.Prefix{netip.MustParsePrefix("10.88.0.200/24")} }))
		s.script()
		ad := vrrp.Advert{Version: 3, VRID: 51, Priority: 255, Interval: time.Second, Addresses: []netip.Addr{netip.MustParseAddr("10.88.0.200")}}
		for _, src := range []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("10.88.0.7")} {
			s.mu.Lock()
			s.queue = append(s.queue, vrrp.Packet{Port: vrrp.Port{Interface: "eth0", Family: 4}, Src: src, Dst: vrrp.Group4, TTL: 255, Payload: ad.Append(nil, src, vrrp.Group4)})
			s.mu.Unlock()
		}
		s.wake <- struct{}{}
		synctest.Wait()
		if st := s.status(); st.State != vrrp.Master || st.Counters.Discarded[vrrp.ReasonSource] != 2 {
			t.Errorf("it is %s, and has discarded %v", st.State, st.Counters.Discarded)
		}
	})
}

func TestAnotherClusterOnTheNetworkIsCountedAndNoMore(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one(func(c *vrrp.Config) { c.Addresses = []netip.Prefix{netip.MustParsePrefix("10.9.0.77/24")} }))
		s.script()
		s.arriveTo(vrrp.Group4, 77, 200, true)
		if n := s.session.Unclaimed(); n != 1 {
			t.Errorf("%d packets of unknown routers counted, want 1", n)
		}
		if lines := s.script(); slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "failure") }) {
			t.Errorf("told: %q", lines)
		}
		if n := s.status().Counters.OtherMasters; n != 0 {
			t.Errorf("%d adverts of another Master", n)
		}
	})
}

func TestAnotherIDForTheSameAddressMakesTwoMasters(t *testing.T) {
	play(t, func(s *kernel) {
		told := func() bool {
			return slices.ContainsFunc(s.script(), func(l string) bool {
				return strings.Contains(l, "10.9.0.2 advertises 10.9.0.200 too, but with virtual router id 77 instead of 51: configure the same id on both directors")
			})
		}
		s.master(one())
		s.script()
		s.arriveTo(vrrp.Group4, 77, 100, true)
		if n := s.status().Counters.OtherMasters; n != 1 || !told() {
			t.Errorf("%d adverts of another Master, want 1, told", n)
		}
		s.arriveTo(vrrp.Group4, 77, 100, true)
		if n := s.status().Counters.OtherMasters; n != 2 || told() {
			t.Errorf("%d adverts of another Master, want 2, and not told again", n)
		}
		time.Sleep(time.Hour)
		s.script()
		s.arriveTo(vrrp.Group4, 77, 100, true)
		if !told() {
			t.Error("an hour later: not told again")
		}
	})
}

// An advert that was not sent on this link proves nothing.
func TestAnotherIDFromBeyondARouterIsNoOtherMaster(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		s.arriveOf(vrrp.Group4, 77, 100, "10.9.0.200", false)
		s.mu.Lock()
		s.queue[0].TTL = 254
		s.mu.Unlock()
		s.wake <- struct{}{}
		synctest.Wait()
		if n, unclaimed := s.status().Counters.OtherMasters, s.session.Unclaimed(); n != 0 || unclaimed != 1 {
			t.Errorf("%d adverts of another Master and %d of unknown routers, want 0 and 1", n, unclaimed)
		}
	})
}

// Nor does one about an address that is on another interface, or that nobody advertises.
func TestAnotherIDElsewhereIsNoOtherMaster(t *testing.T) {
	for name, edit := range map[string]func(*vrrp.Config){
		"the address is on another interface": func(c *vrrp.Config) { c.Interface = "eth1" },
		"it is an extra_address here": func(c *vrrp.Config) {
			c.Addresses = []netip.Prefix{netip.MustParsePrefix("10.9.0.77/24")}
			c.Extra = []vrrp.InterfaceAddress{{Interface: "eth1", Prefix: netip.MustParsePrefix("10.9.0.200/24")}}
		},
	} {
		play(t, func(s *kernel) {
			s.wire()
			s.master(one(edit))
			s.arriveTo(vrrp.Group4, 77, 100, true)
			if n, unclaimed := s.status().Counters.OtherMasters, s.session.Unclaimed(); n != 0 || unclaimed != 1 {
				t.Errorf("%s: %d adverts of another Master and %d of unknown routers, want 0 and 1", name, n, unclaimed)
			}
		})
	}
}

// Each router whose id differs is told of once an hour, whatever befalls others.
func TestEveryRouterWithAnotherIDIsNamed(t *testing.T) {
	play(t, func(s *kernel) {
		d := one(func(c *vrrp.Config) { c.Interface = "eth1" })
		for i := range uint8(2) {
			c := one().Routers[0]
			c.Name, c.VRID = fmt.Sprint("outside", i), 51+i
			c.Addresses = []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, 0, 200 + i}), 24)}
			d.Routers = append(d.Routers, c)
		}
		s.session.Set(d)
		s.script()
		for range 3 {
			s.arriveOf(vrrp.Group4, 77, 100, "10.9.0.200", true)
			s.arriveOf(vrrp.Group4, 78, 100, "10.9.0.201", true)
		}
		s.want("both are told, once; the same address on another interface is another one",
			"0s      failure: 10.9.0.2 advertises 10.9.0.200 too, but with virtual router id 77 instead of 51: configure the same id on both directors",
			"0s      failure: 10.9.0.2 advertises 10.9.0.201 too, but with virtual router id 78 instead of 52: configure the same id on both directors")
	})
}

// A Master that is just giving way is no news; one that goes on is.
func TestTwoMastersAreInTheLog(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		told := func() []string {
			return slices.DeleteFunc(s.script(), func(l string) bool { return !strings.Contains(l, "failure") })
		}
		s.arrive(100, true)
		s.arrive(100, true)
		if lines := told(); len(lines) != 0 {
			t.Errorf("told %q of a Master that gives way, want nothing", lines)
		}
		for range 5 {
			time.Sleep(time.Second)
			s.arrive(100, true)
		}
		if lines := told(); len(lines) != 1 || !strings.Contains(lines[0], "10.9.0.2 is Master too, with priority 100 (here: 150)") {
			t.Errorf("told %q, want one line of the other Master", lines)
		}
	})
}

func TestAdvertThatTheKernelRefuses(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		down := func(down bool) { // Nobody is told of it.
			s.mu.Lock()
			s.devices["eth0"] = vrrp.Interface{Up: !down, Addresses: s.devices["eth0"].Addresses}
			s.mu.Unlock()
		}
		down(true)
		time.Sleep(2 * time.Second)
		s.want("told once", "3.514s  arping -U -I eth0 10.9.0.200", "4.414s  advert 150 from 10.9.0.1 to 224.0.0.18", "4.414s  failure: adverts cannot be sent, so another director may become Master as well: network is down",
			"5.414s  advert 150 from 10.9.0.1 to 224.0.0.18")
		if n := s.status().Counters.SendErrors; n != 2 {
			t.Errorf("counted %d", n)
		}
		down(false)
		time.Sleep(time.Second)
		s.want("and when it is over", "5.69s   ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s",
			"6.414s  advert 150 from 10.9.0.1 to 224.0.0.18", "6.414s  event: adverts can be sent again")
	})
}

// "The files are the same on both directors, and so is the list of peers."
func TestOwnAddressAmongThePeersIsSentNothing(t *testing.T) {
	play(t, func(s *kernel) {
		s.session.Set(one(func(c *vrrp.Config) {
			c.Peers = []netip.Addr{netip.MustParseAddr("10.9.0.1"), netip.MustParseAddr(peer)}
		}))
		time.Sleep(3500 * time.Millisecond)
		script := strings.Join(s.script(), "\n")
		if !strings.Contains(script, "advert 150 from 10.9.0.1 to 10.9.0.2") || strings.Contains(script, "to 10.9.0.1\n") {
			t.Errorf("adverts to the other director alone are wanted:\n%s", script)
		}
	})
}
