package director

import (
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A Leaving is what served for a virtual service before its configuration
// changed, and is no longer configured: real servers that take connections, in
// the service with this key, which may be another one.
type Leaving struct {
	Key ipvsctl.ServiceKey
	ipvsctl.VirtualService
}

// leaving returns what leaves with a change of the configuration, by the service
// that replaces it: the one with the same key, else the one with the same name.
// Planned is the table before the change, and earlier what was leaving then.
func leaving(was, is *config.Config, planned ipvsctl.Table, earlier map[ipvsctl.ServiceKey]Leaving) map[ipvsctl.ServiceKey]Leaving {
	before := make(map[string]ipvsctl.ServiceKey, len(was.Services))
	for i := range was.Services {
		before[was.Services[i].Name] = was.Services[i].Key
	}
	configured := make(map[ipvsctl.ServiceKey]bool, len(is.Services))
	for i := range is.Services {
		configured[is.Services[i].Key] = true
	}
	all := make(map[ipvsctl.ServiceKey]Leaving)
	servers := make(map[ipvsctl.DestinationKey]bool)
	for i := range is.Services {
		s := &is.Services[i]
		key := s.Key
		if _, same := planned[key]; !same {
			key = before[s.Name]
		}
		l, undecided := earlier[key]
		if !undecided {
			clear(servers)
			if key == s.Key {
				addServers(servers, s)
			}
			l = Leaving{key, ipvsctl.VirtualService{Service: planned[key].Service, Destinations: gone(planned[key].Destinations, servers)}}
		}
		if len(l.Destinations) > 0 && (l.Key == s.Key || !configured[l.Key]) {
			all[s.Key] = l
		}
	}
	return all
}

// addServers adds the real servers of a service, and its fallback.
func addServers(all map[ipvsctl.DestinationKey]bool, s *config.Service) {
	for i := range s.Servers {
		all[s.Servers[i].Key] = true
	}
	if s.Fallback != nil {
		all[s.Fallback.Key] = true
	}
}

// gone returns those rows that take connections and are not configured.
func gone(rows ipvsctl.Rows[ipvsctl.Destination], configured map[ipvsctl.DestinationKey]bool) (all ipvsctl.Rows[ipvsctl.Destination]) {
	for _, row := range rows {
		if row.Value.Weight > 0 && !configured[row.Key] {
			all = append(all, row)
		}
	}
	return all
}

// keep leaves in the table what served until now for a service that is undecided,
// so that a change of every server is no moment without one. Of the servers that
// are configured again only those without a result stay. What would be sent to
// this director itself, which may not be Master any more, does not stay.
func (p *Planned) keep(s *config.Service, states []checker.State, l Leaving, w World) {
	judged := make(map[ipvsctl.DestinationKey]bool)
	for i, state := range states {
		judged[s.Servers[i].Key] = state != checker.Unknown && l.Key == s.Key
	}
	stays := func(row ipvsctl.Row[ipvsctl.Destination]) bool {
		return !judged[row.Key] && (row.Value.Forward == ipvsctl.NAT || !w.Own(row.Key.Addr))
	}
	if !slices.ContainsFunc(l.Destinations, stays) {
		return
	}
	kept := ipvsctl.VirtualService{Service: l.Service}
	if l.Key == s.Key {
		kept = p.Table[s.Key]
		if s.Fallback != nil {
			kept.Destinations.Delete(s.Fallback.Key)
		}
	}
	for _, row := range l.Destinations {
		if stays(row) {
			kept.Destinations.Set(row.Key, row.Value)
		}
	}
	p.Table[l.Key] = kept
}
