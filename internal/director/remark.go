package director

import (
	"maps"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// How long each step of a remarking waits: for the table, unless the first results of checks
// have more time, for nftables, and then for packets that had passed nftables before. A
// virtual machine's processor may stand still with one in its hands.
const (
	tablePatience  = 10 * time.Second
	rulesPatience  = 2 * time.Second
	packetPatience = time.Second
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
	// marks: the rules have been set. marked: nftables has them.
	marks, marked bool
	// before is the table that was there.
	before ipvsctl.Table
}

// underWay reports whether the kernel is not to be yet what the configuration says.
func (r *remarking) underWay() bool { return !r.until.IsZero() }

// table returns the table for now, in the place of the one that is planned. What was there
// before serves as it did, if it is configured no more: in the plan it is there for its
// connections alone, if at all. So it does if it is configured once more, and packets may
// still come to it before anything is known of its servers.
func (r *remarking) table(planned ipvsctl.Table, services []config.Service, leaving map[ipvsctl.ServiceKey]Leaving) ipvsctl.Table {
	if !r.underWay() {
		return planned
	}
	decided := make(map[ipvsctl.ServiceKey]bool, len(services))
	for i := range services {
		l, undecided := leaving[services[i].Key]
		for _, key := range services[i].Keys() {
			decided[key] = !undecided || l.Key == services[i].Key
		}
	}
	all := maps.Clone(planned)
	for key, vs := range r.before {
		if !decided[key] {
			all[key] = vs
		}
	}
	return all
}
