package keeper

import (
	"maps"
	"slices"

	"github.com/lvsd/lvsd/vrrp"
)

// An assembly is how all routers are, of many reports.
type assembly struct {
	all   []vrrp.Status // by their places
	known []bool
	// unknown is of how many nothing was told since there are other ones.
	unknown int
	// discarded and mismatched are what was counted of a router, which mostly is
	// nothing, and the same for a thousand of them.
	discarded, mismatched map[vrrp.Reason]uint64
}

// add adds a report. What was handed out before is not changed.
func (a *assembly) add(r vrrp.Report) {
	switch {
	case r.Renewed:
		a.all, a.known, a.unknown = make([]vrrp.Status, r.Total), make([]bool, r.Total), r.Total
	case len(r.Places) > 0:
		a.all = slices.Clone(a.all)
	}
	for i, place := range r.Places {
		if place >= len(a.all) {
			continue // of a keeper that this one does not know
		}
		a.all[place] = r.Statuses[i]
		counters := &a.all[place].Counters
		counters.Discarded, a.discarded = share(counters.Discarded, a.discarded)
		counters.Mismatched, a.mismatched = share(counters.Mismatched, a.mismatched)
		if !a.known[place] {
			a.known[place] = true
			a.unknown--
		}
	}
}

// share returns the last map in the place of an equal one, and which is the last then.
func share(m, last map[vrrp.Reason]uint64) (shared, now map[vrrp.Reason]uint64) {
	if maps.Equal(m, last) {
		return last, last
	}
	return m, m
}
