package vrrp_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

func TestOnlyTheMasterHasTheAddress(t *testing.T) {
	for _, prefix := range []string{"10.9.0.200/24", "10.9.0.200/32"} {
		t.Run("somebody adds "+prefix+" to a Backup", func(t *testing.T) {
			play(t, func(s *kernel) {
				s.session.Set(one())
				time.Sleep(time.Second)
				s.arrive(200, true)
				s.script()
				s.addAddress(prefix)
				time.Sleep(100 * time.Millisecond)
				s.want("it goes, and that is told", "1.02s   ip addr del "+prefix+" dev eth0",
					"1.02s   failure: removed what somebody else had added, since only the Master has it: "+prefix+" on eth0 (1 so far)")
				s.addAddress(prefix)
				time.Sleep(100 * time.Millisecond)
				s.want("again, told once a minute", "1.12s   ip addr del "+prefix+" dev eth0")
				if st := s.status(); st.Held != 0 || st.Counters.AddressesRemoved != 2 {
					t.Errorf("held %d, removed %d", st.Held, st.Counters.AddressesRemoved)
				}
			})
		})
	}
	t.Run("an earlier daemon left it with another prefix length", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.addAddress("10.9.0.200/32")
			s.session.Set(one())
			time.Sleep(time.Second)
			if st := s.status(); st.Held != 1 {
				t.Errorf("held %d", st.Held)
			}
			s.want("it stays until a Master is heard",
				"0s      event: adopted what was there at the start, until another Master is heard: 10.9.0.200/32 on eth0",
				"0s      Backup: started")
			s.arrive(200, true)
			time.Sleep(100 * time.Millisecond)
			s.want("then it goes", "1.05s   ip addr del 10.9.0.200/32 dev eth0")
		})
	})
	t.Run("somebody adds it to a Master, with another prefix length", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.master(one())
			s.addAddress("10.9.0.200/32")
			time.Sleep(50 * time.Millisecond)
			s.arrive(200, true)
			time.Sleep(400 * time.Millisecond)
			script := strings.Join(s.script(), "\n")
			for _, p := range []string{"/24", "/32"} {
				if strings.Count(script, "ip addr del 10.9.0.200"+p) != 1 {
					t.Errorf("%s is not removed once:\n%s", p, script)
				}
			}
		})
	})
}

func TestAnAddressThatSomebodyAddedIsOursOnceItIsHeld(t *testing.T) {
	play(t, func(s *kernel) {
		s.session.Set(one())
		time.Sleep(time.Second)
		s.arrive(200, true)
		s.fail(errors.New("operation not permitted"))
		s.addAddress("10.9.0.200/24")
		time.Sleep(100 * time.Millisecond)
		s.fail(nil)
		s.arrive(0, true) // before it is tried again
		time.Sleep(5 * time.Second)
		if st := s.status(); st.State != vrrp.Master || st.Counters.AddressesRemoved != 0 {
			t.Fatalf("it is %s, removed %d", st.State, st.Counters.AddressesRemoved)
		}
		s.arrive(200, true)
		time.Sleep(time.Second)
		if st := s.status(); st.State != vrrp.Backup || st.Counters.AddressesRemoved != 0 {
			t.Errorf("it is %s, and %d addresses count as somebody else's; want none", st.State, st.Counters.AddressesRemoved)
		}
	})
}

// RFC 9568 section 6.4.1: the owner of the addresses is Master whenever it runs.
func TestOwnAddressStays(t *testing.T) {
	own := func(priority uint8) vrrp.Desired {
		return one(func(c *vrrp.Config) {
			c.Priority, c.Addresses = priority, []netip.Prefix{netip.MustParsePrefix("10.9.0.1/24")}
		})
	}
	for _, priority := range []uint8{150, 255} {
		play(t, func(s *kernel) {
			s.session.Set(own(priority))
			synctest.Wait()
			if st := s.status(); (priority == 255) != (st.State == vrrp.Master) {
				t.Errorf("priority %d: it is %s", priority, st.State)
			}
			time.Sleep(time.Minute)
			d := own(priority)
			d.Ending = vrrp.Stopped
			s.session.Set(d)
			time.Sleep(10 * time.Second)
			script := strings.Join(s.script(), "\n")
			if strings.Contains(script, "ip addr") {
				t.Errorf("priority %d: it was touched:\n%s", priority, script)
			}
			if priority == 255 && !strings.Contains(script, "arping -U -I eth0 10.9.0.1\n") {
				t.Errorf("the owner does not announce it:\n%s", script)
			}
		})
	}
}

