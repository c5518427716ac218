package vrrp_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

func TestPacketsThatAreNotForUs(t *testing.T) {
	play(t, func(s *kernel) {
		s.session.Set(one())
		s.script()
		s.arriveTo(netip.MustParseAddr("10.9.0.1"), 51, 200, true)
		s.want("what was not accepted",
			"0s      failure: packet from 10.9.0.2 discarded: sent to this director alone, but no peers are configured")
		st := s.status()
		if n := st.Counters.Discarded[vrrp.ReasonNotPeer]; n != 1 || st.Master.IsValid() {
			t.Errorf("discarded %d, follows %v; want 1 and nobody", n, st.Master)
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
				return strings.Contains(l, "10.9.0.2 advertises 10.9.0.200 too, but as virtual router id 77, and here it is 51: configure the same id on both directors")
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
		s.want("told once", "4.414s  advert 150 from 10.9.0.1 to 224.0.0.18", "4.414s  failure: network is down",
			"5.414s  advert 150 from 10.9.0.1 to 224.0.0.18")
		if n := s.status().Counters.SendErrors; n != 2 {
			t.Errorf("counted %d", n)
		}
		down(false)
		time.Sleep(time.Second)
		s.want("and when it is over", "5.69s   hold 10.9.0.200/24 on eth0 for 6.828s",
			"6.414s  advert 150 from 10.9.0.1 to 224.0.0.18", "6.414s  event: adverts can be sent again")
	})
}
