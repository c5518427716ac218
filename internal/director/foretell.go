package director

import (
	"cmp"
	"maps"
	"slices"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// concerned are the services of which the kernel is to be asked what it has: those that
// will be written, as far as is known, and those of others that become ours.
func (r *rehearsal) concerned(seen ipvsctl.Snapshot) []ipvsctl.ServiceKey {
	all := make(map[ipvsctl.ServiceKey]bool)
	for _, t := range []ipvsctl.Table{r.first.Table, r.later.Table} {
		for _, op := range ipvsctl.Diff(seen.Table, t, func(ipvsctl.ServiceKey) bool { return true }) {
			all[op.Service] = true
		}
	}
	for key := range seen.Foreign {
		if r.first.Exclusive {
			all[key] = true
		}
	}
	return slices.SortedFunc(maps.Keys(all), ipvsctl.ServiceKey.Compare)
}

// foretell is what a plan tells of a rehearsal, given the rows that the kernel has, ours and those of the
// services that become ours. What is written is what the reconciler would write.
func (r *rehearsal) foretell(have ipvsctl.Table, counters Counted) api.Plan {
	p := api.Plan{Changes: r.differences}
	if r.opened {
		all := func(ipvsctl.ServiceKey) bool { return true }
		p.Table = r.rows(ipvsctl.Diff(have, r.first.Table, all), have, r.why, counters)
		p.Later = r.rows(ipvsctl.Diff(r.first.Table, r.later.Table, all), r.first.Table, r.whyLater, counters)
	}
	for _, row := range slices.Concat(p.Table, p.Later) {
		p.Established += uint64(row.Established)
		p.Connections += uint64(row.Connections)
	}
	p.Differences = len(p.Changes)+len(p.Table)+len(p.Later) > 0
	return p
}

// rows tell operations, with what goes away with a service.
func (r *rehearsal) rows(ops []ipvsctl.Op, have ipvsctl.Table, why map[place]string, counters Counted) []api.RowChange {
	all := make([]api.RowChange, 0, len(ops))
	known := nameRows(r.before, r.after)
	for _, op := range ops {
		row := known.of(op.Service, op.Destination)
		row.Command = op.String()
		at := place{op.Service, op.Destination}
		switch op.Kind {
		case ipvsctl.AddService:
			row.Action = api.Add
		case ipvsctl.SetService:
			row.Action = api.Change
		case ipvsctl.DeleteService:
			row.Action = api.Remove
			all = append(all, row)
			for _, d := range have[op.Service].Destinations {
				gone := known.of(op.Service, d.Key)
				all = append(all, cut(gone, d.Value.Weight, counters, place{op.Service, d.Key}))
			}
			continue
		case ipvsctl.AddDestination, ipvsctl.SetDestination:
			was, exists := have[op.Service].Destinations.Get(op.Destination)
			row.Action = api.Add
			if exists {
				row.Action = api.Change
			}
			row.Weight, row.Was, row.Reason = op.Dest.Weight, was.Weight, why[at]
		case ipvsctl.DeleteDestination:
			was, _ := have[op.Service].Destinations.Get(op.Destination)
			row = cut(row, was.Weight, counters, at)
			row.Reason = why[at]
		}
		all = append(all, row)
	}
	return all
}

// cut is the row of a real server that goes away, with its connections.
func cut(row api.RowChange, was uint32, counters Counted, at place) api.RowChange {
	n, _ := counters[at.service].Get(at.server)
	row.Action, row.Was, row.Established, row.Connections = api.Remove, was, n.Active, n.Active+n.Inactive
	return row
}

// rowNames are the names of rows in the configurations.
type rowNames struct {
	services map[ipvsctl.ServiceKey]string
	servers  map[place]api.RowChange
}

// nameRows names the rows of two configurations; where both name one, the newer counts.
func nameRows(both ...*config.Config) rowNames {
	n := rowNames{make(map[ipvsctl.ServiceKey]string), make(map[place]api.RowChange)}
	for _, c := range both {
		for i := range c.Services {
			s := &c.Services[i]
			as := translationOf(s)
			for _, key := range s.Keys() {
				n.services[key] = s.Name
				for j := range s.Servers {
					n.servers[place{key, as.to(key, s.Servers[j].Key)}] = api.RowChange{Server: s.Servers[j].Name, Configured: s.Servers[j].Destination.Weight}
				}
				if s.Fallback != nil {
					n.servers[place{key, as.to(key, s.Fallback.Key)}] = api.RowChange{Server: "fallback", Configured: s.Fallback.Destination.Weight}
				}
			}
		}
	}
	return n
}

// of is a row as far as its names go.
func (n rowNames) of(service ipvsctl.ServiceKey, server ipvsctl.DestinationKey) api.RowChange {
	row := api.RowChange{}
	if server.Addr.IsValid() {
		row = n.servers[place{service, server}]
		row.Server = cmp.Or(row.Server, server.String())
	}
	row.Service, row.ServiceAddress = n.services[service], service.String()
	row.Address = row.ServiceAddress
	if server.Addr.IsValid() {
		row.Address = server.String()
	}
	return row
}
