package vrrp_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// own makes these the addresses of eth0 beside the virtual one.
func (s *kernel) own(prefixes ...string) {
	s.change("eth0", func(i *vrrp.Interface) {
		var all []netip.Prefix
		for _, p := range i.Addresses {
			if p.Addr() == netip.MustParseAddr("10.9.0.200") {
				all = append(all, p)
			}
		}
		for _, p := range prefixes {
			all = append(all, netip.MustParsePrefix(p))
		}
		i.Addresses = all
	})
}

func TestTheDirectorsOwnAddressGoes(t *testing.T) {
	t.Run("for 100 ms, as when a DHCP client configures its lease again", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.settle(one())
			s.own()
			time.Sleep(100 * time.Millisecond)
			s.own("10.9.0.1/24")
			time.Sleep(time.Minute)
			for _, line := range s.script() {
				if strings.Contains(line, "advert 0") || strings.Contains(line, "ip addr del") || strings.Contains(line, ": ") {
					t.Errorf("the Master does more than to advertise and to renew: %s", line)
				}
			}
			if st := s.status(); st.State != vrrp.Master || st.Held != 1 || len(st.Unmet) > 0 {
				t.Errorf("%s, %d held, unmet %q", st.State, st.Held, st.Unmet)
			}
		})
	})
	t.Run("and a lease with another one comes", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.settle(one())
			s.own()
			time.Sleep(100 * time.Millisecond)
			s.own("10.9.0.9/24")
			time.Sleep(300 * time.Millisecond)
			s.want("nothing is to be done until the next advert")
			time.Sleep(500 * time.Millisecond)
			s.want("which comes from there", "4.414s  advert 150 from 10.9.0.9 to 224.0.0.18")
		})
	})
	t.Run("for good, so that it hands over as at a stop", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.settle(one())
			s.own()
			time.Sleep(1050 * time.Millisecond)
			s.want("it says so, from the address that it had", "4.414s  advert 150 from 10.9.0.1 to 224.0.0.18",
				"4.6s    advert 0 from 10.9.0.1 to 224.0.0.18",
				"4.6s    failure, Initialize: interface eth0 has no IPv4 address of its own to send adverts from (virtual ones do not count)")
			time.Sleep(500 * time.Millisecond)
			s.arrive(100, true)
			time.Sleep(100 * time.Millisecond)
			s.want("and keeps the address until the successor has it", "5.2s    ip addr del 10.9.0.200/24 dev eth0")
		})
	})
	t.Run("for good, with peers, whose packets come no more", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.settle(one(func(c *vrrp.Config) { c.Peers = []netip.Addr{netip.MustParseAddr(peer)} }))
			s.own()
			time.Sleep(1050 * time.Millisecond)
			s.want("it lets go", "4.414s  advert 150 from 10.9.0.1 to 10.9.0.2",
				"4.6s    failure, Initialize: interface eth0 has no IPv4 address of its own to send adverts from (virtual ones do not count)",
				"4.6s    ip addr del 10.9.0.200/24 dev eth0")
		})
	})
	t.Run("together with the link", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.settle(one())
			s.own()
			time.Sleep(500 * time.Millisecond)
			s.set("eth0", false)
			s.want("it lets go at once", "4.1s    failure, Initialize: interface eth0 is down",
				"4.1s    ip addr del 10.9.0.200/24 dev eth0")
			s.set("eth0", true)
			time.Sleep(100 * time.Millisecond)
			s.want("and does not begin without an address", "4.1s    failure: cannot start: interface eth0 has no IPv4 address of its own to send adverts from (virtual ones do not count)")
		})
	})
}
