package vrrp_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

func TestFirstTheAdvertThenTheAddresses(t *testing.T) {
	play(t, func(s *kernel) {
		s.session.Set(one(func(c *vrrp.Config) {
			c.Extra = []vrrp.InterfaceAddress{{Interface: "eth1", Prefix: netip.MustParsePrefix("192.168.1.254/24")}}
		}))
		time.Sleep(3500 * time.Millisecond)
		s.want("it becomes Master",
			"0s      Backup: started",
			"3.414s  advert 150 from 10.9.0.1 to 224.0.0.18",
			"3.414s  Master: no adverts from any Master",
			"3.414s  ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s",
			"3.414s  ip addr replace 192.168.1.254/24 dev eth1 valid_lft 6.828s",
			"3.414s  arping -U -I eth0 10.9.0.200",
			"3.414s  arping -U -I eth1 192.168.1.254")
		if st := s.status(); st.Held != 2 {
			t.Errorf("%d of 2 addresses are held", st.Held)
		}
	})
}

func TestRouterWaitsForNobody(t *testing.T) {
	play(t, func(s *kernel) {
		s.blocked = make(chan struct{})
		s.session.Set(one())
		time.Sleep(6500 * time.Millisecond)
		s.want("the kernel is stuck, the adverts go out",
			"0s      Backup: started",
			"3.414s  advert 150 from 10.9.0.1 to 224.0.0.18",
			"3.414s  Master: no adverts from any Master",
			"4.414s  advert 150 from 10.9.0.1 to 224.0.0.18",
			"5.414s  advert 150 from 10.9.0.1 to 224.0.0.18",
			"6.414s  advert 150 from 10.9.0.1 to 224.0.0.18")
		s.arrive(200, true)
		time.Sleep(100 * time.Millisecond)
		s.script()
		close(s.blocked)
		s.want("it goes on with what is wanted now: no announcement",
			"6.6s    ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s",
			"6.6s    ip addr del 10.9.0.200/24 dev eth0")
	})
}

// Decision 8: what has arrived comes before what is due.
func TestWhatHasArrivedComesFirst(t *testing.T) {
	play(t, func(s *kernel) {
		s.session.Set(one())
		time.Sleep(3400 * time.Millisecond)
		s.arrive(200, false) // It waits in the socket, and nobody was woken.
		time.Sleep(100 * time.Millisecond)
		s.want("the timer wakes the loop, the packet is read first", "0s      Backup: started")
		if st := s.status(); st.State != vrrp.Backup || st.Master != netip.MustParseAddr(peer) {
			t.Errorf("it is %s and follows %s", st.State, st.Master)
		}
	})
}

// Decision 6.
func TestNobodyIsMasterBeforeTheTableIsReady(t *testing.T) {
	play(t, func(s *kernel) {
		d := one()
		d.Conditions = loading
		s.session.Set(d)
		time.Sleep(time.Minute)
		s.want("it waits")
		if st := s.status(); st.State != vrrp.Initialize || !strings.Contains(st.Fault, "waiting for the first IPVS table") {
			t.Errorf("%s: %q", st.State, st.Fault)
		}
		d.Conditions = nil
		s.session.Set(d)
		s.want("it starts", "1m0s    Backup: started")
	})
}

func TestOwnLinkGoes(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		s.set("eth0", false)
		s.want("it lets go at once, and says nothing where nobody hears it",
			"3.5s    failure, Initialize: interface eth0 is down",
			"3.5s    ip addr del 10.9.0.200/24 dev eth0")
		time.Sleep(time.Second)
		s.set("eth0", true)
		s.want("it starts again", "4.5s    Backup: started")
	})
}

