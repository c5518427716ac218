package vrrp_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// always is a router with an address, a route and a rule beside it that are static.
func always(change ...func(*vrrp.Config)) vrrp.Desired {
	d := one(change...)
	d.Static = vrrp.Holdings{
		Addresses: []vrrp.InterfaceAddress{{Interface: "eth1", Prefix: netip.MustParsePrefix("10.14.0.15/24")}},
		Routes:    []vrrp.Route{{Destination: netip.MustParsePrefix("10.15.0.0/16"), Via: netip.MustParseAddr("10.14.0.1"), Table: vrrp.MainTable}},
		Rules:     []vrrp.Rule{{Family: 4, Priority: 100, Table: 100}},
	}
	return d
}

// What is static is there from the start, on the Backup too, comes back, and goes when
// it leaves the configuration.
func TestStaticHoldingsNeedNoMaster(t *testing.T) {
	play(t, func(s *kernel) {
		d := always()
		s.session.Set(d)
		time.Sleep(10 * time.Millisecond)
		s.want("it starts",
			"0s      Backup: started",
			"0s      ip addr replace 10.14.0.15/24 dev eth1",
			"0s      ip route 10.15.0.0/16 via 10.14.0.1: added",
			"0s      ip rule 100: from all lookup 100: added")
		if k := s.session.Static(); k == nil || k.Held != 3 || len(k.Wanted) != 3 || k.Missing != "" {
			t.Errorf("static: %+v", k)
		}
		s.arrive(200, true)
		s.change("eth1", func(i *vrrp.Interface) { i.Addresses = nil })
		time.Sleep(100 * time.Millisecond)
		s.want("somebody removes the address",
			"30ms    ip addr replace 10.14.0.15/24 dev eth1",
			"30ms    arping -U -I eth1 10.14.0.15",
			"30ms    failure: static: restored what somebody else had removed: 10.14.0.15/24 on eth1")
		if k := s.session.Static(); k.Restored != 1 {
			t.Errorf("static: %+v", k)
		}
		d.Static = vrrp.Holdings{Rules: d.Static.Rules}
		s.session.Set(d)
		time.Sleep(10 * time.Millisecond)
		all := strings.Join(s.script(), "\n")
		for _, line := range []string{"ip route 10.15.0.0/16 via 10.14.0.1: removed", "ip addr del 10.14.0.15/24 dev eth1"} {
			if !strings.Contains(all, line) {
				t.Errorf("a reload without them: %q is not there:\n%s", line, all)
			}
		}
		if k := s.session.Static(); k == nil || k.Held != 1 {
			t.Errorf("static: %+v", k)
		}
	})
}

// The last advert may need it, so it goes after the routers. Where the director is gone
// and nobody takes over, it stays.
func TestStaticHoldingsOutliveTheRouters(t *testing.T) {
	for _, tt := range []struct {
		ending vrrp.Ending
		stays  bool
	}{{vrrp.Stopped, false}, {vrrp.Abandoned, true}} {
		play(t, func(s *kernel) {
			s.settle(always())
			s.session.Set(vrrp.Desired{Ending: tt.ending})
			<-s.ended
			all := strings.Join(s.script(), "\n")
			router, static := strings.Index(all, "ip addr del 10.9.0.200/24"), strings.Index(all, "ip addr del 10.14.0.15/24")
			if tt.stays != (static < 0) || !tt.stays && static < router {
				t.Errorf("%v: static at %d, the router's at %d:\n%s", tt.ending, static, router, all)
			}
		})
	}
}

// What cannot be added is told, and tried again.
func TestStaticHoldingsThatCannotBe(t *testing.T) {
	play(t, func(s *kernel) {
		s.unroutable = errUnroutable
		s.session.Set(always())
		time.Sleep(10 * time.Millisecond)
		if k := s.session.Static(); k.Held != 2 || k.Missing != "route 10.15.0.0/16 via 10.14.0.1" || !strings.Contains(k.Failure, "unreachable") {
			t.Errorf("static: %+v", k)
		}
		s.mu.Lock()
		s.unroutable = nil
		s.mu.Unlock()
		time.Sleep(1100 * time.Millisecond)
		if k := s.session.Static(); k.Held != 3 || k.Failure != "" {
			t.Errorf("a second later: %+v", k)
		}
	})
}

// A keeper runs while there is something for it to do.
func TestIdle(t *testing.T) {
	nothing, without := vrrp.Desired{Conditions: loading}, always()
	without.Routers = nil
	for name, tt := range map[string]struct {
		d    vrrp.Desired
		idle bool
	}{"conditions are nothing to run": {nothing, true}, "a router": {one(), false}, "what is kept without a router": {without, false}, "both": {always(), false}} {
		if got := tt.d.Idle(); got != tt.idle {
			t.Errorf("%s: idle %t", name, got)
		}
	}
}

// Without a router, too.
func TestStaticHoldingsWithoutARouter(t *testing.T) {
	play(t, func(s *kernel) {
		d := always()
		d.Routers = nil
		s.session.Set(d)
		time.Sleep(10 * time.Millisecond)
		if k := s.session.Static(); k == nil || k.Held != 3 {
			t.Errorf("static: %+v", k)
		}
		s.session.Set(vrrp.Desired{Ending: vrrp.Stopped})
		<-s.ended
		if all := strings.Join(s.script(), "\n"); !strings.Contains(all, "ip addr del 10.14.0.15/24 dev eth1") {
			t.Errorf("it is left:\n%s", all)
		}
	})
}

// "lvsd was killed, I took an address out of static, and it is still there." What was added
// by lvsd goes at its next start, but for what is wanted, and for a router's, which is
// adopted with whatever prefix length.
func TestAnAddressThatLeftStaticWhileLvsdDidNotRun(t *testing.T) {
	play(t, func(s *kernel) {
		d := always()
		on := func(device, prefix string) vrrp.InterfaceAddress {
			return vrrp.InterfaceAddress{Interface: device, Prefix: netip.MustParsePrefix(prefix)}
		}
		s.left = []vrrp.InterfaceAddress{on("eth1", "10.14.0.15/24"), on("eth1", "10.14.0.16/24"), on("eth0", "10.9.0.200/32"), on("eth1", "10.9.0.200/24")}
		s.change("eth0", func(i *vrrp.Interface) { i.Addresses = append(i.Addresses, netip.MustParsePrefix("10.9.0.200/32")) })
		s.session.Set(d)
		time.Sleep(10 * time.Millisecond)
		all := slices.DeleteFunc(s.script(), func(line string) bool { return !strings.Contains(line, "swept") })
		want := []string{"0s      ip addr del 10.14.0.16/24 dev eth1: swept", "0s      ip addr del 10.9.0.200/24 dev eth1: swept"}
		if !slices.Equal(all, want) {
			t.Errorf("swept %q, want %q", all, want)
		}
	})
}