func TestAnOwnersAddressStays(t *testing.T) {
	owner := func(addresses ...string) vrrp.Desired {
		return one(func(c *vrrp.Config) {
			c.Priority, c.Addresses = 255, nil
			for _, a := range addresses {
				c.Addresses = append(c.Addresses, netip.MustParsePrefix(a))
			}
		})
	}
	untouched := func(t *testing.T, s *kernel) {
		t.Helper()
		for _, line := range s.script() {
			if strings.Contains(line, "ip addr") && strings.Contains(line, " 10.9.0.1/") {
				t.Errorf("the own address is touched: %s", line)
			}
		}
	}
	t.Run("where a DHCP client takes it away for 100 ms", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.session.Set(owner("10.9.0.1/24"))
			time.Sleep(time.Second)
			s.own()
			time.Sleep(100 * time.Millisecond)
			s.own("10.9.0.1/24")
			time.Sleep(time.Minute)
			untouched(t, s)
			if st := s.status(); st.State != vrrp.Master {
				t.Errorf("it is %s, unmet %q", st.State, st.Unmet)
			}
		})
	})
	t.Run("where an earlier keeper left another one of its addresses", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.addAddress("10.9.0.200/24")
			d := owner("10.9.0.1/24", "10.9.0.200/24")
			s.session.Set(d)
			time.Sleep(time.Second)
			if st := s.status(); st.State != vrrp.Master || st.Held != 2 {
				t.Errorf("it is %s, holds %d, unmet %q", st.State, st.Held, st.Unmet)
			}
			d.Ending = vrrp.Stopped
			s.session.Set(d)
			time.Sleep(10 * time.Second)
			untouched(t, s)
		})
	})
	t.Run("with another prefix length than is configured", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.session.Set(owner("10.9.0.1/32"))
			time.Sleep(time.Second)
			if st := s.status(); st.State != vrrp.Master || st.Held != 1 || st.Missing != "" {
				t.Errorf("it is %s, holds %d, misses %q", st.State, st.Held, st.Missing)
			}
			untouched(t, s)
		})
	})
}

// "DHCP was late after the crash, and the director did not come back": what the
// crashed daemon left is the only address of the interface, and may be the director's
// own one for all that can be known.
func TestALeftoverIsTheOnlyAddressWhileDHCPIsLate(t *testing.T) {
	play(t, func(s *kernel) {
		s.own()
		s.addAddress("10.9.0.200/24")
		s.session.Set(one())
		time.Sleep(time.Second)
		s.want("it waits, and touches nothing", "0s      failure: cannot start: interface eth0 has no IPv4 address of its own to send adverts from (virtual ones do not count)")
		s.own("10.9.0.1/24")
		time.Sleep(time.Second)
		s.want("DHCP has come: the address stays until a Master is heard",
			"1s      event: adopted what was there at the start, until another Master is heard: 10.9.0.200/24 on eth0", "1s      Backup: started")
		s.arrive(200, true)
		time.Sleep(100 * time.Millisecond)
		s.want("then it goes", "2.05s   ip addr del 10.9.0.200/24 dev eth0")
	})
}

// An address that somebody adds while the director has none is not its own one.
func TestAStrayIsNotTakenForTheOwnAddress(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ready bool // it had one before
	}{{"none has come yet", false}, {"it has gone", true}} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(s *kernel) {
				if !tt.ready {
					s.own()
				}
				s.session.Set(one())
				time.Sleep(time.Second)
				s.own()
				time.Sleep(1500 * time.Millisecond)
				s.script()
				s.addAddress("10.9.0.200/24")
				time.Sleep(100 * time.Millisecond)
				if script := strings.Join(s.script(), "\n"); !strings.Contains(script, "ip addr del 10.9.0.200/24") {
					t.Errorf("it stays:\n%s", script)
				}
			})
		})
	}
	t.Run("the own one, which is virtual by mistake, has been away for a moment", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.session.Set(one(func(c *vrrp.Config) { c.Addresses = []netip.Prefix{netip.MustParsePrefix("10.9.0.1/24")} }))
			time.Sleep(time.Second)
			s.own()
			time.Sleep(time.Second)
			s.own("10.9.0.1/24")
			time.Sleep(time.Second)
			if script := strings.Join(s.script(), "\n"); strings.Contains(script, "ip addr") {
				t.Errorf("it is touched:\n%s", script)
			}
		})
	})
}