// One line for each change of what keeps a router from running.
func TestRouterThatCannotStartIsTold(t *testing.T) {
	t.Run("the interface comes late, and goes", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.session.Set(one(func(c *vrrp.Config) { c.Interface = "eth7" }))
			s.want("why", "0s      failure: cannot start: interface eth7 does not exist")
			if since := s.status().Since; !since.Equal(s.begin) {
				t.Errorf("it is in Initialize since %v, and not since it was configured", since)
			}
			select {
			case <-s.session.Changed():
			default:
				t.Error("nobody is told that the status has changed")
			}
			s.set("eth7", false)
			s.want("another reason", "0s      failure: cannot start: interface eth7 is down")
			s.set("eth0", false)
			s.set("eth7", false)
			s.want("the same reason")
			s.set("eth7", true)
			s.want("it is up, and has no address", "0s      failure: cannot start: interface eth7 has no IPv4 address of its own to send adverts from (virtual ones do not count)")
		})
	})
	t.Run("and starts", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.set("eth0", false)
			s.session.Set(one())
			s.want("why", "0s      failure: cannot start: interface eth0 is down")
			s.set("eth0", true)
			s.want("the transition tells", "0s      Backup: started")
			s.set("eth0", false)
			s.want("here too", "0s      failure, Initialize: interface eth0 is down")
			if st := s.status(); st.Fault != "interface eth0 is down" {
				t.Errorf("fault: %q", st.Fault)
			}
		})
	})
	t.Run("before the table is ready", func(t *testing.T) {
		play(t, func(s *kernel) {
			d := one()
			d.Conditions = loading
			s.set("eth0", false)
			s.session.Set(d)
			s.want("why", "0s      failure: cannot start: interface eth0 is down")
			s.set("eth0", true)
			s.want("that is over", "0s      event: resolved: interface eth0 is down")
			d.Conditions = nil
			s.session.Set(d)
			s.want("it starts", "0s      Backup: started")
		})
	})
}

func TestTrackedInterfaceGoes(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one(func(c *vrrp.Config) { c.Track = []vrrp.Track{{Condition: "interface eth1"}} }))
		s.set("eth1", false)
		s.want("it says that it leaves", "3.5s    advert 0 from 10.9.0.1 to 224.0.0.18", "3.5s    failure, Initialize: interface eth1 is down")
		time.Sleep(100 * time.Millisecond)
		s.arrive(100, true)
		time.Sleep(100 * time.Millisecond)
		s.want("it lets go when somebody has taken over", "3.65s   ip addr del 10.9.0.200/24 dev eth0")
		if st := s.status(); st.Fault != "interface eth1 is down" {
			t.Errorf("fault: %q", st.Fault)
		}
	})
}

// "The link to the rack flapped, and so did the Master."
func TestATrackedInterfaceThatFlapsIsLeftAlone(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one(func(c *vrrp.Config) {
			c.Track = []vrrp.Track{{Condition: "interface eth1", DownAfter: time.Second, UpAfter: 10 * time.Second}}
		}))
		for range 5 {
			s.set("eth1", false)
			time.Sleep(900 * time.Millisecond)
			s.set("eth1", true)
			time.Sleep(100 * time.Millisecond)
		}
		if st := s.status(); st.State != vrrp.Master {
			t.Errorf("it is %v: %s", st.State, st.Fault)
		}
		s.set("eth1", false)
		time.Sleep(1001 * time.Millisecond)
		if st := s.status(); st.Fault != "interface eth1 is down" {
			t.Errorf("fault %q", st.Fault)
		}
		s.set("eth1", true)
		time.Sleep(9 * time.Second)
		if st := s.status(); st.Fault != "interface eth1 is down; this is over, but not for 10s yet" {
			t.Errorf("fault %q", st.Fault)
		}
		time.Sleep(1001 * time.Millisecond)
		if st := s.status(); st.State != vrrp.Backup {
			t.Errorf("it is %v: %s", st.State, st.Fault)
		}
	})
}

