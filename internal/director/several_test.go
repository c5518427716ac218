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

// readsAnother is a director that runs one configuration and reads another one, and what it wants
// of the kernel at once: "rules", and "table" with the services and the weights there.
func readsAnother(before, after config.Service) (core *Core, at time.Time, told func([]Effect) string, effects []Effect) {
	before.Servers[0].InitialUp, after.Servers[0].InitialUp = true, len(after.Servers[0].Checks) == 0
	core, _ = Begin(start, "/etc/lvsd", Loaded{Config: clusterOf(before), Found: ipvsctl.Table{}}, machine.Facts{})
	core.Handle(start, TableSeen{Converged: true})
	c := clusterOf(after)
	c.Digest = "second"
	for at = start.Add(time.Minute); at.After(core.Deadline()); {
		core.Expire(core.Deadline())
	}
	core.Handle(at, Reload{})
	told = func(effects []Effect) string {
		var all []string
		for _, e := range effects {
			switch e := e.(type) {
			case SetRules:
				all = append(all, fmt.Sprintf("%d rules", len(e)))
			case SetTable:
				all = append(all, "table "+strings.Join(linesOf(e.Table), ", "))
			}
		}
		return strings.Join(all, "; ")
	}
	return core, at, told, core.Handle(at, ReadingEnded{core.reload.number, Loaded{Config: c}})
}

const (
	plainRow  = "tcp 10.13.0.200:80 > 192.168.1.4:80 3"
	markedRow = "mark 1819738113 (ipv4) > 192.168.1.4:80 3"
)

// First the services of both, then the marks, then what is no longer wanted goes.
func TestAtAChangeOfMarksEachPacketHasAService(t *testing.T) {
	plain := func() config.Service { return webService(ipvsctl.NAT, web1) }
	byMark := func() config.Service { return marked(ipvsctl.SourceNAT{}) }
	for _, tt := range []struct {
		name          string
		before, after config.Service
		rules         string
		row           string
	}{
		{"a service becomes one by a mark", plain(), byMark(), "1 rules", markedRow},
		{"a service is one by a mark no more", byMark(), plain(), "0 rules", plainRow},
	} {
		for _, kernel := range []string{"does it", "takes too long"} {
			t.Run(tt.name+", and the kernel "+kernel, func(t *testing.T) {
				core, at, told, effects := readsAnother(tt.before, tt.after)
				both := "table " + plainRow + ", " + markedRow
				wants := func(when string, effects []Effect, want string) {
					t.Helper()
					if got := told(effects); got != want {
						t.Errorf("%s: the core wants %q, want %q", when, got, want)
					}
				}
				wants("at the reload", effects, both)
				wants("while the table is written", core.Handle(at, TableSeen{}), "")
				if core.converged() {
					t.Error("it counts as done at once")
				}
				if kernel == "does it" {
					wants("when it is", core.Handle(at, TableSeen{Converged: true}), tt.rules)
				} else {
					at = at.Add(tablePatience)
					wants("when it should be", core.Expire(at), tt.rules)
				}
				wants("while packets are not marked yet", core.Handle(at, TableSeen{Converged: true, Unruled: true}), "")
				if core.converged() {
					t.Error("it counts as done without marks")
				}
				if kernel == "does it" {
					wants("when they are", core.Handle(at, TableSeen{Converged: true}), "")
					if core.converged() {
						t.Error("it counts as done while there may be packets that passed before")
					}
					at = at.Add(packetPatience)
					wants("when those are gone", core.Expire(at), "table "+tt.row)
				} else {
					at = at.Add(rulesPatience)
					wants("when they should be", core.Expire(at), "table "+tt.row)
				}
				core.Handle(at, TableSeen{Converged: true})
				if !core.converged() {
					t.Error("it does not count as done at the end")
				}
			})
		}
	}
}

// A service that is marked again is what it was before: what drains there goes on, and who
// serves goes on until the first results.
func TestMarkedPlainAndMarkedAgain(t *testing.T) {
	before, after := marked(ipvsctl.SourceNAT{}), webService(ipvsctl.NAT, web1)
	before.Fallback, after.Fallback = nil, nil
	before.DrainTimeout, after.DrainTimeout = time.Minute, time.Minute
	core, at, told, _ := readsAnother(before, after)
	core.Handle(at, TableSeen{Converged: true})
	core.Handle(at, TableSeen{Converged: true})
	at = at.Add(packetPatience)
	core.Expire(at)
	again := before
	again.Servers = slices.Clone(before.Servers)
	again.Servers[0].InitialUp, again.Servers[0].Checks = false, []config.Check{{Target: tcpTarget, Rise: 2, Fall: 3}}
	c := clusterOf(again)
	c.Digest = "third"
	core.Handle(at, Reload{})
	if got, want := told(core.Handle(at, ReadingEnded{core.reload.number, Loaded{Config: c}})), "table "+plainRow+", mark 1819738113 (ipv4) > 192.168.1.4:80 0"; got != want {
		t.Errorf("the core wants %q, want %q", got, want)
	}
	passed := Observation{tcpTarget, checker.Result{At: at, Outcome: checker.Passed}}
	if got, want := told(core.Handle(at, Probed{passed})), "table "+plainRow+", "+markedRow; got != want {
		t.Errorf("when the server is up, the core wants %q, want %q", got, want)
	}
}

