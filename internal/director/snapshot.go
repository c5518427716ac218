package director

import (
	"cmp"
	"os"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// Edges are what a status tells of the edges, which the core does not know.
type Edges struct {
	Version string
	Keeper  KeeperStatus
	Probes  checker.Stats
	Table   ipvsctl.Snapshot
}

// Status returns what is known about the daemon.
func (c *Core) Status(now time.Time, e Edges) *Status {
	s := &Status{
		Version: e.Version, Node: c.config.Node, PID: os.Getpid(), Started: c.started,
		Ready: c.readiness.ready, Stopping: c.stopping,
		Reload: c.reload.ReloadStatus, Keeper: e.Keeper, Routers: c.routerStatuses(),
		Probes: e.Probes, Table: e.Table.Stats, Foreign: foreign(e.Table.Foreign),
	}
	s.Services = make([]ServiceStatus, 0, len(c.config.Services))
	for i := range c.config.Services {
		s.Services = append(s.Services, c.serviceStatus(i, e.Table))
	}
	s.Findings = c.findings(now, s)
	return s
}

// findings are what follows from a status, and what the core knows beside it,
// the most urgent first.
func (c *Core) findings(now time.Time, s *Status) []event.Finding {
	all := findings(Findings(s))
	all.adverts(c.adverts.since(counters(c.routers)))
	all = append(all, c.unreported(now, c.machine.facts)...)
	for _, d := range c.diagnostics {
		all.add(event.Warning, "configuration", d, "", "%s", d)
	}
	if c.config.Director != c.atStart {
		all.add(event.Warning, "restart-needed", "", "systemctl restart lvsd",
			"the director block differs from the one that lvsd was started with, and takes effect at the next start")
	}
	slices.SortStableFunc(all, func(a, b event.Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	return all
}

// routerStatuses are all configured routers: as the keeper says, and what it
// has not spoken of yet as waiting for it.
func (c *Core) routerStatuses() []vrrp.Status {
	all := append([]vrrp.Status{}, c.routers...)
	for i := range c.config.Routers {
		r := &c.config.Routers[i]
		if !slices.ContainsFunc(all, func(s vrrp.Status) bool { return s.Name == r.Name }) {
			all = append(all, vrrp.Status{
				Name: r.Name, Interface: r.Interface, VRID: r.VRID, Version: r.Version, Priority: r.Priority,
				Interval: r.Interval, Addresses: r.Addresses, Fault: "the keeper has not reported yet",
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
func (c *Core) serviceStatus(place int, seen ipvsctl.Snapshot) ServiceStatus {
	configured := &c.config.Services[place]
	row, present := seen.Table[configured.Key]
	counters := seen.Counters[configured.Key]
	s := ServiceStatus{
		Name: configured.Name, Address: configured.Key.String(), Key: configured.Key, Scheduler: configured.Service.Scheduler,
		InKernel: present, Servers: make([]ServerStatus, 0, len(configured.Servers)),
		Supply: c.planned.Verdicts[place].Supply, Reason: c.planned.Verdicts[place].Reason(),
	}
	for i := range configured.Servers {
		srv := destinationStatus(configured.Servers[i].Name, configured.Servers[i].Key, configured.Servers[i].Destination, row, counters)
		c.healths.describe(place, i, &srv)
		s.Servers = append(s.Servers, srv)
	}
	if configured.Fallback != nil {
		f := destinationStatus("fallback", configured.Fallback.Key, configured.Fallback.Destination, row, counters)
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