// What the director watches decides as what the session watches itself.
func TestConditionOfTheDirector(t *testing.T) {
	given := func(c vrrp.Condition, tracks ...vrrp.Track) vrrp.Desired {
		d := one(func(c *vrrp.Config) { c.Track = tracks })
		d.Conditions = []vrrp.Condition{c}
		return d
	}
	t.Run("lowers the priority", func(t *testing.T) {
		play(t, func(s *kernel) {
			gateway, track := vrrp.Condition{Name: "ping gateway", Tracked: true, OK: true}, vrrp.Track{Condition: "ping gateway", Weight: -60}
			s.master(given(gateway, track))
			silent := gateway
			silent.OK, silent.Reason = false, "the gateway does not answer"
			s.session.Set(given(silent, track))
			s.want("told at once", "3.5s    advert 90 from 10.9.0.1 to 224.0.0.18",
				"3.5s    failure: the priority is 90: 150 as configured, -60 by ping gateway (the gateway does not answer)",
				"3.5s    ip addr replace 10.9.0.200/24 dev eth0 valid_lft 7.297s")
			want := []vrrp.Judged{{Name: "ping gateway", Weight: -60, Effect: -60, Reason: silent.Reason}}
			if st := s.status(); st.Priority != 90 || st.Configured != 150 || !slices.Equal(st.Unmet, []string{silent.Reason}) || !slices.Equal(st.Conditions, want) {
				t.Errorf("priority %d of %d, unmet %q, conditions %+v", st.Priority, st.Configured, st.Unmet, st.Conditions)
			}
			s.session.Set(given(gateway, track))
			s.want("and when it is met again", "3.5s    advert 150 from 10.9.0.1 to 224.0.0.18",
				"3.5s    event: the priority is 150 again, as configured",
				"3.5s    ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s")
		})
	})
	t.Run("makes it stand back", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.master(one())
			s.session.Set(given(vrrp.Condition{Name: "isolated", Reason: "nobody answers"}))
			s.want("it hands over", "3.5s    advert 0 from 10.9.0.1 to 224.0.0.18", "3.5s    failure, Initialize: nobody answers")
			if st := s.status(); st.Fault != "nobody answers" {
				t.Errorf("fault: %q", st.Fault)
			}
			s.session.Set(one())
			s.want("and starts again", "3.5s    Backup: started")
		})
	})
}

func TestATrackedConditionConcernsWhoTracksIt(t *testing.T) {
	silent := vrrp.Condition{Name: "ping gateway", Reason: "the gateway does not answer", Tracked: true}
	tracking := func(given ...vrrp.Condition) vrrp.Desired {
		d := one(func(c *vrrp.Config) { c.Track = []vrrp.Track{{Condition: "ping gateway"}} })
		d.Conditions = given
		return d
	}
	for _, tt := range []struct {
		name    string
		desired vrrp.Desired
		fault   string
	}{
		{"a router that tracks it stands back", tracking(silent), "the gateway does not answer"},
		{"one that is not known yet is not met", tracking(), "ping gateway is not known yet"},
		{"others go on", vrrp.Desired{Routers: one().Routers, Conditions: []vrrp.Condition{silent}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(s *kernel) {
				s.session.Set(tt.desired)
				synctest.Wait()
				if st := s.status(); st.Fault != tt.fault {
					t.Errorf("fault %q, want %q", st.Fault, tt.fault)
				}
			})
		})
	}
}

// Decision 7.
func TestStopEndsAfterTheHandOver(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		s.session.Set(vrrp.Desired{Ending: vrrp.Stopped})
		s.want("it says so once", "3.5s    advert 0 from 10.9.0.1 to 224.0.0.18", "3.5s    Initialize: stopped")
		time.Sleep(500 * time.Millisecond)
		s.arrive(100, true)
		<-s.ended
		s.want("it lets go 50 ms after the successor's first advert", "4.05s   event: taken over by 10.9.0.2", "4.05s   ip addr del 10.9.0.200/24 dev eth0")
	})
}

// Decision 10.
func TestAbandonedWithoutSuccessorLeavesTheAddresses(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		s.session.Set(vrrp.Desired{Ending: vrrp.Abandoned})
		<-s.ended
		s.want("the addresses become permanent",
			"3.5s    advert 0 from 10.9.0.1 to 224.0.0.18",
			"3.5s    Initialize: abandoned by its director",
			"5.69s   ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s", // renewed meanwhile
			"7.5s    failure: no other director was heard taking over: the addresses stay on this one",
			"7.5s    ip addr replace 10.9.0.200/24 dev eth0")
	})
}

