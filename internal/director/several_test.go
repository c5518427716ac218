package director

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// twoPorts is the service at 80 and 443, and at 80 of another address.
func twoPorts(forward ipvsctl.Forward, addrs ...netip.Addr) config.Service {
	s := webService(forward, addrs...)
	s.More = []ipvsctl.ServiceKey{{Protocol: ipvsctl.TCP, Addr: vip, Port: 443}, {Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr("10.14.0.200"), Port: 80}}
	return s
}

// linesOf are the rows of a table, as "service > server weight".
func linesOf(t ipvsctl.Table) (all []string) {
	for _, key := range t.Keys() {
		if len(t[key].Destinations) == 0 {
			all = append(all, key.String()+" > nobody")
		}
		for _, row := range t[key].Destinations {
			all = append(all, fmt.Sprintf("%v > %v %d", key, row.Key, row.Value.Weight))
		}
	}
	return all
}

func TestAServiceThatIsSeveralOfTheKernels(t *testing.T) {
	both := func(string) bool { return true }
	for _, tt := range []struct {
		name   string
		change func(*config.Service)
		states map[netip.Addr]checker.State
		master func(string) bool
		want   []string
	}{
		{"each has the servers, at its own port", func(*config.Service) {}, map[netip.Addr]checker.State{web1: checker.Up, web2: checker.Down}, both, []string{
			"tcp 10.13.0.200:80 > 192.168.1.4:80 3", "tcp 10.13.0.200:443 > 192.168.1.4:443 3", "tcp 10.14.0.200:80 > 192.168.1.4:80 3"}},
		{"a server with a port of its own has it at all", func(s *config.Service) { s.Servers[0].Key.Port, s.Servers[0].OwnPort = 8080, true }, map[netip.Addr]checker.State{web1: checker.Up}, both, []string{
			"tcp 10.13.0.200:80 > 192.168.1.4:8080 3", "tcp 10.13.0.200:443 > 192.168.1.4:8080 3", "tcp 10.14.0.200:80 > 192.168.1.4:8080 3"}},
		{"also where that is the first one's", func(s *config.Service) { s.Servers[0].OwnPort = true }, map[netip.Addr]checker.State{web1: checker.Up}, both, []string{
			"tcp 10.13.0.200:80 > 192.168.1.4:80 3", "tcp 10.13.0.200:443 > 192.168.1.4:80 3", "tcp 10.14.0.200:80 > 192.168.1.4:80 3"}},
		{"the fallback serves at all, too", func(s *config.Service) { s.Fallback.OwnPort = true }, nil, both, []string{
			"tcp 10.13.0.200:80 > 10.13.0.15:8080 1", "tcp 10.13.0.200:443 > 10.13.0.15:8080 1", "tcp 10.14.0.200:80 > 10.13.0.15:8080 1"}},
		{"what this director forwards to itself it forwards where it is Master", func(s *config.Service) {
			s.Servers[0].Key.Addr, s.Servers[0].Destination.Forward = lvs1, ipvsctl.Direct
		}, map[netip.Addr]checker.State{lvs1: checker.Up}, func(router string) bool { return router == "inside" }, []string{"tcp 10.14.0.200:80 > 10.13.0.15:80 3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := twoPorts(ipvsctl.NAT, web1, web2)
			tt.change(&s)
			p := Plan(start, &config.Config{Services: []config.Service{s}, Routers: []vrrp.Config{
				{Name: "outside", Addresses: []netip.Prefix{netip.PrefixFrom(vip, 24)}},
				{Name: "inside", Addresses: []netip.Prefix{netip.MustParsePrefix("10.14.0.200/24")}},
			}}, World{
				Standing: func(_, server int) Standing { return Standing{State: tt.states[s.Servers[server].Key.Addr]} },
				Master:   tt.master, Own: func(a netip.Addr) bool { return a == lvs1 },
			})
			if diff := cmp.Diff(tt.want, linesOf(p.Table)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCountersOfSeveralAreOne(t *testing.T) {
	s := twoPorts(ipvsctl.NAT, web1)
	counted := Counted{}
	for i, key := range s.Keys() {
		var rows ipvsctl.Rows[ipvsctl.Counters]
		n := uint64(i + 1)
		rows.Set(ipvsctl.DestinationKey{}, ipvsctl.Counters{Connections: 100 * n})
		rows.Set(ipvsctl.DestinationKey{Addr: web1, Port: key.Port}, ipvsctl.Counters{Connections: 10 * n, Active: uint32(n)})
		counted[key] = rows
	}
	before := len(counted[s.Key])
	all := counted.together([]config.Service{s, webService(ipvsctl.NAT)})
	total, _ := all[s.Key].Get(ipvsctl.DestinationKey{})
	server, _ := all[s.Key].Get(ipvsctl.DestinationKey{Addr: web1, Port: 80})
	if total.Connections != 600 || server.Connections != 60 || server.Active != 6 {
		t.Errorf("service %+v, server %+v", total, server)
	}
	if one, _ := counted[s.Key].Get(ipvsctl.DestinationKey{}); one.Connections != 100 || len(counted[s.Key]) != before {
		t.Error("what was counted for the first one was changed in its place")
	}
	if got := packetsTogether([]config.Service{s}, map[ipvsctl.ServiceKey]uint64{s.Key: 1, s.More[0]: 2, s.More[1]: 4})[s.Key]; got != 7 {
		t.Errorf("%d packets, want 7", got)
	}
}

// marked is a service whose packets lvsd marks, at 80 and 443.
func marked(source ipvsctl.SourceNAT) config.Service {
	s := webService(ipvsctl.NAT, web1)
	packets := ipvsctl.Select([]ipvsctl.AddressRange{{First: vip, Last: vip}}, []ipvsctl.Protocol{ipvsctl.TCP}, []ipvsctl.PortRange{{First: 80, Last: 80}, {First: 443, Last: 443}})
	s.Packets, s.Mark, s.SourceNAT = &packets, 0x6c770001, source
	s.Key = ipvsctl.ServiceKey{Mark: s.Mark, Addr: netip.IPv4Unspecified()}
	return s
}

func TestWhatIsForwardedToOneselfByAMark(t *testing.T) {
	s := marked(ipvsctl.SourceNAT{})
	for _, tt := range []struct {
		name   string
		prefix string
		master bool
		want   bool
	}{
		{"its Master may", "10.13.0.200/24", true, true},
		{"its Backup may not", "10.13.0.200/24", false, false},
		{"where no virtual router has its address, anybody may", "10.13.0.201/24", false, true},
	} {
		routers := []vrrp.Config{{Name: "outside", Addresses: []netip.Prefix{netip.MustParsePrefix(tt.prefix)}}}
		if got := mayForward(&s, routers, config.Holders(routers), func(string) bool { return tt.master }); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// The rules follow from the configuration, and conntrack from what they are.
func TestRulesFollowFromTheConfiguration(t *testing.T) {
	c := clusterOf(marked(ipvsctl.SourceNAT{Masquerade: true}))
	core, effects := Begin(start, "/etc/lvsd", Loaded{Config: c, Found: ipvsctl.Table{}}, machine.Facts{Settings: map[machine.Setting]string{machine.IPVS("conntrack"): "0"}})
	i := slices.IndexFunc(effects, func(e Effect) bool { _, is := e.(SetRules); return is })
	if i < 0 || len(effects[i].(SetRules)) != 1 || effects[i].(SetRules)[0].String() != "ip daddr 10.13.0.200 tcp dport { 80, 443 } meta mark set 0x6c770001 masquerade" {
		t.Fatalf("effects %+v", effects)
	}
	table := slices.IndexFunc(effects, func(e Effect) bool { _, is := e.(SetTable); return is })
	if table < i {
		t.Error("the table comes before the rules: clients are refused meanwhile")
	}
	tuned := false
	for _, e := range effects {
		tune, is := e.(Tune)
		tuned = tuned || is && tune.Values[machine.IPVS("conntrack")] == "1"
	}
	if !tuned {
		t.Error("conntrack is not set")
	}

	r := core.rehearse(start, Loaded{Config: clusterOf(checked(tcpTarget))})
	var spoken []string
	for _, d := range r.differences {
		if d.Kind == "packet_rule" {
			spoken = append(spoken, fmt.Sprint(d.Action, " ", d.Name, " in ", d.In))
		}
	}
	if want := []string{"remove ip daddr 10.13.0.200 tcp dport { 80, 443 } meta mark set 0x6c770001 masquerade in virtual_service web"}; !slices.Equal(spoken, want) {
		t.Errorf("the plan says %q, want %q", spoken, want)
	}
}

func TestRulesThatAreRefusedAreAFinding(t *testing.T) {
	core, _ := Begin(start, "/etc/lvsd", Loaded{Config: clusterOf(marked(ipvsctl.SourceNAT{})), Found: ipvsctl.Table{}}, machine.Facts{})
	s := core.Status(start.Add(time.Second), Edges{Rules: ipvsctl.RulesStats{Wanted: 1, Failures: 3, LastError: "setting the table: no such file"}})
	i := slices.IndexFunc(s.Findings, func(f api.Finding) bool { return f.Code == "rules-missing" })
	if i < 0 || s.Findings[i].Severity != api.Error || !strings.Contains(s.Findings[i].Text, "packets of web are not marked") || s.Rules == nil || s.Rules.Failures != 3 {
		t.Errorf("findings %+v, rules %+v", s.Findings, s.Rules)
	}
	if v := s.Services[0]; v.Address != "tcp 10.13.0.200:80,443" || v.Packets != v.Address || v.Mark != 0x6c770001 {
		t.Errorf("service %+v", v)
	}
}

// IPVS without marks would refuse the clients of a service that is known by one.
func TestADirectorIsReadyWhenPacketsAreMarked(t *testing.T) {
	c := clusterOf(marked(ipvsctl.SourceNAT{}))
	core, _ := Begin(start, "/etc/lvsd", Loaded{Config: c, Found: ipvsctl.Table{}}, machine.Facts{})
	ready := func(at time.Duration, seen TableSeen) bool {
		return slices.Contains(core.Handle(start.Add(at), seen), Effect(Notify("READY")))
	}
	if ready(time.Second, TableSeen{Converged: true, Unruled: true}) {
		t.Error("ready before the packets are marked")
	}
	if !ready(2*time.Second, TableSeen{Converged: true}) {
		t.Error("not ready although they are")
	}
	core, _ = Begin(start, "/etc/lvsd", Loaded{Config: c, Found: ipvsctl.Table{}}, machine.Facts{})
	if !ready(c.Director.StartDelay, TableSeen{Converged: true, Unruled: true}) {
		t.Error("not ready when the start delay is over")
	}
}

// A service that becomes one by a mark is served by its address until its packets have that.
func TestTheTableOfAReloadWaitsForItsMarks(t *testing.T) {
	for _, refused := range []bool{false, true} {
		plain := webService(ipvsctl.NAT, web1)
		core, _ := Begin(start, "/etc/lvsd", Loaded{Config: clusterOf(plain), Found: ipvsctl.Table{}}, machine.Facts{})
		core.Handle(start, TableSeen{Converged: true})
		after := clusterOf(marked(ipvsctl.SourceNAT{}))
		after.Digest = "second"
		at := start.Add(time.Minute)
		for at.After(core.Deadline()) {
			core.Expire(core.Deadline())
		}
		core.Handle(at, Reload{})
		sets := func(effects []Effect) (rules, table bool) {
			for _, e := range effects {
				_, isRules := e.(SetRules)
				_, isTable := e.(SetTable)
				rules, table = rules || isRules, table || isTable
			}
			return rules, table
		}
		if rules, table := sets(core.Handle(at, ReadingEnded{core.reload.number, Loaded{Config: after}})); !rules || table {
			t.Errorf("at the reload: rules %v, table %v; want the rules alone", rules, table)
		}
		if _, table := sets(core.Handle(at, TableSeen{Converged: true, Unruled: true})); table || core.converged() {
			t.Error("the table is set, or counts as set, before the rules are tried")
		}
		if refused {
			at = at.Add(rulesPatience)
			if _, table := sets(core.Expire(at)); !table {
				t.Error("the table waits for ever")
			}
		} else if _, table := sets(core.Handle(at, TableSeen{Converged: true})); !table {
			t.Error("the table is not set when the rules are")
		}
	}
}

// Connections of which the source is translated go on with a table that is kept.
func TestConntrackIsKeptWithTheTable(t *testing.T) {
	conntrack := machine.IPVS("conntrack")
	for _, keep := range []bool{true, false} {
		c := clusterOf(marked(ipvsctl.SourceNAT{Masquerade: true}))
		c.Director.KeepTable = keep
		core, _ := Begin(start, "/etc/lvsd", Loaded{Config: c, Found: ipvsctl.Table{}, tuned: map[machine.Setting]string{conntrack: "0", machine.IPVS("sloppy_tcp"): "0"}},
			machine.Facts{Settings: map[machine.Setting]string{conntrack: "1", machine.IPVS("sloppy_tcp"): "0"}})
		core.tuning = nil
		restore, kept := core.restored()
		if _, gives := restore[conntrack]; gives == keep || (kept[conntrack] == "0") != keep {
			t.Errorf("keep_table = %v: restored %v, kept %v", keep, restore, kept)
		}
		if restore[machine.IPVS("sloppy_tcp")] != "0" {
			t.Errorf("keep_table = %v: restored %v", keep, restore)
		}
	}
}
