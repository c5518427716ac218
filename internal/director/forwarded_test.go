package director

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// forwardedService is a service by direct routing whose servers are asked at the virtual
// address.
func forwardedService(addrs ...netip.Addr) config.Service {
	s := webService(ipvsctl.Direct, addrs...)
	s.Fallback = nil
	for i := range s.Servers {
		by := checker.Via{Forwarded: checker.Forwarding{Virtual: vip, Method: checker.Direct}}
		s.Servers[i].Checks = []config.Check{{Target: checker.Target{Addr: addrs[i], Port: 80, Spec: checker.SpecOf(checker.TCP{Connected: true}).By(by)}, Rise: 1, Fall: 1, Forwarded: true}}
	}
	return s
}

// private are the marks of a table's services that are not the user's, and how many of
// them lead to each server.
func private(t ipvsctl.Table) map[string]int {
	servers := map[string]int{}
	for key, s := range t {
		if ipvsctl.Private(key.Mark) {
			servers[s.Destinations[0].Key.Addr.String()]++
		}
	}
	return servers
}

func TestPrivateServicesAreInTheTable(t *testing.T) {
	outside := vrrp.Config{Name: "outside", Addresses: []netip.Prefix{netip.PrefixFrom(vip, 24)}}
	other := forwardedService(web1)
	other.Key.Port = 443
	plain := webService(ipvsctl.Direct, web1)
	for _, tt := range []struct {
		name     string
		services []config.Service
		state    checker.State
		own      netip.Addr
		want     map[string]int
	}{
		{"for each server", []config.Service{forwardedService(web1, web2)}, checker.Up, netip.Addr{}, map[string]int{"192.168.1.4": 1, "192.168.1.5": 1}},
		{"for those that are down, too", []config.Service{forwardedService(web1, web2)}, checker.Down, netip.Addr{}, map[string]int{"192.168.1.4": 1, "192.168.1.5": 1}},
		{"one for several services", []config.Service{forwardedService(web1), other}, checker.Unknown, netip.Addr{}, map[string]int{"192.168.1.4": 1}},
		{"while the service is withheld", []config.Service{forwardedService(web1, lvs1)}, checker.Up, lvs1, map[string]int{"192.168.1.4": 1, "10.13.0.15": 1}},
		{"not where servers are asked at their own addresses", []config.Service{plain}, checker.Up, netip.Addr{}, map[string]int{}},
	} {
		got := Plan(start, &config.Config{Services: tt.services, Routers: []vrrp.Config{outside}}, World{
			Standing: func(int, int) Standing { return Standing{State: tt.state} },
			Master:   func(string) bool { return false },
			Own:      func(a netip.Addr) bool { return a == tt.own },
			Private:  privateServices(tt.services),
		}).Table
		if diff := cmp.Diff(tt.want, private(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// Until the kernel has its private service, a check is not run; it is as soon as that is
// there, not at its next turn.
func TestChecksThatWaitForTheirPrivateServices(t *testing.T) {
	s := tellOf(t, &config.Config{Services: []config.Service{checked()}})
	s.handle(TableSeen{Converged: true})
	s.lines = nil
	c := &config.Config{Services: []config.Service{forwardedService(web1)}}
	s.handle(Reload{})
	s.handle(ReadingEnded{Number: 1, Loaded: Loaded{Config: c}})
	if got := private(s.core.planned.Table); len(got) != 1 {
		t.Errorf("private services %v", got)
	}
	s.lines = nil
	s.handle(TableSeen{})
	s.want("it is being written")
	s.handle(TableSeen{Converged: true})
	if len(s.lines) == 0 || s.lines[0] != "ask again who could not be asked" {
		t.Errorf("the kernel has it: %q", s.lines)
	}
	s.lines = nil
	s.handle(TableSeen{Converged: true})
	s.want("and again")
}

// conf is a look at a machine that reaches the server by eth1, with these parameters.
func conf(acceptLocal, rpFilter, rpFilterOfAll string) MachineSeen {
	return MachineSeen{Facts: machine.Facts{
		Forward4: true,
		Outgoing: map[netip.Addr]string{web1: "eth1"},
		Settings: map[machine.Setting]string{
			"net.ipv4.conf.eth1.accept_local": acceptLocal, "net.ipv4.conf.eth1.rp_filter": rpFilter,
			"net.ipv4.conf.all.accept_local": "0", "net.ipv4.conf.all.rp_filter": rpFilterOfAll,
		},
	}}
}

func TestWhatAMasterHearsOfForwardedChecks(t *testing.T) {
	inside := vrrp.Config{Name: "inside", Interface: "eth1", Addresses: []netip.Prefix{netip.PrefixFrom(vip, 24)}}
	masked := inside
	masked.VirtualMAC.Device = "vrrp.51"
	six := forwardedService(web1)
	six.Key.Addr = netip.MustParseAddr("2001:db8::200")
	for _, tt := range []struct {
		name    string
		service config.Service
		routers []vrrp.Config
		look    MachineSeen
		want    []string
	}{
		{"one interface, no filter", forwardedService(web1), []vrrp.Config{inside}, conf("0", "0", "0"), []string{"set net.ipv4.conf.eth1.accept_local=1"}},
		{"one interface, a strict filter, which lets it in", forwardedService(web1), []vrrp.Config{inside}, conf("0", "1", "0"), []string{"set net.ipv4.conf.eth1.accept_local=1"}},
		{"two interfaces, a strict filter", forwardedService(web1), nil, conf("0", "1", "0"), []string{"set net.ipv4.conf.eth1.accept_local=1", "set net.ipv4.conf.eth1.rp_filter=2"}},
		{"a virtual MAC is another interface", forwardedService(web1), []vrrp.Config{masked}, conf("1", "0", "1"), []string{"set net.ipv4.conf.eth1.rp_filter=2"}},
		{"a strict filter for all", forwardedService(web1), nil, conf("1", "0", "1"), []string{"set net.ipv4.conf.eth1.rp_filter=2"}},
		{"a loose filter", forwardedService(web1), nil, conf("1", "2", "1"), nil},
		{"IPv6 has none of these", six, nil, conf("0", "1", "1"), nil},
		{"nobody is asked so", webService(ipvsctl.Direct, web1), nil, conf("0", "1", "1"), nil},
	} {
		s := tellOf(t, &config.Config{Services: []config.Service{tt.service}, Routers: tt.routers})
		s.lines = nil
		s.handle(tt.look)
		var got []string
		for _, line := range s.lines {
			if line[:4] == "set " {
				got = append(got, line)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestParametersOfInterfacesGetTheirValuesBack(t *testing.T) {
	with := &config.Config{Services: []config.Service{forwardedService(web1)}}
	s := tellOf(t, with)
	s.handle(conf("0", "2", "0"))
	s.lines = nil
	s.adjusted(nil)
	s.want("who could not be heard is asked again", "info setting-changed net.ipv4.conf.eth1.accept_local", "ask again who could not be asked")
	s.handle(conf("1", "2", "0"))
	s.want("it stays")

	s.core.configure(s.now, Loaded{Config: &config.Config{Services: []config.Service{checked()}}})
	s.write(s.core.act(s.now))
	s.lines = nil
	s.handle(conf("1", "2", "0"))
	s.want("nobody is asked so any more", "set net.ipv4.conf.eth1.accept_local=0")
	s.adjusted(nil)
	s.lines = nil
	s.handle(conf("0", "2", "0"))
	s.want("that was all", "keep what 0 parameters were")
	s.adjusted(nil)
	s.lines = nil
	s.handle(conf("0", "2", "0"))
	s.want("it is known that nothing is left to be given back")

	s = tellOf(t, with)
	s.handle(conf("0", "2", "0"))
	s.adjusted(nil)
	for _, e := range s.core.Handle(s.now, Stop{}) {
		if h, ok := e.(HandOver); ok {
			if diff := cmp.Diff(map[machine.Setting]string{machine.AcceptLocal("eth1"): "0"}, h.Restore); diff != "" {
				t.Errorf("at the end (-want +got):\n%s", diff)
			}
			return
		}
	}
	t.Error("it does not hand over")
}

func TestParametersOfInterfacesThatCannotBeSet(t *testing.T) {
	s := tellOf(t, &config.Config{Services: []config.Service{forwardedService(web1)}})
	s.handle(conf("0", "2", "0"))
	s.log.Reset()
	s.adjusted(errors.New("read-only file system"))
	s.wantLog("it was refused", `level=WARN msg="the kernel's parameter net.ipv4.conf.eth1.accept_local is 0 and cannot be set to 1: read-only file system; `+
		`checks by the forwarding path (forwarded) are not run while this director has the virtual address" event=setting-refused `+
		`remedy="set net.ipv4.conf.eth1.accept_local=1 by other means (sysctl -w, on the host if this is a container), or let lvsd write below /proc/sys"`)
	if len(s.core.tuned) != 0 {
		t.Errorf("it would give back %v", s.core.tuned)
	}
}

func TestWhereAVirtualAddressIs(t *testing.T) {
	prefix := netip.PrefixFrom(vip, 24)
	other := netip.MustParsePrefix("10.13.0.201/24")
	on := func(name string, p netip.Prefix) machine.Facts {
		return machine.Facts{Interfaces: []machine.Interface{{Name: name, Addresses: []netip.Prefix{p}}}}
	}
	for _, tt := range []struct {
		name   string
		router vrrp.Config
		facts  machine.Facts
		want   bool
	}{
		{"the router's own", vrrp.Config{Interface: "eth0", Addresses: []netip.Prefix{prefix}}, machine.Facts{}, true},
		{"of a router elsewhere", vrrp.Config{Interface: "eth1", Addresses: []netip.Prefix{prefix}}, machine.Facts{}, false},
		{"an extra one there", vrrp.Config{Interface: "eth1", Extra: []vrrp.InterfaceAddress{{Interface: "eth0", Prefix: prefix}}}, machine.Facts{}, true},
		{"an extra one elsewhere", vrrp.Config{Interface: "eth1", Extra: []vrrp.InterfaceAddress{{Interface: "eth2", Prefix: prefix}}}, machine.Facts{}, false},
		{"another extra one", vrrp.Config{Interface: "eth1", Extra: []vrrp.InterfaceAddress{{Interface: "eth0", Prefix: other}}}, machine.Facts{}, false},
		{"the machine's", vrrp.Config{}, on("eth0", prefix), true},
		{"the machine's, elsewhere", vrrp.Config{}, on("eth1", prefix), false},
		{"another one of the machine's", vrrp.Config{}, on("eth0", other), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := onInterface([]vrrp.Config{tt.router}, tt.facts, vip, "eth0"); got != tt.want {
				t.Errorf("it is on eth0: %v", got)
			}
		})
	}
}
