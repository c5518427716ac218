package config_test

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	facts "github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
)

// file is a configuration with some lines in the block of a path.
func file(t *testing.T, path, text string, also []string) *config.Config {
	t.Helper()
	blocks := strings.Split(path, "/")
	blocks = blocks[:len(blocks)-1]
	lines := strings.Split(text, "\n")
	for i := len(blocks) - 1; i >= 0; i-- {
		if blocks[i] == "virtual_service" {
			lines = append(slices.Clone(also), lines...)
		}
		head := map[string]string{"virtual_service": `virtual_service "web"`, "real_server": `real_server "192.168.1.4"`,
			"address": `address "10.14.0.15"`, "route": `route "10.15.0.0/16"`}[blocks[i]]
		if head == "" {
			head = blocks[i]
		}
		lines = []string{head + " {\n" + strings.Join(filled(contents[blocks[i]], lines), "\n") + "\n}"}
	}
	if blocks[0] != "virtual_service" {
		web := filled(contents["virtual_service"], also)
		if blocks[0] == "defaults" {
			web = append(web, blocks[1]+" {}")
		}
		lines = append(lines, "virtual_service \"web\" {\n"+strings.Join(web, "\n")+"\n}")
	}
	if strings.Contains(path, "connection_sync") {
		for i, name := range []string{"outside", "inside"} {
			lines = append(lines, fmt.Sprintf("virtual_router %q {\ninterface = \"eth0\"\nid = %d\npriority = 100\naddresses = [\"10.13.0.%d/24\"]\n}", name, 51+i, 201+i))
		}
	}
	// Nothing is heard of this one's server, so that the start delay decides.
	lines = append(lines, "virtual_service \"mute\" {\naddress = \"10.13.0.200\"\nport = 99\nforward = \"direct\"\nreal_server \"192.168.1.99\" {}\n}\n")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, strings.ReplaceAll(strings.Join(lines, "\n"), "testdata", here+"/testdata"))
}

// filled is the contents of a block with lines that replace those of the same name;
// a name alone takes a line away.
func filled(contents, lines []string) []string {
	name := func(line string) string {
		line, _, _ = strings.Cut(line, "=")
		line, _, _ = strings.Cut(line, "{")
		return strings.TrimSpace(line)
	}
	all := map[string]string{}
	for _, line := range slices.Concat(contents, lines) {
		all[name(line)] = line
	}
	maps.DeleteFunc(all, func(name, line string) bool { return name == line })
	return slices.Sorted(maps.Values(all))
}

// direct has a director run a configuration and reload another one, while its
// servers have had no results yet or are up, and returns what is seen of it then.
func direct(t *testing.T, before, after *config.Config, up bool) (seen []string) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	began := now
	edges := before.Director
	var table director.SetTable
	var rules director.SetRules
	var targets director.SetTargets
	var keeper director.TellKeeper
	carryOut := func(effects []director.Effect) (writes bool) {
		for _, e := range effects {
			switch e := e.(type) {
			case director.SetTable:
				table, writes = e, true
			case director.SetRules:
				rules, writes = e, true
			case director.SetTargets:
				targets = e
			case director.TellKeeper:
				keeper = e
			case director.Configure:
				edges = config.Director(e)
			case director.Notify:
				if e == "READY" {
					seen = append(seen, fmt.Sprint("ready after ", now.Sub(began)))
				}
			}
		}
		return writes
	}
	core, effects := director.Begin(now, "/etc/lvsd", director.Loaded{Config: before, Found: ipvsctl.Table{}},
		facts.Facts{Addresses: []netip.Prefix{netip.MustParsePrefix("10.13.0.15/24")}, Forward4: true, Forward6: true})
	carryOut(effects)
	// The kernel has at once what is written to it, and the director is told so.
	settle := func() {
		for carryOut(core.Handle(now, director.TableSeen{Converged: true})) {
		}
	}
	in := func(in director.Input) {
		carryOut(core.Handle(now, in))
		settle()
	}
	wait := func(d time.Duration) {
		for end := now.Add(d); now.Before(end); {
			if now = core.Deadline(); now.After(end) {
				now = end
			}
			if carryOut(core.Expire(now)) {
				settle()
			}
		}
	}
	results := func(r checker.Result) {
		r.At = now
		var all director.Probed
		for _, target := range targets {
			if target.Addr != netip.MustParseAddr("192.168.1.99") {
				all = append(all, director.Observation{Target: *target, Result: r})
			}
		}
		in(all)
	}
	look := func(when string) {
		edges.StartDelay, edges.ExclusiveTable = 0, false // These the core knows itself.
		seen = append(seen, "---- "+when, fmt.Sprintf("director %+v", edges))
		for _, key := range slices.SortedFunc(maps.Keys(table.Table), ipvsctl.ServiceKey.Compare) {
			seen = append(seen, fmt.Sprintf("service %v %+v exclusive %v watched %v", key, table.Table[key].Service, table.Exclusive, table.Watched))
			for _, row := range table.Table[key].Destinations {
				seen = append(seen, fmt.Sprintf("server %v %+v", row.Key, row.Value))
			}
		}
		seen = append(seen, fmt.Sprintf("rules %v", rules), fmt.Sprintf("static %#v", keeper.Static))
		for _, r := range keeper.Routers {
			seen = append(seen, fmt.Sprintf("router %s tracks %+v", r.Name, r.Track))
		}
		for _, c := range keeper.Conditions[1:] { // the first is that the table is loaded
			seen = append(seen, fmt.Sprintf("condition %+v", c))
		}
		for _, target := range targets {
			seen = append(seen, fmt.Sprintf("target %+v", *target))
		}
	}
	in(director.TableSeen{Converged: true})
	if up {
		results(outcomes["passed"])
		wait(11 * time.Second)
	}
	in(director.Reload{})
	in(director.ReadingEnded{Number: 1, Loaded: director.Loaded{Config: after}})
	in(director.TableSeen{Converged: true}) // The table has waited for its rules,
	wait(time.Second)                       // and for packets that had passed nftables before.
	seen = nil
	if !up {
		look("reloaded")
	}
	for i, outcome := range strings.Split("passed passed passed failed failed failed failed passed passed passed passed passed", " ") {
		results(outcomes[outcome])
		look(fmt.Sprint("result ", i, " ", outcome))
	}
	wait(12 * time.Second)
	look("later")
	for _, outcome := range strings.Split("silent silent silent silent passed passed passed not_run not_run not_run not_run", " ") {
		results(outcomes[outcome])
		look(outcome)
		wait(7 * time.Second)
		look("after " + outcome)
	}
	return seen
}

// outcomes are results by their names.
var outcomes = map[string]checker.Result{
	"passed": {Outcome: checker.Passed}, "failed": {Outcome: checker.Failed},
	"silent": {Outcome: checker.Failed, Silent: true}, "not_run": {Outcome: checker.NotRun},
}