// A director that crashes again and again: the keeper of its second life has
// adopted the addresses and is not Master yet.
func TestAbandonedWithAdoptedAddressesLeavesThem(t *testing.T) {
	for _, c := range []struct {
		name       string
		conditions []vrrp.Condition
		down       bool
		want       []string
	}{
		{"in Backup", nil, false, []string{"0s      Backup: started", "1s      Initialize: abandoned by its director"}},
		{"while it waits for the table", loading, false, nil},
		{"but not where its interface goes", nil, true, []string{"0s      Backup: started",
			"1s      failure, Initialize: interface eth0 is down", "1s      ip addr del 10.9.0.200/24 dev eth0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(s *kernel) {
				s.leaveAddress()
				d := one()
				d.Conditions = c.conditions
				s.session.Set(d)
				time.Sleep(time.Second)
				if c.down {
					s.set("eth0", false)
				}
				synctest.Wait()
				s.session.Set(vrrp.Desired{Ending: vrrp.Abandoned})
				<-s.ended
				s.want("the addresses stay as they are", slices.Concat([]string{found}, c.want)...)
			})
		})
	}
}

// A service manager that cleans up after a killed director may end the keeper
// with a signal before it has seen the director's end.
func TestAbandonedAfterAStop(t *testing.T) {
	t.Run("leaves the addresses too", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.master(one())
			s.session.Set(vrrp.Desired{Ending: vrrp.Stopped})
			s.want("it says so once", "3.5s    advert 0 from 10.9.0.1 to 224.0.0.18", "3.5s    Initialize: stopped")
			s.session.Set(vrrp.Desired{Ending: vrrp.Abandoned})
			<-s.ended
			s.want("the addresses become permanent",
				"5.69s   ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s",
				"7.5s    failure: no other director was heard taking over: the addresses stay on this one",
				"7.5s    ip addr replace 10.9.0.200/24 dev eth0")
		})
	})
	t.Run("but not those of a router that was removed", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.master(one())
			s.session.Set(vrrp.Desired{})
			s.script()
			s.session.Set(vrrp.Desired{Ending: vrrp.Abandoned})
			<-s.ended
			s.want("nobody would come back for them",
				"5.69s   ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s",
				"7.5s    failure: no other director was heard taking over virtual router id 51",
				"7.5s    ip addr del 10.9.0.200/24 dev eth0")
		})
	})
}

func TestAbandonedWithSuccessorReleases(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		s.session.Set(vrrp.Desired{Ending: vrrp.Abandoned})
		s.script()
		s.arrive(100, true)
		<-s.ended
		s.want("as at a proper stop", "3.55s   event: taken over by 10.9.0.2", "3.55s   ip addr del 10.9.0.200/24 dev eth0")
	})
}

// found is what is told of leaveAddress's address.
const found = "0s      event: adopted what was there at the start, until another Master is heard: 10.9.0.200/24 on eth0"

func TestAddressesLeftByACrash(t *testing.T) {
	t.Run("stay while nobody else is Master", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.leaveAddress()
			s.session.Set(one())
			time.Sleep(3500 * time.Millisecond)
			s.want("adopted", found,
				"0s      Backup: started",
				"3.414s  advert 150 from 10.9.0.1 to 224.0.0.18",
				"3.414s  Master: no adverts from any Master",
				"3.414s  ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s",
				"3.414s  arping -U -I eth0 10.9.0.200")
		})
	})
	t.Run("go when somebody else is", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.leaveAddress()
			s.session.Set(one())
			synctest.Wait()
			s.arrive(200, true)
			time.Sleep(100 * time.Millisecond)
			s.want("released", found, "0s      Backup: started", "50ms    ip addr del 10.9.0.200/24 dev eth0")
		})
	})
}

