package director

import (
	"context"
	"os"
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// Status returns the state of the daemon, as its loop sees it. An error means
// that the loop did not answer before ctx ended, or has ended itself.
func (d *Director) Status(ctx context.Context) (*Status, error) {
	answer := make(chan *Status, 1)
	select {
	case d.calls <- func() { answer <- d.status() }:
		return <-answer, nil
	case <-d.stopped:
		return nil, errStopped
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// status builds the snapshot, on the loop.
func (d *Director) status() *Status {
	s := &Status{
		Version: d.o.Version, Node: d.config.Node, PID: os.Getpid(), Started: d.started,
		Ready: d.ready, Stopping: d.stopping,
		Warnings: d.allWarnings(),
		Reload:   d.reload,
		Keeper:   d.o.Keeper.Status(),
		Routers:  d.routerStatuses(),
		Probes:   d.o.Probes.Stats(),
	}
	var seen ipvsctl.Snapshot
	if d.table != nil {
		seen = d.table.Snapshot()
		s.Table = seen.Stats
	}
	// Lists and objects are never null for those who read the JSON.
	if s.Table.Operations == nil {
		s.Table.Operations = map[string]uint64{}
	}
	if s.Probes.Kinds == nil {
		s.Probes.Kinds = map[string]checker.KindStats{}
	}
	s.Foreign = foreign(seen.Foreign)
	s.Services = make([]ServiceStatus, 0, len(d.config.Services))
	for i := range d.config.Services {
		s.Services = append(s.Services, d.serviceStatus(i, seen))
	}
	return s
}

// routerStatuses are all configured routers: as the keeper says, and what it
// has not spoken of yet as waiting for it.
func (d *Director) routerStatuses() []vrrp.Status {
	all := append([]vrrp.Status{}, d.statuses...)
	for i := range d.config.Routers {
		c := &d.config.Routers[i]
		if !slices.ContainsFunc(all, func(s vrrp.Status) bool { return s.Name == c.Name }) {
			all = append(all, vrrp.Status{
				Name: c.Name, Interface: c.Interface, VRID: c.VRID, Version: c.Version, Priority: c.Priority,
				Interval: c.Interval, Addresses: c.Addresses, Fault: "the keeper has not reported yet",
			})
		}
	}
	return all
}

// maxForeign bounds the services of others in a status.
const maxForeign = 100

// foreign lists services that are not ours.
func foreign(services map[ipvsctl.ServiceKey]ipvsctl.Service) []string {
	all := make([]string, 0, len(services))
	for k, s := range services {
		all = append(all, k.String()+" "+s.Scheduler)
	}
	slices.Sort(all)
	return all[:min(len(all), maxForeign)]
}

// serviceStatus joins what is configured, what is known of the servers' health
// and what is in the kernel.
func (d *Director) serviceStatus(place int, seen ipvsctl.Snapshot) ServiceStatus {
	c := &d.config.Services[place]
	row, present := seen.Table[c.Key]
	counters := seen.Counters[c.Key]
	s := ServiceStatus{
		Name: c.Name, Address: c.Key.String(), Key: c.Key, Scheduler: c.Service.Scheduler,
		InKernel: present, Servers: make([]ServerStatus, 0, len(c.Servers)),
		Supply: d.planned.Verdicts[place].Supply, Reason: d.planned.Verdicts[place].Reason(),
	}
	for i := range c.Servers {
		srv := destinationStatus(c.Servers[i].Name, c.Servers[i].Key, c.Servers[i].Destination, row, counters)
		d.healths.describe(place, i, &srv)
		s.Servers = append(s.Servers, srv)
	}
	if c.Fallback != nil {
		f := destinationStatus("fallback", c.Fallback.Key, c.Fallback.Destination, row, counters)
		f.Health = HealthUnchecked
		s.Fallback = &f
	}
	return s
}

// destinationStatus is what configuration and kernel say of one destination.
func destinationStatus(name string, key ipvsctl.DestinationKey, want ipvsctl.Destination,
	row ipvsctl.VirtualService, counters map[ipvsctl.DestinationKey]ipvsctl.Counters) ServerStatus {
	have, present := row.Destinations[key]
	return ServerStatus{
		Name: name, Address: key.String(), Forward: want.Forward.String(), Checks: []CheckStatus{},
		Weight: want.Weight, KernelWeight: have.Weight, InKernel: present, Counters: counters[key],
	}
}

// describe fills in what is known of the health of the real server
// Services[service].Servers[server].
func (h *Healths) describe(service, server int, s *ServerStatus) {
	srv, configured := &h.servers[service][server], h.services[service].Servers[server].Checks
	s.Since = srv.since
	switch state := srv.state(); {
	case len(srv.checks) == 0:
		s.Health = HealthUnchecked
	case state == checker.Up:
		s.Health = HealthUp
	case state == checker.Down:
		s.Health = HealthDown
	default:
		s.Health = HealthUnknown
	}
	for i := range srv.checks {
		c := &srv.checks[i]
		s.Checks = append(s.Checks, CheckStatus{Kind: configured[i].Target.Spec.Kind(), Up: c.State() == checker.Up, Last: c.Last()})
	}
}
