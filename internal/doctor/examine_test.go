package doctor

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/realserver"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

var (
	virtual = netip.MustParseAddr("10.13.0.200")
	other   = netip.MustParseAddr("10.13.0.16")
	web     = netip.MustParseAddr("192.168.1.4")
)

// healthy is a director by NAT that is a real server of another service, with which nothing is
// wrong.
func healthy() *Case {
	nat := config.Service{
		Name: "web", Key: ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: virtual, Port: 80}, Service: ipvsctl.Service{Scheduler: "wlc"},
		Servers: []config.Server{{Key: ipvsctl.DestinationKey{Addr: web, Port: 80}}},
	}
	return &Case{
		Director: true, RealServer: true,
		Config: &config.Config{
			Director: config.Director{Sync: config.ConnectionSync{Router: "outside"}},
			Routers:  []vrrp.Config{{Name: "outside", Interface: "eth0", VRID: 51, Addresses: []netip.Prefix{netip.PrefixFrom(virtual, 24)}}},
			Services: []config.Service{nat},
		},
		Facts: &Facts{
			Machine: machine.Facts{
				Forward4: true,
				Settings: map[machine.Setting]string{machine.IPVS("conntrack"): "0", machine.IPVS(pmtu): "1"},
				Interfaces: []machine.Interface{
					{Name: "lo", Quiet: true}, {Name: "eth1"},
					{Name: "eth0", Addresses: []netip.Prefix{netip.PrefixFrom(virtual, 24)}},
				},
			},
			Settings: map[machine.Setting]string{machine.SendRedirects(all): "0", machine.SendRedirects("eth0"): "0"},
			Modules:  map[string]bool{"ip_vs_wlc": true},
			Ways:     map[netip.Addr]Way{web: {Way: machine.Way{Interface: "eth1"}}},
			MTU:      map[string]int{"eth0": 1500, "eth1": 1500},
			Filters:  []Chain{},
			Routers:  map[string]api.Router{"outside": {State: api.Master, Interval: time.Second, MissedAdverts: 3, Peers: []api.Peer{{Address: other, Age: time.Hour}}}},
			Heard:    map[netip.Addr][]string{virtual: nil},
			Answers:  map[netip.Addr]Answers{web: {Own: true, Virtual: true, Outside: true}},
			Buckets:  4096, Tracked: 10, TrackedMax: 100, ClockKept: true,
		},
	}
}

// forwarded is how the one real server is reached.
func (c *Case) forwarded(d ipvsctl.Destination) { c.Config.Services[0].Servers[0].Destination = d }

