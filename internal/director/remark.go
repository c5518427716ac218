package director

import (
	"maps"
	"time"

	"github.com/lvsd/lvsd/ipvsctl"
)

// How long each step of a remarking waits: for the table, unless the first results of checks
// have more time, and for nftables.
const (
	tablePatience = 10 * time.Second
	rulesPatience = 2 * time.Second
)

// A remarking is what a reload does by which packets get other marks than before. At first
// the table has the services that were there and those that will be, and it is decided who
// serves these; then packets get their marks, and then what is no longer wanted goes: each
// packet has a service with servers at any moment.
// IPVS hands those with a mark for which it has none to the service by their address, if
// there is one.
type remarking struct {
	// until is when it goes on in any case; zero: none is under way.
	until time.Time
	rules ipvsctl.Ruleset
	// marks: the rules have been set.
	marks bool
	// before are the services that were there and are configured no more.
	before ipvsctl.Table
}

// remarkingOf returns one that begins now, with what a table has.
func remarkingOf(until time.Time, rules ipvsctl.Ruleset, has ipvsctl.Table, configured map[ipvsctl.ServiceKey]bool) remarking {
	before := make(ipvsctl.Table)
	for key, vs := range has {
		if !configured[key] {
			before[key] = vs
		}
	}
	return remarking{until: until, rules: rules, before: before}
}

// underWay reports whether the kernel is not to be yet what the configuration says.
func (r *remarking) underWay() bool { return !r.until.IsZero() }

// table returns the table for now, in the place of the one that is planned. What was there
// before serves as it did: in the plan it is there for its connections alone, if at all.
func (r *remarking) table(planned ipvsctl.Table) ipvsctl.Table {
	if !r.underWay() {
		return planned
	}
	all := maps.Clone(planned)
	maps.Copy(all, r.before)
	return all
}
