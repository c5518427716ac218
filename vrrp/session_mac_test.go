package vrrp_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// virtually gives a router a virtual MAC, whose device is there, and down.
func (s *kernel) virtually(change ...func(*vrrp.Config)) vrrp.Desired {
	s.change("vrrp4-51", func(i *vrrp.Interface) { i.Hardware = "\x00\x00\x5e\x00\x01\x33" })
	return one(append(change, func(r *vrrp.Config) { r.VirtualMAC.Device = "vrrp4-51" })...)
}

// RFC 9568 section 7.3: the source of an advert is the virtual MAC. The device is up
// only with the first address, so the first advert, which comes before, is an exception.
func TestAdvertsComeFromTheVirtualMAC(t *testing.T) {
	play(t, func(s *kernel) {
		s.session.Set(s.virtually())
		time.Sleep(3500 * time.Millisecond)
		s.want("it becomes Master",
			"0s      Backup: started",
			"3.414s  advert 150 from 10.9.0.1 to 224.0.0.18",
			"3.414s  Master: no adverts from any Master",
			"3.414s  ip addr replace 10.9.0.200/24 dev vrrp4-51 valid_lft 6.828s",
			"3.414s  arping -U -I vrrp4-51 10.9.0.200")
		s.set("vrrp4-51", true)
		time.Sleep(time.Second)
		s.want("its device is up",
			"3.514s  arping -U -I vrrp4-51 10.9.0.200",
			"4.414s  advert 150 from 10.9.0.1 to 224.0.0.18 by vrrp4-51")
		s.session.Set(s.virtually(func(r *vrrp.Config) { r.VirtualMAC.AdvertsFromInterface = true }))
		s.set("vrrp4-51", true)
		time.Sleep(time.Second)
		s.want("the option that keeps them on the interface",
			"5.414s  advert 150 from 10.9.0.1 to 224.0.0.18")
		s.session.Set(s.virtually(func(r *vrrp.Config) { r.Peers = []netip.Addr{netip.MustParseAddr(peer)} }))
		s.set("vrrp4-51", true)
		time.Sleep(time.Second)
		s.want("a peer may be beyond a router, to which only the interface has a route",
			"5.69s   ip addr replace 10.9.0.200/24 dev vrrp4-51 valid_lft 6.828s",
			"6.414s  advert 150 from 10.9.0.1 to 10.9.0.2")
	})
}

// "I added virtual_mac and reloaded": the address moves, and neighbours are told of the
// other MAC. It moves back in the same way.
func TestAReloadMovesTheAddressToTheVirtualMACAndBack(t *testing.T) {
	play(t, func(s *kernel) {
		s.settle(one())
		s.session.Set(s.virtually())
		s.want("it moves",
			"3.6s    advert 150 from 10.9.0.1 to 224.0.0.18",
			"3.6s    ip addr replace 10.9.0.200/24 dev vrrp4-51 valid_lft 6.828s",
			"3.6s    ip addr del 10.9.0.200/24 dev eth0",
			"3.6s    arping -U -I vrrp4-51 10.9.0.200")
		s.session.Set(one())
		s.want("it moves back",
			"3.6s    advert 150 from 10.9.0.1 to 224.0.0.18",
			"3.6s    ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s",
			"3.6s    ip addr del 10.9.0.200/24 dev vrrp4-51",
			"3.6s    arping -U -I eth0 10.9.0.200")
	})
}

// "A device of that name is there already": the director does not become Master without
// the MAC that its neighbours know, and hands over if it loses it.
func TestWithoutItsDeviceARouterStandsBack(t *testing.T) {
	play(t, func(s *kernel) {
		d := s.virtually()
		s.change("vrrp4-51", func(*vrrp.Interface) {})
		delete(s.devices, "vrrp4-51")
		s.session.Set(d)
		time.Sleep(10 * time.Second)
		s.want("it waits", "0s      failure: cannot start: interface vrrp4-51 does not exist")
		s.set("vrrp4-51", true)
		time.Sleep(4 * time.Second)
		if st := s.status(); st.State != vrrp.Master || st.Held != 1 {
			t.Fatalf("its device is there: %+v", st)
		}
		s.script()
		s.mu.Lock()
		delete(s.devices, "vrrp4-51")
		s.publish()
		s.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
		lines := strings.Join(s.script(), "\n")
		if st := s.status(); st.State != vrrp.Initialize || !strings.Contains(lines, "advert 0 ") {
			t.Errorf("it is gone: %+v\n%s", st, lines)
		}
	})
}

// Before the router had a virtual MAC, the address was on the interface, and a crash
// has left it there.
func TestAnAddressOfATimeBeforeTheVirtualMACIsRemoved(t *testing.T) {
	play(t, func(s *kernel) {
		s.leaveAddress()
		s.session.Set(s.virtually())
		time.Sleep(100 * time.Millisecond)
		s.want("it is adopted: nobody else may have it", "0s      event: adopted what was there at the start, until another Master is heard: 10.9.0.200/24 on eth0", "0s      Backup: started")
		s.arrive(200, true)
		time.Sleep(100 * time.Millisecond)
		s.want("another Master is heard", "150ms   ip addr del 10.9.0.200/24 dev eth0")
		s.addAddress("10.9.0.200/24")
		time.Sleep(100 * time.Millisecond)
		s.want("somebody adds it again",
			"220ms   ip addr del 10.9.0.200/24 dev eth0",
			"220ms   failure: removed what somebody else had added, since only the Master has it: 10.9.0.200/24 on eth0 (1 so far)")
	})
}