// Each examination finds what breaks it, and says how to mend it.
func TestEachExaminationFindsWhatItIsFor(t *testing.T) {
	for _, tt := range []struct {
		code, name string
		breaks     func(*Case)
		want       string // of the text
		fix        string // what --fix does
	}{
		{"ipvs", "the module is not loaded", func(c *Case) { c.Machine.Settings = nil }, "no IPVS", "modprobe ip_vs"},
		{"scheduler", "the kernel has no such module", func(c *Case) { c.Modules = map[string]bool{"ip_vs_rr": true} }, `no module ip_vs_wlc`, ""},
		{"forwarding-off", "ip_forward is 0", func(c *Case) { c.Machine.Forward4 = false }, "does not forward", "sysctl -w net.ipv4.ip_forward=1"},
		{"redirects", "clients in the servers' network", func(c *Case) {
			c.Ways[web] = Way{Way: machine.Way{Interface: "eth0"}}
			c.Settings[machine.SendRedirects("eth0")] = "1"
		}, "answer clients directly", "sysctl -w net.ipv4.conf.eth0.send_redirects=0"},
		{"offload", "LRO on a driver that keeps it", func(c *Case) { c.LargeReceive = map[string]string{"eth1": "eth1"} }, "eth1 puts packets together", ""},
		{"offload", "a card of a bond", func(c *Case) { c.LargeReceive = map[string]string{"eth1": "ens1"} }, "ens1, whose packets are those of eth1, puts packets together", ""},
		{"table-size", "a million connections in 4096 buckets", func(c *Case) { c.Connections = 1_000_000 }, "in a table of 4096 buckets", ""},
		{"tracking", "nf_conntrack is nearly full", func(c *Case) { c.Tracked = 90 }, "90 of at most 100", ""},
		{"interface", "a name with a typo", func(c *Case) { c.Config.Routers[0].Interface = "ethO" }, "no such interface", ""},
		{"ways", "no route", func(c *Case) { c.Ways[web] = Way{Failure: "network is unreachable"} }, "network is unreachable", ""},
		{"ways", "direct routing by way of a router", func(c *Case) {
			c.forwarded(ipvsctl.Destination{Forward: ipvsctl.Direct})
			c.Ways[web] = Way{Way: machine.Way{Interface: "eth1", Gateway: netip.MustParseAddr("192.168.1.1")}}
		}, "behind 192.168.1.1", ""},
		{"replies", "no default route", func(c *Case) { c.Answers[web] = Answers{Own: true} }, "the answers of real server 192.168.1.4 to clients outside of their network do not come back", ""},
		{"replies", "a route to the network of the virtual address alone", func(c *Case) { c.Answers[web] = Answers{Own: true, Virtual: true} }, "not where they are for others", ""},
		{"tunnel-mtu", "nobody tells clients of the tunnel's MTU", func(c *Case) {
			c.forwarded(ipvsctl.Destination{Forward: ipvsctl.Tunnel})
			c.Machine.Settings[machine.IPVS(pmtu)] = "0"
		}, "1500 bytes do not fit", "sysctl -w net.ipv4.vs.pmtu_disc=1"},
		{"adverts-filtered", "a policy of drop", func(c *Case) { c.Filters = []Chain{{Name: "inet filter input", Family: "inet", Drops: true}} }, "both become Master", ""},
		{"sync-filtered", "a policy of drop", func(c *Case) { c.Filters = []Chain{{Name: "inet filter input", Family: "inet", Drops: true}} }, "what the Master tells", ""},
		{"snooping", "the other director, which is not heard any more, has the address too", func(c *Case) {
			c.Heard[virtual], c.Heard[other] = []string{"52:54:00:00:00:03", "52:54:00:00:00:16"}, []string{"52:54:00:00:00:16"}
		}, "10.13.0.16 (MAC 52:54:00:00:00:16) has 10.13.0.200 too and can be reached, but no advert of it has been heard for 1h0m0s", ""},
		{"address-elsewhere", "a virtual address on lo of a director that answers for it", func(c *Case) {
			c.Machine.Interfaces[0].Addresses = []netip.Prefix{netip.PrefixFrom(virtual, 32)}
		}, "on interface lo, too", ""},
		{"address-answered", "a real server that answers ARP", func(c *Case) { c.Heard[virtual] = []string{"52:54:00:00:00:04"} }, "52:54:00:00:00:04 answers for it", ""},
		{"address-answered", "two that answer a Backup", func(c *Case) {
			c.Machine.Interfaces[2].Addresses = nil
			c.Heard[virtual] = []string{"52:54:00:00:00:04", "52:54:00:00:00:05"}
		}, "by chance", ""},
		{"router-id", "another cluster's Master", func(c *Case) {
			c.Daemon = []api.Finding{{Code: "adverts-disagree", Severity: api.Warning, Subject: `virtual router "outside" addresses`}}
			c.Routers["outside"] = api.Router{State: api.Backup, Master: other, Senders: map[string]netip.Addr{"addresses": other}}
		}, `10.13.0.16 advertises other addresses than those of virtual router "outside" with the same id, 51, on eth0, and this director is its Backup`, ""},
		{"real-server", "the virtual address is missing on lo", func(c *Case) {
			c.Left = []realserver.Change{{Part: realserver.AddressOn("lo", virtual), To: realserver.Present, Services: []string{"web"}}}
		}, "address 10.13.0.200/32 on lo is not there, and web needs it", "lvsd realserver up"},
		{"daemon", "what the daemon finds", func(c *Case) { c.Daemon = []api.Finding{{Severity: api.Error, Text: "two Masters"}} }, "two Masters", ""},
		{"second-daemon", "keepalived runs, too", func(c *Case) { c.Programs = []Program{{"keepalived", 71}} }, "keepalived runs", ""},
		{"second-daemon", "kube-proxy, in a container", func(c *Case) { c.Traces = []string{"kube-ipvs0"} }, "kube-ipvs0 is there", ""},
		{"realtime", "no real-time scheduling in a container", func(c *Case) { c.Realtime = "operation not permitted" }, "adverts are late", ""},
		{"clock", "no NTP client", func(c *Case) { c.ClockKept = false }, "nothing keeps", ""},
	} {
		t.Run(tt.code+"/"+tt.name, func(t *testing.T) {
			i := slices.IndexFunc(Examinations, func(e Examination) bool { return e.Code == tt.code })
			c := healthy()
			if tt.code == "tunnel-mtu" {
				c.forwarded(ipvsctl.Destination{Forward: ipvsctl.Tunnel})
			} else if r := Examinations[i].Look(c); r.Judgement == api.Wrong {
				t.Errorf("before: %q", r.Wrongs[0].Text)
			}
			tt.breaks(c)
			r := Examinations[i].Look(c)
			if r.Judgement != api.Wrong || !strings.Contains(r.Wrongs[0].Text, tt.want) {
				t.Fatalf("%s %q %+v, want %q", r.Judgement, r.Why, r.Wrongs, tt.want)
			}
			var fixes []string
			for _, f := range r.Fixes() {
				fixes = append(fixes, f.String())
			}
			if got := strings.Join(fixes, ", "); got != tt.fix {
				t.Errorf("--fix does %q, want %q", got, tt.fix)
			}
			if tt.fix == "" && r.Wrongs[0].Remedy == "" && tt.code != "daemon" {
				t.Error("nothing says what to do")
			}
		})
	}
}

