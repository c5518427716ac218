package vrrp_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// nat is a NAT cluster's group: a router outside on eth0, and one inside on eth1.
func nat(change ...func(*vrrp.Config)) vrrp.Desired {
	d := one(change...)
	d.Routers[0].SyncGroup = "nat"
	inside := d.Routers[0]
	inside.Name, inside.Interface, inside.VRID = "inside", "eth1", 52
	inside.Addresses = []netip.Prefix{netip.MustParsePrefix("192.168.1.254/24")}
	d.Routers = append(d.Routers, inside)
	return d
}

// wire gives eth1 an address of the director's own.
func (s *kernel) wire() {
	s.change("eth1", func(i *vrrp.Interface) { i.Addresses = []netip.Prefix{netip.MustParsePrefix("192.168.1.1/24")} })
}

// states are the routers' states and phases, by name.
func (s *kernel) states() (all []string) {
	for _, st := range s.session.Statuses() {
		all = append(all, st.Name+" "+string(st.State)+", "+string(st.Phase))
	}
	return all
}

// "The inside link of the Master died, and it went on answering outside."
func TestAGroupMovesAsOneWhenALinkDies(t *testing.T) {
	play(t, func(s *kernel) {
		s.wire()
		s.session.Set(nat())
		time.Sleep(3500 * time.Millisecond)
		if got, want := s.script()[:6], []string{"0s      Backup: started", "0s      Backup: started",
			"3.414s  advert 150 from 10.9.0.1 to 224.0.0.18", "3.414s  Master: no adverts from any Master",
			"3.414s  advert 150 from 192.168.1.1 to 224.0.0.18", "3.414s  Master: no adverts from any Master"}; !slices.Equal(got, want) {
			t.Errorf("it becomes Master of both at the same moment: %q", got)
		}
		time.Sleep(time.Second)
		s.script()
		s.set("eth1", false)
		s.want("outside it hands over, and inside, where nobody hears it, it lets go",
			"4.5s    advert 0 from 10.9.0.1 to 224.0.0.18",
			"4.5s    failure, Initialize: inside of group nat: interface eth1 is down",
			"4.5s    failure, Initialize: interface eth1 is down",
			"4.5s    ip addr del 192.168.1.254/24 dev eth1")
		for _, st := range s.session.Statuses() {
			if st.SyncGroup != "nat" || len(st.Unmet) != 1 {
				t.Errorf("%s: group %q, unmet %q", st.Name, st.SyncGroup, st.Unmet)
			}
		}
		s.arrive(100, true)
		time.Sleep(time.Second)
		s.want("its successor has come", "4.55s   ip addr del 10.9.0.200/24 dev eth0")
		s.set("eth1", true)
		s.want("it waits for both to be ready", "5.5s    Backup: started", "5.5s    Backup: started")
	})
}