// A service by a mark whose servers are not known yet would refuse its clients.
func TestMarksWaitForTheFirstResults(t *testing.T) {
	before, after := webService(ipvsctl.NAT, web1), marked(ipvsctl.SourceNAT{})
	before.Fallback, after.Fallback = nil, nil
	after.Servers[0].Checks = []config.Check{{Target: tcpTarget, Rise: 2, Fall: 3}}
	core, at, told, effects := readsAnother(before, after)
	if got, want := told(effects), "table "+plainRow+", mark 1819738113 (ipv4) > nobody"; got != want {
		t.Errorf("at the reload the core wants %q, want %q", got, want)
	}
	if got := told(core.Handle(at, TableSeen{Converged: true})); got != "" {
		t.Errorf("while nothing is known of its server, the core wants %q", got)
	}
	passed := Observation{tcpTarget, checker.Result{At: at, Outcome: checker.Passed}}
	if got, want := told(core.Handle(at, Probed{passed})), "table "+plainRow+", "+markedRow; got != want {
		t.Errorf("when it is up the core wants %q, want %q", got, want)
	}
	if got := told(core.Handle(at, TableSeen{Converged: true})); got != "1 rules" {
		t.Errorf("then the core wants %q, want the rules", got)
	}
}

// Another change in between begins anew, with all that may be in the kernel.
func TestAChangeOfMarksThatIsTakenBack(t *testing.T) {
	before := webService(ipvsctl.NAT, web1)
	core, at, told, _ := readsAnother(before, marked(ipvsctl.SourceNAT{}))
	core.Handle(at, Reload{})
	c := clusterOf(before)
	c.Digest = "third"
	if got, want := told(core.Handle(at, ReadingEnded{core.reload.number, Loaded{Config: c}})), "table "+plainRow+", "+markedRow; got != want {
		t.Errorf("the core wants %q, want %q", got, want)
	}
	if got := told(core.Handle(at, TableSeen{Converged: true})); got != "0 rules" {
		t.Errorf("the core wants %q, want no rules", got)
	}
	core.Handle(at, TableSeen{Converged: true})
	if got, want := told(core.Expire(at.Add(packetPatience))), "table "+plainRow; got != want {
		t.Errorf("the core wants %q, want %q", got, want)
	}
}

// With its former service of the kernel, connections would lose their server.
func TestConnectionsOutliveAChangeOfMarks(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(before, after *config.Service)
		drained string // the former service's row
	}{
		{"plain, then marked", func(_, _ *config.Service) {}, "tcp 10.13.0.200:80 > 192.168.1.4:80 0, " + markedRow},
		{"marked, then plain", func(before, after *config.Service) { *before, *after = *after, *before }, plainRow + ", mark 1819738113 (ipv4) > 192.168.1.4:80 0"},
		{"without drain_timeout", func(_, after *config.Service) { after.DrainTimeout = 0 }, markedRow},
		{"packets by themselves", func(_, after *config.Service) { after.Service.Flags |= ipvsctl.OnePacket }, markedRow},
		{"its packets still come by address", func(_, after *config.Service) {
			packets := ipvsctl.Select(after.Packets.Addresses, after.Packets.Protocols, []ipvsctl.PortRange{{First: 443, Last: 443}})
			after.Packets = &packets
		}, markedRow},
		{"another service takes its place", func(_, after *config.Service) { after.Name = "other" }, markedRow},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, after := webService(ipvsctl.NAT, web1), marked(ipvsctl.SourceNAT{})
			before.DrainTimeout, after.DrainTimeout = time.Minute, time.Minute
			tt.change(&before, &after)
			core, at, told, effects := readsAnother(before, after)
			if got, want := told(effects), "table "+plainRow+", "+markedRow; got != want {
				t.Errorf("until packets have other marks the core wants\n%q, want\n%q", got, want)
			}
			core.Handle(at, TableSeen{Converged: true})
			core.Handle(at, TableSeen{Converged: true})
			at = at.Add(packetPatience)
			if got := told(core.Expire(at)); got != "table "+tt.drained {
				t.Errorf("at the end the core wants\n%q, want\n%q", got, tt.drained)
			}
			if !strings.Contains(tt.drained, " 0") {
				return
			}
			key := before.Key
			var rows ipvsctl.Rows[ipvsctl.Counters]
			for range idleLooks {
				at = core.Deadline()
				rows.Set(before.Servers[0].Key, ipvsctl.Counters{Inactive: 1})
				if got := told(core.Handle(at, Counted{key: rows})); got != "" {
					t.Errorf("while there are connections, the core wants %q", got)
				}
			}
			got := ""
			for range idleLooks {
				at = core.Deadline()
				got += told(core.Handle(at, Counted{key: {{Key: before.Servers[0].Key}}}))
			}
			if want := map[bool]string{true: plainRow, false: markedRow}[before.Marked()]; got != "table "+want {
				t.Errorf("when there are none, the core wants %q, want %q", got, want)
			}
			if len(core.draining) > 0 {
				t.Errorf("%v drain", core.draining)
			}
		})
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
