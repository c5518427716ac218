package vrrp_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lvsd/lvsd/vrrp"
)

var (
	inward  = vrrp.Route{Destination: netip.MustParsePrefix("10.77.0.0/16"), Via: netip.MustParseAddr("10.9.0.254"), Table: vrrp.MainTable}
	nowhere = vrrp.Route{Destination: netip.MustParsePrefix("10.78.0.0/16"), Type: vrrp.Blackhole, Metric: 7, Table: 100}
	marked  = vrrp.Rule{Family: 4, Priority: 100, From: netip.MustParsePrefix("10.9.0.200/32"), Mark: 1, Mask: 0xff, Table: 100}
)

var errUnroutable = errors.New("adding route: network is unreachable")

func paths(c *vrrp.Config) {
	c.Routes, c.Rules = []vrrp.Route{inward, nowhere}, []vrrp.Rule{marked}
}

// wantBeside is want for all lines but those with a word: the loop may have told the
// worker to announce before it begins with the routes, or after.
func (s *kernel) wantBeside(word, what string, want ...string) {
	s.t.Helper()
	got := slices.DeleteFunc(s.script(), func(line string) bool { return strings.Contains(line, word) })
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// What a Master has, it has in this order, and gives away the other way round.
func TestRoutesComeAfterTheAddressesAndGoBeforeThem(t *testing.T) {
	play(t, func(s *kernel) {
		s.session.Set(one(paths))
		time.Sleep(3500 * time.Millisecond)
		s.wantBeside("arping", "it becomes Master",
			"0s      Backup: started",
			"3.414s  advert 150 from 10.9.0.1 to 224.0.0.18",
			"3.414s  Master: no adverts from any Master",
			"3.414s  ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s",
			"3.414s  ip route 10.77.0.0/16 via 10.9.0.254: added",
			"3.414s  ip route blackhole 10.78.0.0/16 metric 7 table 100: added",
			"3.414s  ip rule 100: from 10.9.0.200/32 fwmark 0x1/0xff lookup 100: added")
		if st := s.status(); st.PathsHeld != 3 || len(st.Paths) != 3 || st.Missing != "" {
			t.Errorf("status %+v", st)
		}
		s.session.Set(one(paths, func(c *vrrp.Config) { c.Routes = c.Routes[:1] }))
		time.Sleep(10 * time.Millisecond)
		s.wantBeside("arping", "a reload takes a route away",
			"3.5s    advert 150 from 10.9.0.1 to 224.0.0.18",
			"3.5s    ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s",
			"3.5s    ip route blackhole 10.78.0.0/16 metric 7 table 100: removed")
		s.session.Set(vrrp.Desired{Ending: vrrp.Stopped})
		<-s.ended
		all := strings.Join(s.script(), "\n")
		order := []string{"ip rule 100: from 10.9.0.200/32 fwmark 0x1/0xff lookup 100: removed", "ip route 10.77.0.0/16 via 10.9.0.254: removed", "ip addr del 10.9.0.200/24 dev eth0"}
		at := 0
		for _, line := range order {
			next := strings.Index(all[at:], line)
			if next < 0 {
				t.Fatalf("%q is not there, or too soon:\n%s", line, all)
			}
			at += next
		}
	})
}

// "A router with a thousand routes kept the addresses of the others waiting."
func TestTheAddressesOfAllRoutersComeBeforeTheRoutesOfAny(t *testing.T) {
	play(t, func(s *kernel) {
		const routers = 8
		var all vrrp.Desired
		for i := range routers {
			all.Routers = append(all.Routers, one(paths, func(c *vrrp.Config) {
				c.Name, c.VRID = fmt.Sprint("router", i), uint8(51+i)
				c.Addresses = []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("10.9.0.%d/24", 200+i))}
				c.Routes = []vrrp.Route{{Destination: netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/16", 100+i)), Type: vrrp.Blackhole, Table: 7}}
			}).Routers...)
		}
		s.blocked = make(chan struct{})
		s.session.Set(all)
		time.Sleep(3500 * time.Millisecond)
		s.script()
		close(s.blocked) // All are Master by now.
		addresses := 0
		for _, line := range s.script() {
			switch {
			case strings.Contains(line, "ip addr replace"):
				addresses++
			case strings.Contains(line, "ip route") && addresses < routers:
				t.Errorf("after %d addresses: %s", addresses, line)
			}
		}
		if addresses != routers {
			t.Errorf("%d addresses of %d", addresses, routers)
		}
	})
}

// Somebody removed a route: no event tells, so it is back with the next renewal.
func TestRemovedRouteComesBackAndIsCounted(t *testing.T) {
	play(t, func(s *kernel) {
		s.settle(one(paths))
		s.mu.Lock()
		delete(s.paths, inward)
		s.mu.Unlock()
		time.Sleep(7 * time.Second / 3)
		all := strings.Join(s.script(), "\n")
		for _, line := range []string{"ip route 10.77.0.0/16 via 10.9.0.254: added", "failure: restored what somebody else had removed: route 10.77.0.0/16 via 10.9.0.254"} {
			if strings.Count(all, line) != 1 {
				t.Errorf("%q is not there once:\n%s", line, all)
			}
		}
		if c := s.status().Counters; c.PathsRestored != 1 || c.AddressesRestored != 0 {
			t.Errorf("counted %+v", c)
		}
	})
}

// A route whose gateway is on no network cannot be added. The address is there all
// the same.
func TestRouteThatCannotBeAddedIsMissing(t *testing.T) {
	play(t, func(s *kernel) {
		s.unroutable = errUnroutable
		s.master(one(func(c *vrrp.Config) { c.Routes = []vrrp.Route{inward} }))
		st := s.status()
		if st.Held != 1 || st.PathsHeld != 0 || st.Missing != "route 10.77.0.0/16 via 10.9.0.254" || !strings.Contains(st.AddressesFailure, "network is unreachable") {
			t.Errorf("status %+v", st)
		}
		s.mu.Lock()
		s.unroutable = nil
		s.mu.Unlock()
		time.Sleep(1100 * time.Millisecond)
		if st := s.status(); st.PathsHeld != 1 || st.Missing != "" || st.AddressesFailure != "" {
			t.Errorf("a second later: status %+v", st)
		}
	})
}

// A keeper that was killed left routes. Those of a router whose addresses are there
// stay with them, and all others go.
func TestRoutesOfAnEarlierProcess(t *testing.T) {
	old := inward
	old.Metric = 9
	for _, tt := range []struct {
		name    string
		address bool
		want    string
	}{
		{"the addresses are there as well", true, "map[route 10.77.0.0/16 via 10.9.0.254:true]"},
		{"the addresses' lease has ended", false, "map[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(s *kernel) {
				s.paths[inward], s.paths[old] = true, true
				if tt.address {
					s.change("eth0", func(i *vrrp.Interface) { i.Addresses = append(i.Addresses, netip.MustParsePrefix("10.9.0.200/24")) })
				}
				s.session.Set(one(func(c *vrrp.Config) { c.Routes = []vrrp.Route{inward} }))
				time.Sleep(100 * time.Millisecond)
				s.mu.Lock()
				got := fmt.Sprint(s.paths)
				s.mu.Unlock()
				if got != tt.want {
					t.Errorf("there are %s, want %s", got, tt.want)
				}
				s.arrive(200, true)
				time.Sleep(100 * time.Millisecond)
				s.mu.Lock()
				defer s.mu.Unlock()
				if len(s.paths) > 0 {
					t.Errorf("another director is Master, and these are left: %v", s.paths)
				}
			})
		})
	}
}

func TestRoutesAndRulesAsText(t *testing.T) {
	for want, v := range map[string]fmt.Stringer{
		"route 0.0.0.0/0 via 10.9.0.254 dev eth0 src 10.9.0.200 metric 5": vrrp.Route{Destination: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("10.9.0.254"), Interface: "eth0", Source: netip.MustParseAddr("10.9.0.200"), Metric: 5, Table: vrrp.MainTable},
		"route prohibit 2001:db8::/32 table 7":                            vrrp.Route{Type: vrrp.Prohibit, Destination: netip.MustParsePrefix("2001:db8::/32"), Table: 7},
		"rule 9: from all to 10.0.0.0/8 iif eth0 oif eth1 lookup 254":     vrrp.Rule{Priority: 9, To: netip.MustParsePrefix("10.0.0.0/8"), In: "eth0", Out: "eth1", Table: 254},
	} {
		if got := v.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