// keepalived demotes a group that a member is added to (its issue 2715).
func TestARouterThatIsAddedToAMastersGroupDemotesNobody(t *testing.T) {
	play(t, func(s *kernel) {
		s.wire()
		s.change("eth2", func(i *vrrp.Interface) {
			i.Up, i.Addresses = true, []netip.Prefix{netip.MustParsePrefix("172.16.0.1/24")}
		})
		s.session.Set(nat())
		time.Sleep(5 * time.Second)
		s.script()
		d := nat()
		more := d.Routers[1]
		more.Name, more.Interface, more.Addresses = "dmz", "eth2", []netip.Prefix{netip.MustParsePrefix("172.16.0.254/24")}
		d.Routers = append(d.Routers, more)
		s.session.Set(d)
		time.Sleep(time.Second)
		if got, want := s.states(), []string{"dmz Backup, looking for a Master", "inside Master, advertising", "outside Master, advertising"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		time.Sleep(3 * time.Second)
		if got, want := s.states(), []string{"dmz Master, advertising", "inside Master, advertising", "outside Master, advertising"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// A reload that puts routers into a group, or takes them out of one, is in force at once.
func TestAReloadMakesAndEndsAGroup(t *testing.T) {
	play(t, func(s *kernel) {
		s.wire()
		s.session.Set(nat())
		for range 8 { // Somebody better is Master outside.
			s.arrive(200, true)
			time.Sleep(time.Second)
		}
		if got, want := s.states(), []string{"inside Backup, waiting for its group", "outside Backup, following"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		alone := nat()
		alone.Routers[0].SyncGroup, alone.Routers[1].SyncGroup = "", ""
		s.script()
		s.arrive(200, true)
		s.session.Set(alone)
		s.want("it is Master inside", "8s      advert 150 from 192.168.1.1 to 224.0.0.18", "8s      Master: no adverts from any Master",
			"8s      ip addr replace 192.168.1.254/24 dev eth1 valid_lft 6.828s", "8s      arping -U -I eth1 192.168.1.254")
		time.Sleep(500 * time.Millisecond)
		s.script()
		s.session.Set(nat())
		s.want("and leaves it to the one that is Master outside", "8.5s    advert 0 from 192.168.1.1 to 224.0.0.18", "8.5s    Backup: moves with outside of group nat")
		time.Sleep(4300 * time.Millisecond)
		if got, want := s.states()[0], "inside Backup, looking for a Master"; got != want {
			t.Errorf("after Master_Down: %q, want %q", got, want)
		}
		time.Sleep(200 * time.Millisecond)
		if got, want := s.states(), []string{"inside Master, advertising", "outside Master, advertising"}; !slices.Equal(got, want) {
			t.Errorf("an interval later: %q, want %q", got, want)
		}
	})
}

// A director on which one of them is in no group keeps its part.
func TestAGroupThatStaysSplitIsTold(t *testing.T) {
	play(t, func(s *kernel) {
		s.wire()
		d := nat(func(c *vrrp.Config) { c.Preempt = false })
		s.session.Set(d)
		time.Sleep(10 * time.Second)
		for _, st := range s.session.Statuses() {
			if st.State != vrrp.Master || st.Split != 0 {
				t.Errorf("%s is %s, and split for %v", st.Name, st.State, st.Split)
			}
		}
		more := d.Routers[1]
		more.Name, more.Interface, more.Addresses = "dmz", "eth2", []netip.Prefix{netip.MustParsePrefix("172.16.0.254/24")}
		d.Routers = append(d.Routers, more)
		s.mu.Lock()
		s.opening = true // The socket of eth2 never opens.
		s.mu.Unlock()
		s.session.Set(d)
		for _, tt := range []struct{ after, want time.Duration }{{3414062500, 0}, {200 * time.Millisecond, 3614062500}} {
			time.Sleep(tt.after)
			for _, st := range s.session.Statuses() {
				if st.Split != tt.want {
					t.Errorf("%s is split for %v, want %v", st.Name, st.Split, tt.want)
				}
			}
		}
	})
}

// What one router of a group tracks counts for all of them, once.
func TestWhatARouterOfAGroupTracksCountsForAll(t *testing.T) {
	play(t, func(s *kernel) {
		s.wire()
		ping := vrrp.Track{Condition: "ping gateway", Weight: -60}
		d := nat()
		d.Routers[0].Track = []vrrp.Track{ping, {Condition: "interface eth2", Weight: -7}}
		d.Routers[1].Track = []vrrp.Track{ping}
		d.Conditions = []vrrp.Condition{{Name: "ping gateway", Tracked: true, Reason: "the gateway does not answer"}}
		s.session.Set(d)
		time.Sleep(4 * time.Second)
		for _, st := range s.session.Statuses() {
			if st.Priority != 150-60-7 || st.State != vrrp.Master {
				t.Errorf("%s is %s with priority %d: %q", st.Name, st.State, st.Priority, st.Unmet)
			}
		}
	})
}

// "The inside router stood back for a condition that lowers the priority of the outside
// one, and the outside one went on."
func TestAHardConditionOfOneRouterCountsBesideAWeightOfAnother(t *testing.T) {
	play(t, func(s *kernel) {
		s.wire()
		d := nat()
		d.Routers[0].Track = []vrrp.Track{{Condition: "ping gateway", Weight: -20}}
		d.Routers[1].Track = []vrrp.Track{{Condition: "ping gateway"}}
		d.Conditions = []vrrp.Condition{{Name: "ping gateway", Tracked: true, OK: true}}
		s.session.Set(d)
		time.Sleep(4 * time.Second)
		d.Conditions = []vrrp.Condition{{Name: "ping gateway", Tracked: true, Reason: "the gateway does not answer"}}
		s.session.Set(d)
		time.Sleep(time.Second)
		for _, st := range s.session.Statuses() {
			if st.State != vrrp.Initialize {
				t.Errorf("%s is %s: %q", st.Name, st.State, st.Unmet)
			}
		}
		if st := s.session.Statuses()[1]; st.Name != "outside" || st.Priority != 130 {
			t.Errorf("%s has priority %d, want 130: the weight counts once", st.Name, st.Priority)
		}
	})
}

// Two routers of a group may ask for opposite things. Each has its own weight, and
// nobody else's; but if one cannot run, none does.
func TestRoutersOfAGroupThatAskForOppositeThings(t *testing.T) {
	play(t, func(s *kernel) {
		s.wire()
		d := nat()
		d.Conditions = []vrrp.Condition{{Name: "file flag", Tracked: true, OK: true}}
		for _, tt := range []struct {
			outside, inside int // weights
			want            []string
		}{
			{-20, -30, []string{"inside Master 120", "outside Master 150"}},
			{0, 0, []string{"inside Initialize 150", "outside Initialize 150"}},
		} {
			d.Routers[0].Track = []vrrp.Track{{Condition: "file flag", Weight: tt.outside}}
			d.Routers[1].Track = []vrrp.Track{{Condition: "file flag", Weight: tt.inside, Reverse: true}}
			s.session.Set(d)
			time.Sleep(5 * time.Second)
			var got []string
			for _, st := range s.session.Statuses() {
				got = append(got, fmt.Sprintf("%s %s %d", st.Name, st.State, st.Priority))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		}
	})
}

// An operator names one router, and all of its group move.
func TestAFailoverOfOneRouterIsOneOfItsGroup(t *testing.T) {
	play(t, func(s *kernel) {
		s.wire()
		d := nat()
		s.session.Set(d)
		time.Sleep(5 * time.Second)
		s.script()
		d.Offers = []vrrp.Offer{{Router: "inside", Number: 1}, {Router: "outside", Number: 2}}
		s.session.Set(d)
		s.want("both offer their roles", "5s      advert 0 from 10.9.0.1 to 224.0.0.18", "5s      advert 0 from 192.168.1.1 to 224.0.0.18")
		time.Sleep(100 * time.Millisecond)
		s.arrive(100, true)
		time.Sleep(100 * time.Millisecond)
		if got, want := s.states(), []string{"inside Master, offering the addresses to a successor", "outside Backup, following"}; !slices.Equal(got, want) {
			t.Errorf("somebody worse has come outside: %q, want %q", got, want)
		}
		time.Sleep(3400 * time.Millisecond)
		if got, want := s.states(), []string{"inside Master, advertising", "outside Master, advertising"}; !slices.Equal(got, want) {
			t.Errorf("and nobody inside: %q, want %q", got, want)
		}
	})
}

// A failover of one router is none of another one that is in no group with it.
func TestAFailoverMovesNoOtherGroup(t *testing.T) {
	play(t, func(s *kernel) {
		s.wire()
		d := nat()
		d.Routers[1].SyncGroup = ""
		s.session.Set(d)
		time.Sleep(5 * time.Second)
		s.script()
		d.Offers = []vrrp.Offer{{Router: "inside", Number: 1}}
		s.session.Set(d)
		s.want("the other one stays", "5s      advert 0 from 192.168.1.1 to 224.0.0.18")
	})
}

// What concerns all routers of a group is told once by each.
func TestWhatConcernsAllIsToldOnce(t *testing.T) {
	play(t, func(s *kernel) {
		s.wire()
		d := nat()
		d.Conditions = []vrrp.Condition{{Name: "operator", Reason: "standby"}}
		s.session.Set(d)
		time.Sleep(time.Second)
		for _, st := range s.session.Statuses() {
			if !slices.Equal(st.Unmet, []string{"standby"}) {
				t.Errorf("%s: unmet %q", st.Name, st.Unmet)
			}
		}
	})
}

// "The Master's outside link died, and inside its peer waited for Master_Down."
func TestAMasterThatLeavesOneRouterIsDoubtedInTheOthers(t *testing.T) {
	play(t, func(s *kernel) {
		s.wire()
		s.session.Set(nat())
		both := func(priority uint8) {
			ad := vrrp.Advert{Version: 3, VRID: 52, Priority: 200, Interval: time.Second, Addresses: []netip.Addr{netip.MustParseAddr("192.168.1.254")}}
			src := netip.MustParseAddr("192.168.1.2")
			s.mu.Lock()
			s.queue = append(s.queue, vrrp.Packet{Port: vrrp.Port{Interface: "eth1", Family: 4}, Src: src, Dst: vrrp.Group4, TTL: 255, Payload: ad.Append(nil, src, vrrp.Group4)})
			s.mu.Unlock()
			s.arrive(priority, true)
		}
		for range 5 {
			both(200)
			time.Sleep(time.Second)
		}
		both(200)
		time.Sleep(100 * time.Millisecond)
		s.arrive(0, true) // outside only
		time.Sleep(1140 * time.Millisecond)
		if got, want := s.states(), []string{"inside Backup, following", "outside Backup, waiting for its group"}; !slices.Equal(got, want) {
			t.Errorf("before its next advert is overdue: %q, want %q", got, want)
		}
		time.Sleep(20 * time.Millisecond)
		if got, want := s.states(), []string{"inside Master, advertising", "outside Master, advertising"}; !slices.Equal(got, want) {
			t.Errorf("1.25 intervals after its last advert inside: %q, want %q", got, want)
		}
	})
}

// "I added a router to the group while it waited for the power switch, and the switch was
// asked twice." Whatever joins a group that waits, all of it waits for one answer.
func TestARouterThatJoinsAGroupThatWaitsAsksWithIt(t *testing.T) {
	for name, answer := range map[string]*vrrp.Answer{"while they wait": nil, "when they were refused": {Router: "inside"}} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *kernel) {
				s.wire()
				d := nat(func(c *vrrp.Config) {
					c.Enter = vrrp.Clearance{Timeout: 10 * time.Second, Unheard: true, Required: true}
				})
				alone := d.Routers[1]
				alone.Name, alone.SyncGroup, alone.VRID, alone.Priority = "alone", "", 53, 100
				alone.Addresses = []netip.Prefix{netip.MustParsePrefix("192.168.1.253/24")}
				d.Routers = append(d.Routers, alone)
				s.session.Set(d)
				time.Sleep(4 * time.Second)
				numbers := func() (all []uint64) {
					for _, st := range s.session.Statuses() {
						all = append(all, st.Question.Number)
					}
					return all
				}
				before := numbers()
				if before[1] == 0 || before[0] == before[1] || before[1] != before[2] {
					t.Fatalf("alone, inside and outside ask %d", before)
				}
				if answer != nil {
					answer.Number = before[1]
					s.session.Answer(*answer)
				}
				d.Routers = slices.Clone(d.Routers)
				d.Routers[2].SyncGroup = "nat"
				s.session.Set(d)
				time.Sleep(time.Second)
				now := numbers()
				if now[0] <= before[0] || now[0] != now[1] || now[1] != now[2] {
					t.Fatalf("after they asked %d, they ask %d", before, now)
				}
				s.session.Answer(vrrp.Answer{Router: "inside", Number: now[0], OK: true})
				time.Sleep(time.Second)
				for _, st := range s.session.Statuses() {
					if st.State != vrrp.Master {
						t.Errorf("%s is %s: %s", st.Name, st.State, st.Phase)
					}
				}
			})
		})
	}
}

// A group asks when all of its routers would be Master, and once.
func TestWhenAGroupAsks(t *testing.T) {
	asking := func(unheard bool) vrrp.Desired {
		return nat(func(c *vrrp.Config) { c.Enter = vrrp.Clearance{Timeout: 10 * time.Second, Unheard: unheard} })
	}
	numbers := func(s *kernel) (inside, outside uint64) {
		all := s.session.Statuses()
		return all[0].Question.Number, all[1].Question.Number
	}
	asked := func(s *kernel) (n int) {
		for _, line := range s.script() {
			if strings.Contains(line, "waits up to") {
				n++
			}
		}
		return n
	}
	t.Run("when the last of them is ready", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.wire()
			d := asking(true)
			d.Routers[1].Priority = 100
			s.session.Set(d)
			time.Sleep(3500 * time.Millisecond)
			if n := asked(s); n != 0 {
				t.Errorf("%d ask before", n)
			}
			time.Sleep(200 * time.Millisecond)
			if n := asked(s); n != 2 {
				t.Errorf("%d ask then, want both", n)
			}
		})
	})
	t.Run("one that has to ask no one waits with the other", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.wire()
			d := asking(true)
			d.Routers[1].Enter = vrrp.Clearance{}
			s.session.Set(d)
			time.Sleep(4 * time.Second)
			_, before := numbers(s)
			time.Sleep(3 * time.Second)
			if inside, outside := numbers(s); before == 0 || outside != before || inside != 0 {
				t.Errorf("outside asks %d and then %d, and inside %d", before, outside, inside)
			}
			if st := s.session.Statuses(); st[0].State != vrrp.Backup || st[1].State != vrrp.Backup {
				t.Errorf("they are %s and %s", st[0].State, st[1].State)
			}
		})
	})
	t.Run("where a Master fell silent", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.wire()
			s.session.Set(asking(false))
			time.Sleep(time.Second)
			s.arrive(200, true)
			time.Sleep(4 * time.Second)
			if inside, outside := numbers(s); outside == 0 || inside != outside {
				t.Errorf("outside asks %d and inside %d", outside, inside)
			}
		})
	})
}

// A Master that may wait before it leaves does, but for a link that is dead: another
// director takes over there.
func TestAGroupWaitsToLeaveUnlessALinkIsDead(t *testing.T) {
	for name, tt := range map[string]struct {
		fails func(s *kernel, d vrrp.Desired)
		want  vrrp.State // of outside
	}{
		"a condition is not met": {func(s *kernel, d vrrp.Desired) {
			d.Conditions = []vrrp.Condition{{Name: "isolated", Reason: "nobody answers"}}
			s.session.Set(d)
		}, vrrp.Master},
		"the link of the other router is dead": {func(s *kernel, _ vrrp.Desired) { s.set("eth1", false) }, vrrp.Initialize},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *kernel) {
				s.wire()
				d := nat(func(c *vrrp.Config) { c.Leave.Timeout = 10 * time.Second })
				s.session.Set(d)
				time.Sleep(4 * time.Second)
				tt.fails(s, d)
				time.Sleep(time.Second)
				if st := s.session.Statuses()[1]; st.State != tt.want {
					t.Errorf("outside is %s, want %s", st.State, tt.want)
				}
			})
		})
	}
}
