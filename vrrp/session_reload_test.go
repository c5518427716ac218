package vrrp_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// So does every other option of a virtual router.
func TestReloadOfTheLeaseIsInForceAtOnce(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		s.session.Set(one(func(c *vrrp.Config) { c.Lease = false }))
		time.Sleep(20 * time.Second)
		for _, line := range s.script() {
			if strings.Contains(line, "valid_lft 6.828s") {
				t.Errorf("without a lease, still %q", line)
			}
		}
	})
}

func TestReload(t *testing.T) {
	t.Run("a changed priority keeps the role", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.master(one())
			s.session.Set(one(func(c *vrrp.Config) { c.Priority = 120; c.Name = "renamed" }))
			s.want("told at once", "3.5s    advert 120 from 10.9.0.1 to 224.0.0.18", "3.5s    ip addr replace 10.9.0.200/24 dev eth0 valid_lft 7.063s")
			if st := s.status(); st.State != vrrp.Master || st.Name != "renamed" {
				t.Errorf("%s is %s", st.Name, st.State)
			}
		})
	})
	t.Run("nothing changed", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.master(one())
			s.session.Set(one())
			s.want("nothing happens")
		})
	})
	t.Run("an address more, one less", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.master(one())
			s.session.Set(one(func(c *vrrp.Config) { c.Addresses = []netip.Prefix{netip.MustParsePrefix("10.9.0.201/24")} }))
			s.want("added before removed",
				"3.5s    advert 150 from 10.9.0.1 to 224.0.0.18",
				"3.5s    ip addr replace 10.9.0.201/24 dev eth0 valid_lft 6.828s",
				"3.5s    ip addr del 10.9.0.200/24 dev eth0",
				"3.5s    arping -U -I eth0 10.9.0.201")
		})
	})
	t.Run("a removed router hands over", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.master(one())
			s.session.Set(vrrp.Desired{})
			s.want("as at a stop", "3.5s    advert 0 from 10.9.0.1 to 224.0.0.18", "3.5s    Initialize: stopped")
			s.arrive(100, true)
			time.Sleep(100 * time.Millisecond)
			s.want("to the end", "3.55s   event: taken over by 10.9.0.2", "3.55s   ip addr del 10.9.0.200/24 dev eth0")
			if n := len(s.session.Statuses()); n != 0 {
				t.Errorf("%d routers are left", n)
			}
		})
	})
	t.Run("another VRID does not lose the address to its former self", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.master(one())
			s.session.Set(one(func(c *vrrp.Config) { c.VRID = 52 }))
			time.Sleep(10 * time.Second)
			if st := s.status(); st.State != vrrp.Master || st.Held != 1 || slices.ContainsFunc(s.script(), func(l string) bool { return strings.Contains(l, "ip addr del") }) {
				t.Errorf("it is %s and holds %d", st.State, st.Held)
			}
		})
	})
}
