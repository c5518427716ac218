package sim

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A check holds one director process to what it promises. It knows by itself
// which configuration must run and what the probes have said.
type check struct {
	node    *Node
	running *config.Config
	started time.Time
	// streaks are the newest results of each target.
	streaks map[checker.Target]*streak
	beat    time.Duration
	ready   bool
	notices []string
	outages map[string]bool
	probing bool
	// found is the table that the process found; nil once it was configured anew.
	found ipvsctl.Table
	// last is the table that it set last, nil if it was configured since; and
	// downs are the servers that their results took out, and not back in.
	last   ipvsctl.Table
	former ipvsctl.Table // the last one of the configuration before
	downs  map[*config.Server]bool
	// told are the conditions that the keeper was told last.
	told []vrrp.Condition
	// reading is the number of the newest reading, and read is the configuration
	// in the input that the core is working on; nil: there is none.
	reading int
	read    *config.Config
}

// A streak is how many of the newest results of a target were alike.
type streak struct {
	passed bool
	n      int
	// fresh: there was a result since the configuration changed, which may have
	// changed how many results in a row it takes.
	fresh bool
}

func newCheck(n *Node, c *config.Config, found ipvsctl.Table) check {
	return check{
		node: n, running: c, started: n.clock(), streaks: map[checker.Target]*streak{}, beat: n.cluster.now,
		outages: map[string]bool{}, found: found, downs: map[*config.Server]bool{},
	}
}

func (k *check) fail(format string, args ...any) { k.node.cluster.fail(k.node.Name, format, args...) }

// before notes an input that the core is about to get.
func (k *check) before(in director.Input) {
	k.read = nil
	switch in := in.(type) {
	case director.Probed:
		for _, o := range in {
			k.count(o)
		}
	case director.ReadingEnded:
		if in.Number == k.reading {
			k.read = in.Config
		}
	}
}

func (k *check) count(o director.Observation) {
	if o.Result.Outcome == checker.NotRun || !slices.Contains(k.node.targets, o.Target) {
		return
	}
	s := k.streaks[o.Target]
	passed := o.Result.Outcome == checker.Passed
	if s == nil {
		s = &streak{}
		k.streaks[o.Target] = s
	}
	if s.passed != passed {
		s.passed, s.n = passed, 0
	}
	s.n++
	s.fresh = true
}

// effect checks one thing that the core wants done.
func (k *check) effect(e director.Effect) {
	switch e := e.(type) {
	case director.SetTable:
		k.table(e.Table)
	case director.SetTargets:
		k.targets(e)
	case director.TellKeeper:
		k.keeper(vrrp.Desired(e))
	case director.Read:
		k.reading = e.Number
	case director.Heartbeat:
		k.beat = k.node.cluster.now
	case director.Notify:
		k.notice(string(e))
	case director.Tell:
		k.event(e)
	}
}

// event follows what the core says about itself.
func (k *check) event(e director.Tell) {
	switch e.Code {
	case "configuration-applied":
		k.apply()
	case "service-unserved", "service-served":
		lost := e.Code == "service-unserved"
		if k.outages[e.Subject] == lost {
			k.fail("tells twice in a row: %s %s", e.Code, e.Subject)
		}
		k.outages[e.Subject] = lost
	}
}

// apply notes that another configuration runs.
func (k *check) apply() {
	if k.read == nil {
		k.fail("applies a configuration that it has not read")
		return
	}
	if k.last != nil {
		k.former = k.last
	}
	k.running, k.found, k.last = k.read, nil, nil
	clear(k.downs)
	maps.DeleteFunc(k.outages, func(name string, _ bool) bool {
		return !slices.ContainsFunc(k.running.Services, func(s config.Service) bool { return s.Name == name })
	})
	for _, s := range k.streaks {
		s.fresh = false
	}
}

// targets: those of the configuration that runs.
func (k *check) targets(got director.SetTargets) {
	k.probing = true
	if want := director.Targets(k.running, nil); !slices.Equal(want, got) { // the running configuration's own
		k.fail("probes %d targets, and %d are configured", len(got), len(want))
	}
	for t := range k.streaks {
		if !slices.ContainsFunc(got, func(g *checker.Target) bool { return *g == t }) {
			delete(k.streaks, t)
		}
	}
}