// Nothing is wrong with a healthy machine, and each examination has a test that breaks it.
func TestNothingIsWrongWithAHealthyMachine(t *testing.T) {
	c := healthy()
	for i := range Examinations {
		e := &Examinations[i]
		if r := e.Look(c); r.Judgement == api.Wrong || r.Judgement == api.NotKnown {
			t.Errorf("%s: %s: %s %+v", e.Code, r.Judgement, r.Why, r.Wrongs)
		}
	}
}

// What cannot be told is not called wrong.
func TestWhatCannotBeToldIsNotWrong(t *testing.T) {
	c := healthy()
	c.Modules, c.Filters, c.Unfiltered, c.Heard, c.Buckets, c.Routers = nil, nil, "nft is not there", nil, 0, nil
	c.Answers = nil
	c.Silent, c.Unread, c.Incapable = "no daemon", "it cannot be read", "it lacks CAP_NET_RAW"
	for _, code := range strings.Fields("scheduler replies adverts-filtered sync-filtered snooping router-id address-answered table-size daemon real-server capabilities") {
		i := slices.IndexFunc(Examinations, func(e Examination) bool { return e.Code == code })
		if r := Examinations[i].Look(c); r.Judgement != api.NotKnown || r.Why == "" {
			t.Errorf("%s: %s %q", code, r.Judgement, r.Why)
		}
	}
}

// A machine that is no director is not examined as one.
func TestARealServerIsNoDirector(t *testing.T) {
	c := healthy()
	c.Director, c.Machine.Forward4 = false, false
	for i := range Examinations {
		e := &Examinations[i]
		if r := e.Look(c); !e.realServer && r.Judgement != api.NotHere {
			t.Errorf("%s: %s", e.Code, r.Judgement)
		}
	}
	c.RealServer = false
	for i := range Examinations {
		if r := Examinations[i].Look(c); r.Judgement != api.NotHere {
			t.Errorf("%s: %s", Examinations[i].Code, r.Judgement)
		}
	}
}

// A director that is a real server too has its virtual address on lo, and answers no ARP for it.
func TestADirectorThatIsARealServerHasTheAddressOnLo(t *testing.T) {
	c := healthy()
	c.Machine.Interfaces[0].Addresses = []netip.Prefix{netip.PrefixFrom(virtual, 32)}
	c.Machine.Interfaces[2].ARPIgnore = 1
	if r := lookTwice(c); r.Judgement != api.Fine {
		t.Errorf("%+v", r.Wrongs)
	}
}

// What the daemon finds by facts that are examined here is not told twice, and not after it was
// mended.
func TestWhatIsExaminedIsNotToldOfTheDaemonToo(t *testing.T) {
	c := healthy()
	c.Daemon = []api.Finding{
		{Code: forwardingOff, Severity: api.Error, Text: "does not forward"}, {Code: "drains", Severity: api.Info},
		{Code: "adverts-disagree", Severity: api.Warning, Subject: `virtual router "outside" addresses`},
	}
	if r := lookDaemon(c); r.Judgement != api.Fine {
		t.Errorf("%+v", r.Wrongs)
	}
}

// Two Masters are told of only where the second one is a director: a real server that answers
// for the address, a Backup that can be reached, and a Master that is heard are none.
func TestOnlyADirectorThatIsNotHeardIsSnoopedAway(t *testing.T) {
	const theirs = "52:54:00:00:00:16"
	for _, tt := range []struct {
		name    string
		changes func(*Case)
		want    api.Judgement
	}{
		{"a real server answers", func(c *Case) { c.Heard[virtual] = []string{"52:54:00:00:00:04"} }, api.Fine},
		{"nobody was ever heard, and somebody answers", func(c *Case) {
			c.Routers["outside"] = api.Router{State: api.Master}
			c.Heard[virtual] = []string{theirs}
		}, api.NotKnown},
		{"a Backup can be reached", func(c *Case) { c.Heard[other] = []string{theirs} }, api.Fine},
		{"it was heard just now", func(c *Case) {
			c.Heard[virtual], c.Heard[other] = []string{theirs}, []string{theirs}
			c.Routers["outside"].Peers[0].Age = time.Second
		}, api.Fine},
		{"its adverts come, and are refused", func(c *Case) {
			c.Heard[virtual], c.Heard[other] = []string{theirs}, []string{theirs}
			c.Routers["outside"].Peers[0].Refused = "hmac_wrong"
		}, api.Fine},
		{"a Backup hears its Master", func(c *Case) { c.Routers["outside"] = api.Router{State: api.Backup} }, api.Fine},
		{"an interface is down", func(c *Case) { c.Routers["outside"] = api.Router{State: api.Initialize} }, api.NotKnown},
		{"a Master by IPv6", func(c *Case) {
			c.Config.Routers[0].Addresses = []netip.Prefix{netip.MustParsePrefix("fe80::1/64")}
		}, api.NotKnown},
		{"adverts by unicast", func(c *Case) { c.Config.Routers[0].Peers = []netip.Addr{other} }, api.NotNeeded},
	} {
		c := healthy()
		tt.changes(c)
		if r := lookSnooping(c); r.Judgement != tt.want {
			t.Errorf("%s: %s %q %+v, want %s", tt.name, r.Judgement, r.Why, r.Wrongs, tt.want)
		}
	}
}
