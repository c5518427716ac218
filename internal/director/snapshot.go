package director

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/lvsd/lvsd/internal/config"
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
		Warnings: slices.Concat(d.warnings, d.machineWarnings()),
		Reload:   d.reload,
		Routers:  slices.Clone(d.statuses),
		Probes:   d.o.Probes.Stats(),
	}
	s.Keeper.PID, s.Keeper.Restarts, s.Keeper.EventsDropped = d.o.Keeper.Stats()
	var seen ipvsctl.Snapshot
	if d.table != nil {
		seen = d.table.Snapshot()
		s.Table = seen.Stats
	}
	s.Services = make([]ServiceStatus, 0, len(d.config.Services))
	for i := range d.config.Services {
		s.Services = append(s.Services, d.serviceStatus(&d.config.Services[i], seen))
	}
	return s
}

// serviceStatus joins what is configured, what is known of the servers' health
// and what is in the kernel.
func (d *Director) serviceStatus(c *config.Service, seen ipvsctl.Snapshot) ServiceStatus {
	row, present := seen.Table[c.Key]
	counters := seen.Counters[c.Key]
	s := ServiceStatus{
		Name: c.Name, Address: c.Key.String(), Key: c.Key, Scheduler: c.Service.Scheduler,
		InKernel: present, Servers: make([]ServerStatus, 0, len(c.Servers)),
	}
	for i := range c.Servers {
		srv := destinationStatus(c.Servers[i].Name, c.Servers[i].Key, c.Servers[i].Destination, row, counters)
		d.healths.describe(ServerKey{c.Key, c.Servers[i].Key}, &srv)
		s.Servers = append(s.Servers, srv)
	}
	if c.Fallback != nil {
		f := destinationStatus("fallback", c.Fallback.Key, c.Fallback.Destination, row, counters)
		f.Health = "unchecked"
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

// describe fills in what is known of a server's health.
func (h *Healths) describe(k ServerKey, s *ServerStatus) {
	srv := h.servers[k]
	if srv == nil {
		s.Health = "unknown"
		return
	}
	s.Since = srv.since
	switch srv.standing() {
	case Up:
		s.Health = "up"
	case Unknown:
		s.Health = "unknown"
	default:
		s.Health = "down"
	}
	if len(srv.checks) == 0 {
		s.Health = "unchecked"
	}
	for i := range srv.checks {
		c := &srv.checks[i]
		s.Checks = append(s.Checks, CheckStatus{Kind: c.target.Spec.Kind(), Up: c.health.Up(), Last: c.health.Last()})
	}
}

// machineWarnings are what the machine lacks for this configuration.
func (d *Director) machineWarnings() []string {
	var warnings []string
	for i := range d.config.Services {
		s := &d.config.Services[i]
		for j := range s.Servers {
			srv := &s.Servers[j]
			forwards, sysctl := d.machine.Forward4, "net.ipv4.ip_forward"
			if srv.Key.Addr.Is6() {
				forwards, sysctl = d.machine.Forward6, "net.ipv6.conf.all.forwarding"
			}
			if srv.Destination.Forward == ipvsctl.NAT && !forwards {
				return append(warnings, fmt.Sprintf("virtual service %q forwards by NAT, but this director does not forward "+
					"packets, so no answer reaches a client: set %s=1 (sysctl -w, and in /etc/sysctl.d)", s.Name, sysctl))
			}
		}
	}
	for i := range d.statuses {
		if d.statuses[i].State == vrrp.Initialize && d.statuses[i].Fault != "" {
			warnings = append(warnings, fmt.Sprintf("virtual router %q stands back: %s", d.statuses[i].Name, d.statuses[i].Fault))
		}
	}
	return warnings
}