// keeper: nobody becomes Master with an empty table.
func (k *check) keeper(d vrrp.Desired) {
	ok := d.Conditions[0].OK
	switch {
	case k.ready && !ok:
		k.fail("takes back that its table is loaded")
	case !ok || k.ready || !k.node.clock().Before(k.started.Add(startDelay)):
	case k.node.set && !k.node.seen.Converged:
		k.fail("is ready before its table is in the kernel")
	default:
		for _, t := range director.Targets(&config.Config{Services: k.running.Services}, nil) {
			if k.streaks[*t] == nil {
				k.fail("is ready before the first result of %v", *t)
			}
		}
	}
	k.ready = ok
	k.told = slices.DeleteFunc(slices.Clone(d.Conditions), func(c vrrp.Condition) bool { return !c.Tracked })
	if d.Routers[0].Priority != k.running.Routers[0].Priority {
		k.fail("runs a router of priority %d, and %d is configured", d.Routers[0].Priority, k.running.Routers[0].Priority)
	}
}

// notice: the service manager is told a story that makes sense.
func (k *check) notice(state string) {
	last := ""
	if len(k.notices) > 0 {
		last = k.notices[len(k.notices)-1]
	}
	switch {
	case last == "STOPPING":
		k.fail("tells the service manager %s after STOPPING", state)
	case state == "RELOADING" && last == "":
		k.fail("tells the service manager RELOADING before READY")
	}
	k.notices = append(k.notices, state)
}

// table: every service of the configuration that runs is there, but those that
// may be withheld; and each server has the row that its results give it.
func (k *check) table(t ipvsctl.Table) {
	found := 0
	for i := range k.running.Services {
		s := &k.running.Services[i]
		if rows, ok := t[s.Key]; ok {
			found++
			k.rows(s, rows.Destinations)
			k.adopted(s, rows.Destinations)
		} else if s.Key.Port != directPort {
			k.fail("%s has lost its rows", s.Name)
		}
		for j := range s.Servers {
			c := &s.Servers[j]
			up, down := k.verdict(c)
			k.downs[c] = down || k.downs[c] && !up
		}
	}
	if found != len(t) {
		k.fail("%d services are in the table that are not configured", len(t)-found)
	}
	k.last = t
}

// adopted: a server that was found in the table keeps its row before its first
// result, with the configured weight, or with 0 where it was found so.
func (k *check) adopted(s *config.Service, rows ipvsctl.Rows[ipvsctl.Destination]) {
	for i := range s.Servers {
		c := &s.Servers[i]
		was, found := k.found[s.Key].Destinations.Get(c.Key)
		if !found || slices.ContainsFunc(c.Checks, func(c config.Check) bool { return k.streaks[c.Target] != nil }) {
			continue
		}
		want := c.Destination.Weight
		if was.Weight == 0 && len(c.Checks) > 0 {
			want = 0
		}
		if row, ok := rows.Get(c.Key); !ok || row.Weight != want {
			k.fail("%s/%s was found with weight %d and has %d, listed %t, before its first result", s.Name, c.Name, was.Weight, row.Weight, ok)
		}
	}
}

func (k *check) rows(s *config.Service, rows ipvsctl.Rows[ipvsctl.Destination]) {
	serving, undecided := 0, false
	configured := make(map[ipvsctl.DestinationKey]bool)
	for i := range s.Servers {
		configured[s.Servers[i].Key] = true
		c := &s.Servers[i]
		row, listed := rows.Get(c.Key)
		last, _ := k.last[s.Key].Destinations.Get(c.Key)
		up, down := k.verdict(c)
		switch {
		case up && (!listed || row.Weight != c.Destination.Weight):
			k.fail("%s/%s has passed and has weight %d, listed %t; want %d", s.Name, c.Name, row.Weight, listed, c.Destination.Weight)
		case !up && listed && k.node.cluster.files.isolation: // It may be held in.
		case down && listed:
			k.fail("%s/%s has failed and is in the table with weight %d", s.Name, c.Name, row.Weight)
		case listed && k.downs[c] && !up && len(c.Checks) == 1:
			k.fail("%s/%s is back in the table before its results say so", s.Name, c.Name)
		case !listed && !down && last.Weight > 0:
			k.fail("%s/%s has left the table before its results say so", s.Name, c.Name)
		}
		undecided = undecided || !up && !down
		if row.Weight > 0 {
			serving++
		}
	}
	if s.Fallback != nil {
		configured[s.Fallback.Key] = true
	}
	// A server that is no longer configured serves on until the first results of
	// those that replace it.
	kept, before := 0, k.last
	if before == nil {
		before = k.former
	}
	for _, row := range rows {
		if configured[row.Key] {
			continue
		}
		if last, _ := before[s.Key].Destinations.Get(row.Key); last != row.Value || serving > 0 || !undecided {
			k.fail("%s has a row of %v, which is not configured, beside %d that serve; undecided: %t", s.Name, row.Key, serving, undecided)
		}
		kept++
	}
	serving += kept
	if s.Fallback != nil {
		if _, listed := rows.Get(s.Fallback.Key); listed != (serving == 0) {
			k.fail("%s: %d servers take connections, and the fallback is in the table: %t", s.Name, serving, listed)
		}
	}
}

