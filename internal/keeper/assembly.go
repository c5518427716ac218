package keeper

import (
	"slices"

	"github.com/lvsd/lvsd/vrrp"
)

// An assembly is how all routers are, of many reports.
type assembly struct {
	all   []*vrrp.Status // by their places; none is changed
	known []bool
	// unknown is of how many nothing was told since there are other ones.
	unknown int
}

// add adds a report. What was handed out before is not changed.
func (a *assembly) add(r vrrp.Report) {
	switch {
	case r.Renewed:
		a.all, a.known, a.unknown = make([]*vrrp.Status, r.Total), make([]bool, r.Total), r.Total
	case len(r.Places) > 0:
		a.all = slices.Clone(a.all)
	}
	for i, place := range r.Places {
		if place >= len(a.all) {
			continue // of a keeper that this one does not know
		}
		status := r.Statuses[i] // A pointer to this one would keep all of the report.
		a.all[place] = &status
		if !a.known[place] {
			a.known[place] = true
			a.unknown--
		}
	}
}
