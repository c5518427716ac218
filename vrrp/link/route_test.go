package link_test

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
)

// route is one in the main table, changed by f.
func route(to string, f func(*vrrp.Route)) vrrp.Route {
	r := vrrp.Route{Destination: netip.MustParsePrefix(to), Table: vrrp.MainTable}
	f(&r)
	return r
}

func via(gateway, dev string) func(*vrrp.Route) {
	return func(r *vrrp.Route) { r.Via, r.Interface = netip.MustParseAddr(gateway), dev }
}

// ours are the routes and rules of ours as iproute2 shows them.
func ours(t *testing.T) (all []string) {
	t.Helper()
	for _, args := range []string{"-4 route show table all proto 112", "-6 route show table all proto 112"} {
		for line := range strings.Lines(ip(t, args)) {
			words := strings.Fields(line)
			all = append(all, strings.Join(words, " "))
		}
	}
	for _, args := range []string{"-4 rule show", "-6 rule show"} {
		for line := range strings.Lines(ip(t, args)) {
			if strings.Contains(line, "proto 112") {
				all = append(all, strings.Join(strings.Fields(line), " "))
			}
		}
	}
	return all
}

// paths opens a link on a cable between va, with addresses, and vb.
func paths(t *testing.T) *link.Link {
	t.Helper()
	cable(t, "va", "vb")
	ip(t, "addr add 10.9.0.1/24 dev va")
	ip(t, "addr add fd09::1/64 dev va nodad")
	t.Cleanup(func() {
		for _, a := range ours(t) {
			t.Errorf("left: %s", a)
		}
	})
	return open(t, vrrp.Port{Interface: "va", Family: 4})
}