// What befalls a router that is leaving is not told as what keeps it from
// starting, and adverts for others are not compared with it.
func TestStoppingRouterLosesItsInterface(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		s.session.Set(vrrp.Desired{Ending: vrrp.Stopped})
		s.script()
		s.arriveTo(vrrp.Group4, 77, 100, true)
		s.want("another virtual router with the same address")
		s.set("eth0", false)
		s.want("it lets go at once", "3.5s    failure: no other director was heard taking over virtual router id 51",
			"3.5s    ip addr del 10.9.0.200/24 dev eth0")
		<-s.ended
	})
}

// SIGTERM may come while the director says what shall run.
func TestNothingRunsAgainAfterAnEnd(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		s.session.Set(vrrp.Desired{Ending: vrrp.Stopped})
		s.session.Set(one(func(c *vrrp.Config) { c.Priority = 200 }))
		s.want("told before the loop has turned", "3.5s    advert 0 from 10.9.0.1 to 224.0.0.18", "3.5s    Initialize: stopped")
		s.session.Set(one())
		s.want("and after that")
		time.Sleep(5 * time.Second)
		select {
		case <-s.ended:
		default:
			t.Error("it goes on")
		}
	})
}

// The kernel is given five seconds to release the addresses.
func TestEndDoesNotWaitForEverForTheKernel(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		s.mu.Lock()
		s.blocked = make(chan struct{})
		s.mu.Unlock()
		s.session.Set(vrrp.Desired{Ending: vrrp.Stopped})
		<-s.ended
		if took := time.Since(s.begin); took != 12500*time.Millisecond { // 4 intervals, and the five seconds
			t.Errorf("it ended after %s", took)
		}
		close(s.blocked)
	})
}

func TestOwnAddressChangesWhileMaster(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		s.mu.Lock()
		s.devices["eth0"] = vrrp.Interface{Up: true, Addresses: []netip.Prefix{netip.MustParsePrefix("10.9.0.7/24"), netip.MustParsePrefix("10.9.0.200/24")}}
		s.publish()
		s.mu.Unlock()
		time.Sleep(time.Second)
		if st := s.status(); st.Master != netip.MustParseAddr("10.9.0.7") || !slices.Contains(s.script(), "4.414s  advert 150 from 10.9.0.7 to 224.0.0.18") {
			t.Errorf("the Master is %s", st.Master)
		}
	})
}

func TestSourceOfAdverts(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*vrrp.Config)
		want   string
	}{
		{"not there", func(c *vrrp.Config) { c.Source = netip.MustParseAddr("10.9.0.9") }, "the source 10.9.0.9 is not an address of interface eth0"},
		{"only virtual ones", func(c *vrrp.Config) { c.Addresses = append(c.Addresses, netip.MustParsePrefix("10.9.0.1/24")) }, "interface eth0 has no IPv4 address of its own to send adverts from (virtual ones do not count)"},
		{"only a virtual one, for IPv6", func(c *vrrp.Config) {
			c.Addresses = []netip.Prefix{netip.MustParsePrefix("fe80::1/64"), netip.MustParsePrefix("fd00::200/64")}
		}, "interface eth0 has no link-local IPv6 address to send adverts from (virtual ones do not count)"},
		{"no interface", func(c *vrrp.Config) { c.Interface = "eth7" }, "interface eth7 does not exist"},
		{"link-local for IPv6", func(c *vrrp.Config) { c.Addresses = []netip.Prefix{netip.MustParsePrefix("fd00::200/64")} }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(s *kernel) {
				s.session.Set(one(c.change))
				synctest.Wait()
				if st := s.status(); st.Fault != c.want {
					t.Errorf("fault %q, want %q", st.Fault, c.want)
				}
				if c.want != "" {
					return
				}
				time.Sleep(3500 * time.Millisecond)
				if !slices.Contains(s.script(), "3.414s  advert 150 from fe80::1 to ff02::12") {
					t.Error("the advert does not come from the link-local address")
				}
			})
		})
	}
}
