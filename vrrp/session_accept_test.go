package vrrp_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

func refusing(c *vrrp.Config) { c.Refuse = true }

// RFC 9568 section 6.1, Accept_Mode: the addresses of all such routers are refused, not
// only those of a Master, so that nothing is late at a take-over.
func TestWhatARouterDoesNotAcceptIsRefused(t *testing.T) {
	play(t, func(s *kernel) {
		wants := func(when string, addresses ...string) {
			t.Helper()
			s.script()
			s.mu.Lock()
			defer s.mu.Unlock()
			var got []string
			for _, a := range s.refused {
				got = append(got, a.String())
			}
			if !slices.Equal(got, addresses) {
				t.Errorf("%s: refused %v, want %v", when, got, addresses)
			}
		}
		d := one(refusing, func(c *vrrp.Config) {
			c.Addresses = append(c.Addresses, netip.MustParsePrefix("10.9.0.199/24"))
			c.Extra = []vrrp.InterfaceAddress{{Interface: "eth1", Prefix: netip.MustParsePrefix("192.168.1.254/24")}}
		})
		s.session.Set(d)
		wants("Backup", "10.9.0.199", "10.9.0.200")
		s.session.Set(one())
		wants("it accepts them")
		s.session.Set(d)
		time.Sleep(4 * time.Second)
		s.session.Set(vrrp.Desired{Ending: vrrp.Abandoned})
		<-s.ended
		wants("nobody took over, and the addresses stay", "10.9.0.199", "10.9.0.200")
	})
}

// "This kernel has no nftables": a director that cannot refuse is not Master, and says
// what is missing.
func TestADirectorThatCannotRefuseIsNotMaster(t *testing.T) {
	play(t, func(s *kernel) {
		s.unrefused = "load the module (modprobe nf_tables)"
		s.session.Set(one())
		time.Sleep(4 * time.Second)
		if st := s.status(); st.State != vrrp.Master {
			t.Fatalf("it accepts, and is %s: %s", st.State, st.Fault)
		}
		s.session.Set(one(refusing))
		s.script()
		if st := s.status(); st.State != vrrp.Initialize || st.Fault != s.unrefused {
			t.Errorf("it is %s: %s", st.State, st.Fault)
		}
		s.mu.Lock()
		s.unrefused = ""
		s.publish()
		s.mu.Unlock()
		time.Sleep(5 * time.Second)
		if st := s.status(); st.State != vrrp.Master {
			t.Errorf("it can now, and is %s: %s", st.State, st.Fault)
		}
	})
}