func TestRoutesAndRulesOfEveryKind(t *testing.T) {
	l := paths(t)
	h := vrrp.Holdings{
		Addresses: on("va", "10.9.0.200/24"),
		Routes: []vrrp.Route{
			route("0.0.0.0/0", via("10.9.0.254", "")),
			route("10.77.0.0/16", func(r *vrrp.Route) {
				via("10.9.0.254", "va")(r)
				r.Source, r.Metric, r.Table = netip.MustParseAddr("10.9.0.200"), 7, 1000
			}),
			route("10.78.0.0/16", func(r *vrrp.Route) { r.Interface, r.Scope = "va", 253 }),
			route("10.82.0.0/16", func(r *vrrp.Route) { via("10.9.0.254", "va")(r); r.MTU, r.AdvertisedMSS = 1400, 1360 }),
			route("10.83.0.0/16", func(r *vrrp.Route) { via("10.9.0.254", "va")(r); r.HopLimit, r.Window = 32, 65535 }),
			route("2001:db8:4::/48", func(r *vrrp.Route) { via("fd09::fe", "va")(r); r.HopLimit, r.Window = 32, 65535 }),
			route("2001:db8:3::/48", func(r *vrrp.Route) { via("fd09::fe", "va")(r); r.MTU = 1300 }),
			route("10.79.0.0/16", func(r *vrrp.Route) { via("172.31.0.1", "va")(r); r.OnLink = true }),
			route("10.80.0.0/16", func(r *vrrp.Route) { r.Type = vrrp.Blackhole }),
			route("10.81.0.0/16", func(r *vrrp.Route) { r.Type, r.Metric = vrrp.Unreachable, 9 }),
			route("::/0", via("fd09::fe", "")),
			route("2001:db8:1::/48", func(r *vrrp.Route) { via("fd09::fe", "va")(r); r.Metric = 20 }),
			route("2001:db8:2::/48", func(r *vrrp.Route) { r.Type = vrrp.Prohibit }),
		},
		Rules: []vrrp.Rule{
			{Family: 4, Priority: 100, From: netip.MustParsePrefix("10.9.0.200/32"), Table: 1000},
			{Family: 4, Priority: 101, To: netip.MustParsePrefix("10.77.0.0/16"), In: "va", Mark: 1, Mask: 0xff, Table: 7},
			{Family: 6, Priority: 102, Out: "nix", Table: 1000},
			{Family: 4, Priority: 104, Protocol: 6, SourcePorts: vrrp.Ports{First: 1024, Last: 65534}, DestinationPorts: vrrp.Ports{First: 443, Last: 443}, Table: 7},
			{Family: 4, Priority: 104, Protocol: 17, DestinationPorts: vrrp.Ports{First: 53, Last: 54}, Table: 7},
			{Family: 6, Priority: 105, Table: vrrp.MainTable, Suppress: vrrp.Suppression{On: true}},
			{Family: 4, Priority: 103, From: netip.MustParsePrefix("0.0.0.0/0"), Mark: 0, Mask: 0xff, Table: 4000000000},
		},
	}
	added, missing, err := l.Hold(h)
	if err != nil || len(added.Routes) != len(h.Routes) || len(added.Rules) != len(h.Rules) || len(missing.Routes)+len(missing.Rules) > 0 {
		t.Errorf("added %s, missing %s: %v", added, missing, err)
	}
	want := []string{
		"default via 10.9.0.254 dev va",
		"10.77.0.0/16 via 10.9.0.254 dev va table 1000 src 10.9.0.200 metric 7",
		"10.78.0.0/16 dev va scope link",
		"10.82.0.0/16 via 10.9.0.254 dev va mtu 1400 advmss 1360",
		"10.83.0.0/16 via 10.9.0.254 dev va window 65535 hoplimit 32",
		"2001:db8:4::/48 via fd09::fe dev va metric 1024 window 65535 hoplimit 32 pref medium",
		"2001:db8:3::/48 via fd09::fe dev va metric 1024 mtu 1300 pref medium",
		"104: from all ipproto tcp sport 1024-65534 dport 443 lookup 7 proto 112",
		"104: from all ipproto udp dport 53-54 lookup 7 proto 112",
		"105: from all lookup main suppress_prefixlength 0 proto 112",
		"10.79.0.0/16 via 172.31.0.1 dev va onlink",
		"blackhole 10.80.0.0/16",
		"unreachable 10.81.0.0/16 metric 9",
		"2001:db8:1::/48 via fd09::fe dev va metric 20 pref medium",
		"prohibit 2001:db8:2::/48 dev lo metric 1024 pref medium",
		"default via fd09::fe dev va metric 1024 pref medium",
		"100: from 10.9.0.200 lookup 1000 proto 112",
		"101: from all to 10.77.0.0/16 fwmark 0x1/0xff iif va lookup 7 proto 112",
		"102: from all oif nix [detached] lookup 1000 proto 112",
		"103: from all fwmark 0/0xff lookup 4000000000 proto 112",
	}
	sorted := cmp.Transformer("sorted", func(s []string) map[string]int {
		m := map[string]int{}
		for _, v := range s {
			m[v]++
		}
		return m
	})
	if diff := cmp.Diff(want, ours(t), sorted); diff != "" {
		t.Errorf("as iproute2 shows them (-want +got):\n%s", diff)
	}
	// Once more, and with what somebody removed.
	if added, _, err = l.Hold(h); err != nil || added.String() != "" {
		t.Errorf("added again: %s, %v", added, err)
	}
	ip(t, "route del 10.77.0.0/16 table 1000")
	ip(t, "rule del priority 101")
	ip(t, "-6 route del 2001:db8:1::/48")
	if added, _, err = l.Hold(h); err != nil || len(added.Routes) != 2 || len(added.Rules) != 1 {
		t.Errorf("restored %s: %v", added, err)
	}
	if removed, err := l.Release(h); err != nil || len(removed.Routes) != len(h.Routes) || len(removed.Rules) != len(h.Rules) {
		t.Errorf("removed %s: %v", removed, err)
	}
	if removed, err := l.Release(h); err != nil || removed.String() != "" {
		t.Errorf("removed again %s: %v", removed, err)
	}
}