// verdict reports whether the results alone say that a server is up, or down;
// neither where they do not.
func (k *check) verdict(c *config.Server) (up, down bool) {
	up = true
	for i := range c.Checks {
		s := k.streaks[c.Checks[i].Target]
		if s == nil || !s.fresh {
			up = false
			continue
		}
		up = up && s.passed && s.n >= int(c.Checks[i].Rise)
		down = down || !s.passed && s.n >= int(c.Checks[i].Fall)
	}
	return up, down
}

// deadline: a deadline always lies ahead, or the loop would be busy.
func (k *check) deadline() {
	if d := k.node.core.Deadline(); !d.After(k.node.clock()) {
		k.fail("has a deadline %v ago", k.node.clock().Sub(d))
	}
}

// follow: the keeper hears a heartbeat every second, and servers are probed once
// the first table is in the kernel or was refused.
func (k *check) follow() {
	if seen := k.node.seen; (seen.Converged || seen.Refused) && !k.probing && !k.node.stalled {
		k.fail("probes nobody although its table is %+v", seen)
	}
	if silent := k.node.cluster.now - k.beat; silent > 1500*time.Millisecond && !k.node.stalled {
		k.fail("no heartbeat for %v", silent)
	}
}

// quiet checks everything that must be so some time after the last fault: the
// kernel's table, what the director says of itself, and no findings but those
// that follow from what is wrong, and the codes given.
func (n *Node) quiet(also ...string) error {
	if n.awaited != 0 {
		return fmt.Errorf("%s: %d orders were never answered", n.Name, n.awaited)
	}
	c := n.running()
	planned := director.Plan(n.clock(), c, director.World{
		Standing: func(service, server int) director.Standing {
			if s := &c.Services[service].Servers[server]; len(s.Checks) > 0 && n.cluster.dead[numberOf(s.Key.Addr)] {
				return director.Standing{State: checker.Down}
			}
			return director.Standing{State: checker.Up}
		},
		Master: func(string) bool { return n.State() == vrrp.Master },
		Own:    n.owns,
	})
	if got, want := n.kernel.Table().String(), planned.Table.String(); got != want {
		return fmt.Errorf("%s: the table is\n%swant\n%s", n.Name, got, want)
	}
	st := n.core.Status(n.clock(), director.Edges{Keeper: api.Keeper{PID: 1}, Table: ipvsctl.Snapshot{Table: n.kernel.Table()}})
	if st.Reload.Digest != c.Digest || !st.Ready {
		return fmt.Errorf("%s runs %s, ready %t; want %s", n.Name, st.Reload.Digest, st.Ready, c.Digest)
	}
	if last := n.check.notices[len(n.check.notices)-1]; last != "READY" {
		return fmt.Errorf("%s: the service manager was told %s last", n.Name, last)
	}
	got := map[string]bool{}
	for _, f := range st.Findings {
		if !strings.HasPrefix(f.Code, "adverts-") && f.Code != "other-master" {
			got[f.Code] = true
		}
	}
	if want := n.wrong(planned, also); !maps.Equal(got, want) {
		return fmt.Errorf("%s: findings %v, want %v", n.Name, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	for i := range c.Services {
		if lost := planned.Verdicts[i].Supply == api.Unserved; lost != n.check.outages[c.Services[i].Name] && planned.Verdicts[i].Supply != api.Withheld {
			return fmt.Errorf("%s: %s is unserved: %t, and the log tells otherwise", n.Name, c.Services[i].Name, lost)
		}
	}
	return nil
}

// owns reports whether an address is the machine's own.
func (n *Node) owns(a netip.Addr) bool {
	return slices.ContainsFunc(n.facts.Addresses, func(p netip.Prefix) bool { return p.Addr() == a })
}

// wrong are the codes of what is wrong in truth, and of what is beside that.
func (n *Node) wrong(planned director.Planned, also []string) map[string]bool {
	all := map[string]bool{}
	for _, code := range also {
		all[code] = true
	}
	for i := range n.running().Services {
		s := &n.running().Services[i]
		switch {
		case planned.Verdicts[i].Supply != api.Unserved:
		case s.Fallback != nil:
			all["fallback-serves"] = true
		default:
			all["services-unserved"] = true
		}
		for j := range s.Servers {
			c := &s.Servers[j]
			if len(c.Checks) > 0 && n.cluster.dead[numberOf(c.Key.Addr)] {
				all["servers-down"] = true
			}
			if c.Destination.Forward == ipvsctl.NAT && !n.facts.Forward4 {
				all["forwarding-off"] = true
			}
		}
	}
	return all
}
