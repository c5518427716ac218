package director

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A supposition is what would be if some real servers were down.
type supposition struct {
	config *config.Config
	down   map[place]bool
	// was is the plan now, and is the one then.
	was, is Planned
}

// suppose returns what the core would want if the real servers were down that are named, by
// refusing connections. It is the plan that would be made then, on a copy.
func (c *Core) suppose(now time.Time, names []string) (s supposition, err error) {
	s = supposition{config: c.config, down: make(map[place]bool), was: c.planned}
	for _, name := range names {
		found := false
		for i := range c.config.Services {
			service := &c.config.Services[i]
			for j := range service.Servers {
				if matches(name, service.Name, &service.Servers[j]) {
					s.down[c.place(i, j)], found = true, true
				}
			}
		}
		if !found {
			return s, fmt.Errorf("no real server is called %q: give a name or a pattern (rack1-*), SERVICE/NAME, an address or a network; lvsd status lists them", name)
		}
	}
	then := c.copy(now)
	then.supposed = s.down
	then.plan(now)
	s.is = then.planned
	return s, nil
}

// matches reports whether a real server is meant by a name, which may be a pattern.
func matches(name, service string, s *config.Server) bool {
	if network, err := netip.ParsePrefix(name); err == nil {
		return network.Contains(s.Key.Addr)
	}
	for _, own := range []string{s.Name, service + "/" + s.Name, s.Key.String(), s.Key.Addr.String()} {
		if ok, err := path.Match(name, own); own == name || err == nil && ok {
			return true
		}
	}
	return false
}

// concerned are the services that have one of the servers.
func (s *supposition) concerned() (keys []ipvsctl.ServiceKey) {
	for at := range s.down {
		keys = append(keys, at.service)
	}
	return keysOf(s.config.Services, keys)
}

// tell is what would be, given the kernel's counters at two moments that are so far apart;
// zero: there is only one.
func (s *supposition) tell(first, last Counted, apart time.Duration) api.WhatIf {
	all := api.WhatIf{SchemaVersion: api.SchemaVersion, Services: []api.WhatIfService{}}
	keys := s.concerned()
	for i := range s.config.Services {
		c := &s.config.Services[i]
		if !slices.Contains(keys, c.Key) {
			continue
		}
		service := api.WhatIfService{Name: c.Name, Address: c.Address(), Supply: s.is.Verdicts[i].Supply, Was: s.was.Verdicts[i].Supply, Reason: string(s.is.Verdicts[i].Reason())}
		counted := countersOf(c, last)
		for _, row := range counted {
			service.Connections += uint64(row.Value.Active) + uint64(row.Value.Inactive)
		}
		if apart > 0 {
			before, _ := countersOf(c, first).Get(ipvsctl.DestinationKey{})
			after, _ := counted.Get(ipvsctl.DestinationKey{})
			rate := float64(increase(before.Connections, after.Connections)) / apart.Seconds()
			service.Rate = &rate
		}
		service.Servers = s.servers(c, &service)
		all.Lost = all.Lost || service.Supply == api.Unserved && service.Was == api.Served ||
			slices.ContainsFunc(service.Servers, func(s api.WhatIfServer) bool { return s.Over })
		all.Services = append(all.Services, service)
	}
	return all
}

// servers are the rows of a service, now or then, in the order of the configuration.
func (s *supposition) servers(c *config.Service, of *api.WhatIfService) []api.WhatIfServer {
	was, is := s.was.Table[c.Key].Destinations, s.is.Table[c.Key].Destinations
	wasShares, shares := shares(c.Service.Scheduler, was), shares(c.Service.Scheduler, is)
	all := []api.WhatIfServer{}
	add := func(name string, key ipvsctl.DestinationKey) {
		had, before := was.Get(key)
		has, after := is.Get(key)
		if !before && !after {
			return
		}
		one := api.WhatIfServer{Name: name, Address: key.String(), Down: s.down[place{c.Key, key}], Weight: has.Weight, WasWeight: had.Weight,
			Share: shares[key], WasShare: wasShares[key], Upper: max(has.Upper, had.Upper)}
		one.Connections = uint64(float64(of.Connections)*one.Share + 0.5)
		one.Over = one.Upper > 0 && one.Connections >= uint64(one.Upper)
		if of.Rate != nil {
			rate := *of.Rate * one.Share
			one.Rate = &rate
		}
		all = append(all, one)
	}
	for j := range c.Servers {
		add(c.Servers[j].Name, c.Servers[j].Key)
	}
	if c.Fallback != nil {
		add("fallback", c.Fallback.Key)
	}
	return all
}

// shares are which parts of the new connections of a service its real servers get in the
// mean, by what its scheduler does with their weights.
func shares(scheduler string, rows ipvsctl.Rows[ipvsctl.Destination]) map[ipvsctl.DestinationKey]float64 {
	all := make(map[ipvsctl.DestinationKey]float64)
	var sum float64
	var most uint32
	for _, row := range rows {
		most = max(most, row.Value.Weight)
	}
	for _, row := range rows {
		w := float64(row.Value.Weight)
		switch scheduler {
		case "rr", "lc", "dh": // They ask only whether there is a weight.
			w = min(w, 1)
		case "fo", "ovf": // The highest weight has all, ovf until it is full.
			if row.Value.Weight < most {
				w = 0
			}
			w = min(w, 1)
		}
		all[row.Key] = w
		sum += w
	}
	for key := range all {
		if sum > 0 {
			all[key] /= sum
		}
	}
	return all
}