// Nothing that was there before lvsd is changed or removed.
func TestRoutesOfOthersStay(t *testing.T) {
	l := paths(t)
	ip(t, "route add 10.77.0.0/16 via 10.9.0.254 dev va")
	ip(t, "route add 10.78.0.0/16 via 10.9.0.253 dev va")
	ip(t, "-6 route add 2001:db8:1::/48 via fd09::fd dev va")
	ip(t, "rule add priority 100 from 10.9.0.200 lookup 7")
	t.Cleanup(func() { _ = exec.Command("ip", "rule", "del", "priority", "100").Run() })
	h := vrrp.Holdings{
		Routes: []vrrp.Route{
			route("10.77.0.0/16", via("10.9.0.254", "va")), // the same
			route("10.78.0.0/16", via("10.9.0.254", "va")),
			route("2001:db8:1::/48", via("fd09::fe", "va")),
			route("10.79.0.0/16", via("10.9.0.254", "va")),
		},
		Rules: []vrrp.Rule{{Family: 4, Priority: 100, From: netip.MustParsePrefix("10.9.0.200/32"), Table: 7}},
	}
	before := ip(t, "-4 route") + ip(t, "-6 route") + ip(t, "rule")
	if added, _, err := l.Hold(h); len(added.Routes) != 1 {
		t.Errorf("added %s: %v", added, err)
	}
	wait(t, "it is known what is in the way", func() bool {
		_, missing, err := l.Hold(h)
		return len(missing.Routes) == 2 && strings.Contains(err.Error(), "not lvsd's (via 10.9.0.253") && strings.Contains(err.Error(), "not lvsd's (via fd09::fd")
	})
	if _, err := l.Release(h); err != nil {
		t.Error(err)
	}
	if err := l.Sweep(vrrp.Holdings{}); err != nil {
		t.Error(err)
	}
	if after := ip(t, "-4 route") + ip(t, "-6 route") + ip(t, "rule"); after != before {
		t.Errorf("others' routes and rules are as they were (-want +got):\n%s", cmp.Diff(before, after))
	}
}

