package director

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A departed server is one that a reload took out of a service. It keeps the connections
// that it has, with weight 0, until it has none or its time is over.
type departed struct {
	ipvsctl.Destination
	until time.Time
	// idle is how often in a row it had no connection.
	idle int
}

// A draining is all of them, by service.
type draining map[ipvsctl.ServiceKey]map[ipvsctl.DestinationKey]departed

// idleLooks is how often a server must have had no connection before its row goes: what was
// counted may be older than its weight of 0.
const idleLooks = 3

// of returns those of another configuration: who departs with it, by the table that was
// planned before it, and who departed earlier and is not back. Of packets that are each
// scheduled by themselves, there are no connections to keep.
func (d draining) of(now time.Time, c *config.Config, planned ipvsctl.Table, own func(netip.Addr) bool) draining {
	all := make(draining)
	for i := range c.Services {
		s := &c.Services[i]
		if s.DrainTimeout == 0 || s.Service.Flags&ipvsctl.OnePacket != 0 {
			continue
		}
		servers := make(map[ipvsctl.DestinationKey]departed)
		for _, row := range planned[s.Key].Destinations {
			if row.Value.Forward == ipvsctl.NAT || !own(row.Key.Addr) {
				row.Value.Weight = 0
				servers[row.Key] = departed{Destination: row.Value, until: now.Add(s.DrainTimeout)}
			}
		}
		maps.Copy(servers, d[s.Key])
		for j := range s.Servers {
			delete(servers, s.Servers[j].Key)
		}
		if s.Fallback != nil {
			delete(servers, s.Fallback.Key)
		}
		if len(servers) > 0 {
			all[s.Key] = servers
		}
	}
	return all.orNil()
}

func (d draining) orNil() draining {
	if len(d) == 0 {
		return nil
	}
	return d
}

// stay leaves those of a service in its table whose time is not over, and returns when the
// first one's will be.
func (d draining) stay(now time.Time, key ipvsctl.ServiceKey, rows *ipvsctl.Rows[ipvsctl.Destination]) (until time.Time) {
	for k, server := range d[key] {
		if _, listed := rows.Get(k); !listed && now.Before(server.until) {
			rows.Set(k, server.Destination)
			until = earliest(until, server.until)
		}
	}
	return until
}

// count takes what was counted, and reports whether a row is to go by that.
func (d draining) count(now time.Time, counted Counted) (changed bool) {
	for key, servers := range d {
		for k, server := range servers {
			server.idle++
			if n, known := counted[key].Get(k); !known || n.Active+n.Inactive > 0 {
				server.idle = 0
			}
			servers[k] = server
			if server.idle >= idleLooks || due(server.until, now) {
				delete(servers, k)
				changed = true
			}
		}
		if len(servers) == 0 {
			delete(d, key)
		}
	}
	return changed
}

// services are those whose counters are to be read.
func (d draining) services() []ipvsctl.ServiceKey {
	return slices.SortedFunc(maps.Keys(d), ipvsctl.ServiceKey.Compare)
}

// copy returns one that may be changed.
func (d draining) copy() draining {
	all := make(draining, len(d))
	for key, servers := range d {
		all[key] = maps.Clone(servers)
	}
	return all.orNil()
}
