package director

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

var (
	vip  = netip.MustParseAddr("10.13.0.200")
	lvs1 = netip.MustParseAddr("10.13.0.15")
	web1 = netip.MustParseAddr("192.168.1.4")
	web2 = netip.MustParseAddr("192.168.1.5")

	netip6 = netip.MustParseAddr("2001:db8:1::4")
)

// webService is a service on the virtual address with one server at each
// address, of weights 3, 2, 1.
func webService(forward ipvsctl.Forward, addrs ...netip.Addr) config.Service {
	s := config.Service{
		Name:    "web",
		Key:     ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip, Port: 80},
		Service: ipvsctl.Service{Scheduler: "wrr", Netmask: 32},
		Fallback: &config.Fallback{
			Key:         ipvsctl.DestinationKey{Addr: lvs1, Port: 8080},
			Destination: ipvsctl.Destination{Forward: ipvsctl.NAT, Weight: 1},
		},
	}
	for i, a := range addrs {
		s.Servers = append(s.Servers, config.Server{
			Name:        a.String(),
			Key:         ipvsctl.DestinationKey{Addr: a, Port: 80},
			Destination: ipvsctl.Destination{Forward: forward, Weight: uint32(3 - i)},
		})
	}
	return s
}

func TestPlanWeights(t *testing.T) {
	for _, tt := range []struct {
		name   string
		states map[netip.Addr]checker.State
		weight uint32 // the first server's, as configured
		want   map[string]uint32
	}{
		{"both up: their weights, no fallback", map[netip.Addr]checker.State{web1: checker.Up, web2: checker.Up}, 3,
			map[string]uint32{"192.168.1.4:80": 3, "192.168.1.5:80": 2}},
		{"one that fails leaves the table", map[netip.Addr]checker.State{web1: checker.Down, web2: checker.Up}, 3,
			map[string]uint32{"192.168.1.5:80": 2}},
		{"one without a first result is not in it yet", map[netip.Addr]checker.State{web1: checker.Unknown, web2: checker.Up}, 3,
			map[string]uint32{"192.168.1.5:80": 2}},
		{"the fallback is in the table exactly while no other server is", map[netip.Addr]checker.State{web1: checker.Down, web2: checker.Down}, 3,
			map[string]uint32{"10.13.0.15:8080": 1}},
		{"one found at weight 0 stays so, and serves nobody", map[netip.Addr]checker.State{web1: checker.Drained, web2: checker.Down}, 3,
			map[string]uint32{"192.168.1.4:80": 0, "10.13.0.15:8080": 1}},
		{"a weight of 0 is a weight, and serves nobody", map[netip.Addr]checker.State{web1: checker.Up, web2: checker.Down}, 0,
			map[string]uint32{"192.168.1.4:80": 0, "10.13.0.15:8080": 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := webService(ipvsctl.NAT, web1, web2)
			s.Servers[0].Destination.Weight = tt.weight
			table := Plan(start, &config.Config{Services: []config.Service{s}}, World{
				Standing: func(_, server int) Standing { return Standing{State: tt.states[s.Servers[server].Key.Addr]} },
				Master:   func(string) bool { return false },
				Own:      func(netip.Addr) bool { return false },
			}).Table
			got := map[string]uint32{}
			for _, row := range table[s.Key].Destinations {
				got[row.Key.String()] = row.Value.Weight
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("weights in the table (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlanWhereTheDirectorIsAServerItself(t *testing.T) {
	outside := vrrp.Config{Name: "outside", Addresses: []netip.Prefix{netip.PrefixFrom(vip, 24)}}
	for _, tt := range []struct {
		name    string
		forward ipvsctl.Forward
		routers []vrrp.Config
		master  bool
		mark    uint32
		want    bool
	}{
		{"direct routing, Backup: the packet is for us, not for forwarding", ipvsctl.Direct, []vrrp.Config{outside}, false, 0, false},
		{"direct routing, Master", ipvsctl.Direct, []vrrp.Config{outside}, true, 0, true},
		{"tunnel, Backup", ipvsctl.Tunnel, []vrrp.Config{outside}, false, 0, false},
		{"NAT rewrites the address, nothing can bounce", ipvsctl.NAT, []vrrp.Config{outside}, false, 0, true},
		{"no router of ours holds the address", ipvsctl.Direct, nil, false, 0, true},
		{"by firewall mark, Backup of every router", ipvsctl.Direct, []vrrp.Config{outside}, false, 7, false},
		{"by firewall mark, Master of one", ipvsctl.Direct, []vrrp.Config{outside}, true, 7, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := webService(tt.forward, web1, lvs1)
			if tt.mark != 0 {
				s.Key = ipvsctl.ServiceKey{Addr: netip.IPv4Unspecified(), Mark: tt.mark}
			}
			table := Plan(start, &config.Config{Services: []config.Service{s}, Routers: tt.routers}, World{
				Standing: func(int, int) Standing { return Standing{State: checker.Up} },
				Master:   func(name string) bool { return name == "outside" && tt.master },
				Own:      func(a netip.Addr) bool { return a == lvs1 },
			}).Table
			if _, got := table[s.Key]; got != tt.want {
				t.Errorf("service in the table: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestPlanWhereTheFallbackIsTheDirectorItself(t *testing.T) {
	outside := vrrp.Config{Name: "outside", Addresses: []netip.Prefix{netip.PrefixFrom(vip, 24)}}
	for _, tt := range []struct {
		name    string
		forward ipvsctl.Forward
		master  bool
		want    bool
	}{
		{"direct routing, Backup: what the other one sends here would go back to it", ipvsctl.Direct, false, false},
		{"direct routing, Master", ipvsctl.Direct, true, true},
		{"NAT, Backup", ipvsctl.NAT, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := webService(ipvsctl.Direct, web1)
			s.Fallback.Destination.Forward = tt.forward
			table := Plan(start, &config.Config{Services: []config.Service{s}, Routers: []vrrp.Config{outside}}, World{
				Standing: func(int, int) Standing { return Standing{State: checker.Up} },
				Master:   func(string) bool { return tt.master },
				Own:      func(a netip.Addr) bool { return a == lvs1 },
			}).Table
			if _, got := table[s.Key]; got != tt.want {
				t.Errorf("service in the table: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestPlanIsAFunctionOfItsArguments(t *testing.T) {
	c := &config.Config{Services: []config.Service{webService(ipvsctl.NAT, web1, web2)}}
	w := World{
		Standing: func(int, int) Standing { return Standing{State: checker.Up} },
		Master:   func(string) bool { return true },
		Own:      func(netip.Addr) bool { return false },
	}
	comparable := cmp.Options{cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})}
	if diff := cmp.Diff(Plan(start, c, w).Table, Plan(start, c, w).Table, comparable); diff != "" {
		t.Errorf("two plans of the same (-first +second):\n%s", diff)
	}
}

// "What would be at another time?" The plan answers without anything happening.
func TestAPlanTellsWhenItChangesByItself(t *testing.T) {
	c := &config.Config{Services: []config.Service{webService(ipvsctl.NAT, web1)}}
	w := World{
		Standing:     func(int, int) Standing { return Standing{State: checker.Unknown} },
		Master:       func(string) bool { return true },
		Own:          func(netip.Addr) bool { return false },
		AwaitedUntil: start.Add(10 * time.Second),
	}
	before := Plan(start, c, w)
	if before.Verdicts[0].Supply != api.Undecided || !before.Until.Equal(w.AwaitedUntil) {
		t.Errorf("%s until %v, want %s until first results are no longer awaited", before.Verdicts[0].Supply, before.Until, api.Undecided)
	}
	after := Plan(before.Until, c, w)
	if after.Verdicts[0].Supply != api.Unserved || !after.Until.IsZero() {
		t.Errorf("then %s until %v, want %s for ever", after.Verdicts[0].Supply, after.Until, api.Unserved)
	}
}