// A keeper was killed; the next one has another configuration.
func TestSweepRemovesOnlyWhatIsOursAndNotWanted(t *testing.T) {
	l := paths(t)
	keep := vrrp.Holdings{
		Routes: []vrrp.Route{route("10.77.0.0/16", via("10.9.0.254", "va"))},
		Rules:  []vrrp.Rule{{Family: 6, Priority: 100, Table: 7}},
	}
	old := vrrp.Holdings{
		Routes: []vrrp.Route{
			route("10.77.0.0/16", func(r *vrrp.Route) { via("10.9.0.254", "va")(r); r.Table = 7 }),
			route("10.80.0.0/16", func(r *vrrp.Route) { r.Type = vrrp.Blackhole }),
			route("2001:db8:1::/48", via("fd09::fe", "va")),
			route("::/0", via("fd09::fe", "va")),
		},
		Rules: []vrrp.Rule{{Family: 4, Priority: 100, Table: 7}, {Family: 6, Priority: 101, Mark: 3, Mask: 0xffffffff, Table: 700}},
	}
	for _, h := range []vrrp.Holdings{keep, old} {
		if _, _, err := l.Hold(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Sweep(keep); err != nil {
		t.Error(err)
	}
	want := []string{"10.77.0.0/16 via 10.9.0.254 dev va", "100: from all lookup 7 proto 112"}
	if diff := cmp.Diff(want, ours(t)); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if err := link.SweepAll(); err != nil {
		t.Error(err)
	}
}

// A reload that changes the gateway of a route changes the route.
func TestRouteThatIsChanged(t *testing.T) {
	l := paths(t)
	for _, gateway := range []string{"10.9.0.254", "10.9.0.253"} {
		h := vrrp.Holdings{Routes: []vrrp.Route{route("10.77.0.0/16", via(gateway, "va"))}}
		if _, _, err := l.Hold(h); err != nil {
			t.Error(err)
		}
		if got := fmt.Sprint(ours(t)); got != "[10.77.0.0/16 via "+gateway+" dev va]" {
			t.Errorf("via %s: %s", gateway, got)
		}
	}
	if _, err := l.Release(vrrp.Holdings{Routes: []vrrp.Route{route("10.77.0.0/16", via("10.9.0.254", "va"))}}); err != nil {
		t.Error(err)
	}
	if got := len(ours(t)); got != 1 {
		t.Errorf("the former one was removed after the present one was added, and %d are left", got)
	}
	if err := l.Sweep(vrrp.Holdings{}); err != nil {
		t.Error(err)
	}
}

// "After a reload that gave the route a source, it was gone for ten seconds." What a
// router does not want any more is removed after what it wants is there, and the kernel
// takes what the order to remove does not tell for any.
func TestTheFormerRouteIsNotTakenForThePresentOne(t *testing.T) {
	l := paths(t)
	h := vrrp.Holdings{Addresses: on("va", "10.9.0.200/24")}
	if _, _, err := l.Hold(h); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		change          string
		former, present vrrp.Route
	}{
		{"a source", route("10.77.0.0/16", via("10.9.0.254", "va")), route("10.77.0.0/16", func(r *vrrp.Route) {
			via("10.9.0.254", "va")(r)
			r.Source = netip.MustParseAddr("10.9.0.200")
		})},
		{"onlink", route("10.77.0.0/16", func(r *vrrp.Route) { via("10.9.0.254", "va")(r); r.OnLink = true }), route("10.77.0.0/16", via("10.9.0.254", "va"))},
		{"no interface", route("10.77.0.0/16", via("10.9.0.254", "")), route("10.77.0.0/16", func(r *vrrp.Route) { via("10.9.0.254", "va")(r); r.OnLink = true })},
		{"an interface", route("10.77.0.0/16", via("10.9.0.254", "")), route("10.77.0.0/16", via("10.9.0.254", "va"))},
		{"an MTU", route("10.77.0.0/16", via("10.9.0.254", "va")), route("10.77.0.0/16", func(r *vrrp.Route) { via("10.9.0.254", "va")(r); r.MTU = 1400 })},
		{"a segment size", route("2001:db8:1::/48", via("fd09::fe", "va")), route("2001:db8:1::/48", func(r *vrrp.Route) { via("fd09::fe", "va")(r); r.AdvertisedMSS = 1300 })},
		{"a hop limit", route("10.77.0.0/16", via("10.9.0.254", "va")), route("10.77.0.0/16", func(r *vrrp.Route) { via("10.9.0.254", "va")(r); r.HopLimit = 32 })},
		{"a window", route("10.77.0.0/16", via("10.9.0.254", "va")), route("10.77.0.0/16", func(r *vrrp.Route) { via("10.9.0.254", "va")(r); r.Window = 65535 })},
		{"a gateway", route("2001:db8:1::/48", func(r *vrrp.Route) { r.Interface = "va" }), route("2001:db8:1::/48", via("fd09::fe", "va"))},
		{"a type", route("2001:db8:1::/48", func(r *vrrp.Route) { r.Type = vrrp.Blackhole }), route("2001:db8:1::/48", via("fd09::fe", "va"))},
	} {
		former, present := vrrp.Holdings{Routes: []vrrp.Route{tt.former}}, vrrp.Holdings{Routes: []vrrp.Route{tt.present}}
		for _, h := range []vrrp.Holdings{former, present} {
			if _, _, err := l.Hold(h); err != nil {
				t.Errorf("%s: %v", tt.change, err)
			}
		}
		if removed, err := l.Release(former); err != nil || removed.String() != "" {
			t.Errorf("%s: removed %s, %v", tt.change, removed, err)
		}
		if removed, err := l.Release(present); err != nil || len(removed.Routes) != 1 {
			t.Errorf("%s: the present one was not there any more: %v", tt.change, err)
		}
	}
	if _, err := l.Release(h); err != nil {
		t.Error(err)
	}
}

// "A rule was left on the director that is Backup." The kernel takes what the order to
// remove a rule does not tell for any, and two of one priority may be in either order.
func TestARuleIsNotTakenForAnother(t *testing.T) {
	l := paths(t)
	all := vrrp.Rule{Family: 4, Priority: 100, Table: 7}
	from := vrrp.Rule{Family: 4, Priority: 100, Table: 7, From: netip.MustParsePrefix("10.9.0.200/32")}
	marked := vrrp.Rule{Family: 4, Priority: 100, Table: 7, Mark: 1, Mask: 0xff}
	if _, _, err := l.Hold(vrrp.Holdings{Rules: []vrrp.Rule{marked, all, from}}); err != nil {
		t.Fatal(err)
	}
	if removed, err := l.Release(vrrp.Holdings{Rules: []vrrp.Rule{all}}); err != nil || len(removed.Rules) != 1 {
		t.Errorf("removed %s: %v", removed, err)
	}
	want := []string{"100: from 10.9.0.200 lookup 7 proto 112", "100: from all fwmark 0x1/0xff lookup 7 proto 112"}
	if diff := cmp.Diff(want, ours(t)); diff != "" {
		t.Errorf("those that stay (-want +got):\n%s", diff)
	}
	// And what the kernel takes for one that is there comes before it.
	if added, missing, err := l.Hold(vrrp.Holdings{Rules: []vrrp.Rule{all}}); err != nil || len(added.Rules) != 1 {
		t.Errorf("missing %s: %v", missing, err)
	}
	if removed, err := l.Release(vrrp.Holdings{Rules: []vrrp.Rule{all, from, marked}}); err != nil || len(removed.Rules) != 3 {
		t.Errorf("removed %s: %v", removed, err)
	}
}

func TestRoutesThatCannotBe(t *testing.T) {
	l := paths(t)
	for want, r := range map[string]vrrp.Route{
		"adding route 10.77.0.0/16 via 172.31.0.1: network is unreachable":               route("10.77.0.0/16", via("172.31.0.1", "")),
		"adding route 10.77.0.0/16 via 10.9.0.254 dev nix: interface nix does not exist": route("10.77.0.0/16", via("10.9.0.254", "nix")),
		"adding route 10.77.0.0/16 dev va src 10.9.0.99: invalid argument": route("10.77.0.0/16", func(r *vrrp.Route) {
			r.Interface, r.Source = "va", netip.MustParseAddr("10.9.0.99")
		}),
	} {
		h := vrrp.Holdings{Routes: []vrrp.Route{r}}
		if _, missing, err := l.Hold(h); err == nil || err.Error() != want || len(missing.Routes) != 1 {
			t.Errorf("%v, want %s", err, want)
		}
		if _, err := l.Release(h); err != nil {
			t.Errorf("removing what is not there: %v", err)
		}
	}
}

// What becomes of routes when the processes are gone: those of the main table that have
// the address as their source go with it when its lease ends. The others stay.
func TestRoutesHaveNoLease(t *testing.T) {
	l := paths(t)
	h := vrrp.Holdings{Addresses: on("va", "10.9.0.200/24"), Lease: 2 * time.Second, Routes: []vrrp.Route{
		route("10.77.0.0/16", func(r *vrrp.Route) { via("10.9.0.254", "va")(r); r.Source = netip.MustParseAddr("10.9.0.200") }),
		route("10.78.0.0/16", via("10.9.0.254", "va")),
		route("10.79.0.0/16", func(r *vrrp.Route) {
			via("10.9.0.254", "va")(r)
			r.Source, r.Table = netip.MustParseAddr("10.9.0.200"), 100
		}),
	}}
	if _, _, err := l.Hold(h); err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(10 * time.Second)
	for strings.Contains(ip(t, "addr show dev va"), "10.9.0.200") && time.Now().Before(end) {
		time.Sleep(50 * time.Millisecond)
	}
	if got := fmt.Sprint(ours(t)); got != "[10.79.0.0/16 via 10.9.0.254 dev va table 100 src 10.9.0.200 10.78.0.0/16 via 10.9.0.254 dev va]" {
		t.Errorf("left: %s", got)
	}
	if _, err := l.Release(h); err != nil {
		t.Error(err)
	}
}

// Somebody has put another route in the place of ours ("ip route replace"): the kernel
// refuses ours as it would if it were there.
func TestARouteThatSomebodyReplacedIsMissed(t *testing.T) {
	l := paths(t)
	h := vrrp.Holdings{Routes: []vrrp.Route{route("10.77.0.0/16", via("10.9.0.254", "va"))}}
	for range 2 {
		if _, _, err := l.Hold(h); err != nil {
			t.Fatal(err)
		}
	}
	ip(t, "route replace 10.77.0.0/16 via 10.9.0.253 dev va")
	wait(t, "it is missed", func() bool {
		_, missing, err := l.Hold(h)
		return len(missing.Routes) == 1 && strings.Contains(fmt.Sprint(err), "not lvsd's (via 10.9.0.253, protocol boot)")
	})
	ip(t, "route del 10.77.0.0/16")
	if added, _, err := l.Hold(h); err != nil || len(added.Routes) != 1 {
		t.Errorf("the other one is gone: added %s, %v", added, err)
	}
	if _, err := l.Release(h); err != nil {
		t.Error(err)
	}
}

// What is in the way is found also where no packet would find it: in a table that no rule
// names, behind a longer prefix, as the default route.
func TestWhatIsInTheWayIsFoundAnywhere(t *testing.T) {
	l := paths(t)
	ip(t, "route add 10.77.0.0/16 via 10.9.0.253 dev va")
	ip(t, "route add 10.77.0.0/24 via 10.9.0.252 dev va")
	ip(t, "route add 10.78.0.0/16 via 10.9.0.253 dev va table 1000")
	ip(t, "route add 10.79.0.0/16 via 10.9.0.254 dev va table 1000")
	ip(t, "route add default via 10.9.0.253 dev va")
	ip(t, "-6 route add default via fd09::fd dev va")
	h := vrrp.Holdings{Routes: []vrrp.Route{
		route("10.77.0.0/16", via("10.9.0.254", "va")),
		route("10.78.0.0/16", func(r *vrrp.Route) { via("10.9.0.254", "va")(r); r.Table = 1000 }),
		route("10.79.0.0/16", func(r *vrrp.Route) { via("10.9.0.254", "va")(r); r.Table = 1000 }), // the same
		route("0.0.0.0/0", via("10.9.0.254", "va")),
		route("::/0", via("fd09::fe", "va")),
	}}
	wait(t, "all are found", func() bool {
		_, missing, err := l.Hold(h)
		return len(missing.Routes) == 4 && strings.Count(err.Error(), "not lvsd's (via ") == 4
	})
}

// The kernel refuses a rule where it has one of that priority and table for fewer packets:
// in which order lvsd's own are wanted does not matter.
func TestARuleForMorePacketsComesBeforeThoseForFewer(t *testing.T) {
	l := paths(t)
	to := func(network string) vrrp.Rule {
		return vrrp.Rule{Family: 4, Priority: 100, Table: 7, To: netip.MustParsePrefix(network)}
	}
	rules := []vrrp.Rule{to("10.77.0.0/16"), to("10.78.0.0/16"), {Family: 4, Priority: 100, Table: 7}}
	for n := range rules {
		added, missing, err := l.Hold(vrrp.Holdings{Rules: rules[:n+1]})
		if err != nil || len(added.Rules) != 1 || len(missing.Rules) > 0 {
			t.Errorf("%d rules: added %s, missing %s: %v", n+1, added, missing, err)
		}
	}
	want := []string{"100: from all lookup 7 proto 112", "100: from all to 10.77.0.0/16 lookup 7 proto 112", "100: from all to 10.78.0.0/16 lookup 7 proto 112"}
	if diff := cmp.Diff(want, ours(t)); diff != "" {
		t.Errorf("as iproute2 shows them (-want +got):\n%s", diff)
	}
	if _, err := l.Release(vrrp.Holdings{Rules: rules}); err != nil {
		t.Error(err)
	}
}
