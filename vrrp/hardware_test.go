package vrrp_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

func TestTheHardwareAddressChanges(t *testing.T) {
	hardware := func(s *kernel, name, is string) {
		s.change(name, func(i *vrrp.Interface) { i.Hardware = is })
	}
	extra := func(c *vrrp.Config) {
		c.Extra = []vrrp.InterfaceAddress{{Interface: "eth1", Prefix: netip.MustParsePrefix("192.168.1.254/24")}}
	}
	play(t, func(s *kernel) {
		hardware(s, "eth0", "old")
		hardware(s, "eth1", "old")
		s.settle(one(extra))
		time.Sleep(5300 * time.Millisecond)
		s.script()
		for _, name := range []string{"eth0", "eth1"} {
			hardware(s, name, "new")
			s.want("announced again at once", "8.9s    event: the hardware address of "+name+" has changed: the addresses are announced again",
				"8.9s    arping -U -I eth0 10.9.0.200", "8.9s    arping -U -I eth1 192.168.1.254")
		}
		s.arrive(200, true)
		time.Sleep(time.Second)
		s.script()
		hardware(s, "eth0", "newer")
		s.want("nothing from a Backup")
	})
}
