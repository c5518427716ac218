package director

import (
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A Leaving is what was in the table for a virtual service before its
// configuration changed: a service with this key, which may be another one.
type Leaving struct {
	Key ipvsctl.ServiceKey
	ipvsctl.VirtualService
}

// leaving returns what leaves with a change of the configuration, by the service
// that replaces it: the one with the same key, else the one with the same name.
// Planned is the table before the change, and earlier what was leaving then.
func leaving(was, is *config.Config, planned ipvsctl.Table, earlier map[ipvsctl.ServiceKey]Leaving) map[ipvsctl.ServiceKey]Leaving {
	before := make(map[string]ipvsctl.ServiceKey, len(was.Services))
	known := make(map[ipvsctl.ServiceKey]bool, len(was.Services))
	for i := range was.Services {
		before[was.Services[i].Name], known[was.Services[i].Key] = was.Services[i].Key, true
	}
	configured := make(map[ipvsctl.ServiceKey]bool, len(is.Services))
	for i := range is.Services {
		configured[is.Services[i].Key] = true
	}
	all := make(map[ipvsctl.ServiceKey]Leaving)
	for i := range is.Services {
		s := &is.Services[i]
		key := s.Key
		if !known[key] { // In the table it is for the connections that it had once, if at all.
			key = before[s.Name]
		}
		if l, undecided := earlier[key]; undecided {
			key = l.Key // What served before that one still does.
		}
		if v, planned := planned[key]; planned && (key == s.Key || !configured[key]) {
			all[s.Key] = Leaving{key, v}
		}
	}
	return all
}

// stay leaves in a table what served until now for a service that is undecided,
// so that a change of every server is no moment without one. Of the servers that
// are configured again only those without a result stay. What would be sent to
// this director itself, which may not be Master any more, does not stay.
func (l Leaving) stay(table ipvsctl.Table, s *config.Service, states []checker.State, own func(netip.Addr) bool) {
	judged := make(map[ipvsctl.DestinationKey]bool)
	for i, state := range states {
		judged[s.Servers[i].Key] = state != checker.Unknown
	}
	same := l.Key == s.Key
	if s.Fallback != nil {
		judged[s.Fallback.Key] = same
	}
	stays := func(row ipvsctl.Row[ipvsctl.Destination]) bool {
		return row.Value.Weight > 0 && !judged[row.Key] && (row.Value.Forward == ipvsctl.NAT || !own(row.Key.Addr))
	}
	if !slices.ContainsFunc(l.Destinations, stays) {
		return
	}
	kept := ipvsctl.VirtualService{Service: l.Service}
	if same {
		kept = table[s.Key]
		if s.Fallback != nil {
			kept.Destinations.Delete(s.Fallback.Key)
		}
	}
	for _, row := range l.Destinations {
		if stays(row) {
			kept.Destinations.Set(row.Key, row.Value)
		}
	}
	table[l.Key] = kept
}
