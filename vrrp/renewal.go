package vrrp

import (
	"slices"
	"time"
)

// A renewal is of the leases of many jobs, of which nothing else is to be done: with a
// thousand of them, one after the other takes twenty times as long.
type renewal struct {
	jobs []*job
	of   Holdings
}

// renewalOf collects the leases that are due, if they are alike, and those that soon are.
func renewalOf(jobs map[routerKey]*job, now time.Time) (r renewal) {
	for _, j := range jobs {
		lease := j.want.Lease
		if !j.renewable() || !due(j.layers[ofAddresses].auditAt, now.Add(lease/renewals/2)) || len(r.jobs) > 0 && lease != r.of.Lease {
			continue
		}
		r.of.Lease = lease
		r.jobs = append(r.jobs, j)
		r.of.Addresses = append(r.of.Addresses, j.touched(j.key.Interface).Addresses...)
	}
	return r
}

// renewable reports whether the lease of its addresses is all that there is to look after.
func (j *job) renewable() bool {
	at := &j.layers[ofAddresses]
	return at.complete && !at.due && at.failure == "" && !j.announce && !j.forgotten &&
		j.want.Lease > 0 && len(j.foreign) == 0 && j.have.without(j.want).empty()
}

// done notes what came of it. What is not there any more is left to a task.
func (r renewal) done(now time.Time, missing []InterfaceAddress, err error) {
	for _, j := range r.jobs {
		at := &j.layers[ofAddresses]
		j.fault(err)
		if err != nil || slices.ContainsFunc(j.want.Addresses, func(a InterfaceAddress) bool { return slices.Contains(missing, a) }) {
			at.due = true
			continue
		}
		at.auditAt = now.Add(j.want.Lease / renewals)
		j.layers[ofPaths].due = j.layers[ofPaths].due || !j.want.paths().empty()
	}
}
