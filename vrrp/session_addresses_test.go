package vrrp_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

func TestRemovedAddressComesBackAndIsCounted(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		s.mu.Lock()
		s.remove(vrrp.InterfaceAddress{Interface: "eth0", Prefix: netip.MustParsePrefix("10.9.0.200/24")})
		s.publish()
		s.mu.Unlock()
		time.Sleep(50 * time.Millisecond)
		s.want("restored",
			"3.514s  arping -U -I eth0 10.9.0.200", // a new Master's second one
			"3.52s   ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s",
			"3.52s   arping -U -I eth0 10.9.0.200",
			"3.52s   failure: restored what somebody else had removed: 10.9.0.200/24 on eth0")
		if n := s.status().Counters.AddressesRestored; n != 1 {
			t.Errorf("counted %d", n)
		}
	})
}

// Decision 11: renewed well before the lifetime ends, and not at all without
// the option.
func TestLifetimeIsRenewed(t *testing.T) {
	for _, c := range []struct {
		name  string
		lease bool
		every time.Duration
	}{{"leased", true, 4 * time.Second / 3}, {"not leased: the slow audit", false, 10 * time.Second}} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(s *kernel) {
				s.master(one(func(r *vrrp.Config) { r.Lease, r.Interval = c.lease, 100*time.Millisecond }))
				time.Sleep(time.Minute)
				holds := 0
				for _, line := range s.script() {
					if strings.Contains(line, "ip addr replace") {
						holds++
					}
				}
				if want := int(time.Minute / c.every); holds < want-3 || holds > want+3 {
					t.Errorf("held %d times in a minute, want about %d", holds, want)
				}
			})
		})
	}
}

// kinded is an error that says of which kind it is, as the edge's do.
type kinded struct{ error }

func (kinded) FaultKind() string { return "ENODEV" }

func TestFailureIsToldOnceAndTriedAgain(t *testing.T) {
	play(t, func(s *kernel) {
		s.failure = kinded{errors.New("adding 10.9.0.200/24 to eth0: no such device")}
		s.session.Set(one())
		time.Sleep(5500 * time.Millisecond)
		told, tried := 0, 0
		for _, line := range s.script() {
			if strings.Contains(line, "failure: adding 10.9.0.200/24 to eth0") {
				told++
			}
			if strings.Contains(line, "ip addr replace") {
				tried++
			}
		}
		if told != 1 || tried != 3 {
			t.Errorf("told %d times, tried %d times, want 1 and 3", told, tried)
		}
		s.mu.Lock()
		s.failure = nil
		s.mu.Unlock()
		time.Sleep(time.Second)
		if held := s.status().Held; held != 1 {
			t.Errorf("%d addresses are held", held)
		}
		if faults := s.status().Counters.Faults; faults["ENODEV"] < 3 || len(faults) != 1 {
			t.Errorf("counted %v, want each of the tries as ENODEV", faults)
		}
		if got := strings.Join(s.script(), "\n"); strings.Count(got, "the addresses are as they should be again") != 1 {
			t.Errorf("when it is over:\n%s", got)
		}
	})
}

// The log has said why, once; the status must say it as long as it lasts.
func TestStatusSaysWhichAddressesAreNotInTheirPlaceAndWhy(t *testing.T) {
	fail := func(s *kernel, why error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.failure = why
	}
	inside := func(c *vrrp.Config) {
		c.Extra = []vrrp.InterfaceAddress{{Interface: "ens1", Prefix: netip.MustParsePrefix("192.168.1.254/24")}}
	}
	play(t, func(s *kernel) {
		want := func(when, missing, left, why string) {
			t.Helper()
			st := s.status()
			if got, want := [3]string{st.Missing, st.Left, st.AddressesFailure}, [3]string{missing, left, why}; got != want {
				t.Errorf("%s: missing, left and why are %q, want %q", when, got, want)
			}
		}
		s.master(one(inside))
		want("a Master that has all", "", "", "")
		const noSuch, denied = "adding 10.9.0.200/24 to eth0: no such device", "removing 10.9.0.200/24 from eth0: operation not permitted"
		fail(s, errors.New(noSuch))
		s.change("eth0", func(i *vrrp.Interface) { i.Addresses = i.Addresses[:2] })
		time.Sleep(time.Second)
		want("a Master that lost one and cannot put it back", "10.9.0.200/24 on eth0", "", noSuch)
		fail(s, nil)
		time.Sleep(time.Second)
		want("a Master that could", "", "", "")
		fail(s, errors.New(strings.Repeat(denied+"\n", 5)+denied))
		s.arrive(200, true)
		time.Sleep(40 * time.Millisecond)
		want("a Backup that still answers for a moment", "", "", "")
		time.Sleep(60 * time.Millisecond)
		want("a Backup that cannot let go", "", "10.9.0.200/24 on eth0, 192.168.1.254/24 on ens1", denied+"; "+denied+"; "+denied+"; and 3 more")
	})
}

// A container whose /proc/sys is read-only: both directors had the address for good.
func TestAnAddressThatCouldNotBeRemovedIsNotTaken(t *testing.T) {
	const why = "10.9.0.200/24 could not be removed"
	stick := func(s *kernel, err error) {
		s.mu.Lock()
		s.stuck = err
		s.mu.Unlock()
	}
	t.Run("until it could be", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.stuck = errors.New(why)
			s.session.Set(one())
			time.Sleep(time.Minute)
			s.want("why, once", "0s      failure: cannot start: "+why)
			if st := s.status(); st.State != vrrp.Initialize || st.Fault != why {
				t.Errorf("it is %s: %q", st.State, st.Fault)
			}
			stick(s, nil)
			time.Sleep(time.Second)
			s.want("it starts without a word from outside", "1m1s    Backup: started")
		})
	})
	t.Run("which is asked once for all routers", func(t *testing.T) {
		play(t, func(s *kernel) {
			many := one()
			for id := range uint8(9) {
				many.Routers = append(many.Routers, one(func(c *vrrp.Config) {
					c.Name, c.VRID = fmt.Sprint(id), id+1
					c.Addresses = []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, 1, id}), 24)}
				}).Routers...)
			}
			s.stuck = errors.New(why)
			s.session.Set(many)
			time.Sleep(10 * time.Second)
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.examined > 15 {
				t.Errorf("asked %d times in 10 s, for ten routers", s.examined)
			}
		})
	})
	t.Run("and a Master hands over", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.master(one())
			stick(s, errors.New(why))
			s.set("eth1", false) // Anything that has it look at the interfaces.
			s.want("it leaves", "3.5s    advert 0 from 10.9.0.1 to 224.0.0.18", "3.5s    failure, Initialize: "+why)
		})
	})
	t.Run("but the director's own one is never removed", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.stuck = errors.New(why)
			s.session.Set(one(func(c *vrrp.Config) {
				c.Priority, c.Addresses = 255, []netip.Prefix{netip.MustParsePrefix("10.9.0.1/24")}
			}))
			time.Sleep(time.Second)
			if st := s.status(); st.State != vrrp.Master {
				t.Errorf("it is %s: %q", st.State, st.Fault)
			}
		})
	})
}
