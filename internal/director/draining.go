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

// A departing is all of them of one virtual service of the kernel.
type departing struct {
	name string // the service's
	// former is that service where it stays for them alone; nil: it is configured.
	former  *ipvsctl.Service
	servers map[ipvsctl.DestinationKey]departed
}

// A draining is all of them.
type draining map[ipvsctl.ServiceKey]departing

// idleLooks is how often a server must have had no connection before its row goes: what was
// counted may be older than its weight of 0.
const idleLooks = 3

// departs are the servers of one virtual service of the kernel, by the table that was planned
// when a service changed, and those that departed earlier. Of packets that are each scheduled
// by themselves, there are no connections to keep.
func (d draining) departs(now time.Time, s *config.Service, was ipvsctl.ServiceKey, planned ipvsctl.Table, own func(netip.Addr) bool) departing {
	gone := departing{name: s.Name, servers: make(map[ipvsctl.DestinationKey]departed)}
	if s.DrainTimeout == 0 || s.Service.Flags&ipvsctl.OnePacket != 0 {
		return gone
	}
	for _, row := range planned[was].Destinations {
		if row.Value.Forward == ipvsctl.NAT || !own(row.Key.Addr) {
			row.Value.Weight = 0
			gone.servers[row.Key] = departed{Destination: row.Value, until: now.Add(s.DrainTimeout)}
		}
	}
	maps.Copy(gone.servers, d[was].servers)
	return gone
}

// of returns those of another configuration: who departs with it, by the table that was
// planned before it, and who departed earlier and is not back.
func (d draining) of(now time.Time, was, is *config.Config, planned ipvsctl.Table, own func(netip.Addr) bool) draining {
	all := make(draining)
	for i := range is.Services {
		s := &is.Services[i]
		gone := d.departs(now, s, s.Key, planned, own)
		if d[s.Key].former == nil { // Else servers that are back have their rows until their first results.
			for j := range s.Servers {
				delete(gone.servers, s.Servers[j].Key)
			}
			if s.Fallback != nil {
				delete(gone.servers, s.Fallback.Key)
			}
		}
		if len(gone.servers) > 0 {
			all[s.Key] = gone
		}
	}
	for key, s := range former(was, is) {
		if gone := d.departs(now, s.is, key, planned, own); len(gone.servers) > 0 {
			gone.former = &s.was.Service
			all[key] = gone
		}
	}
	configured := keysOfAll(is)
	for key, gone := range d {
		if _, known := all[key]; !known && !configured[key] && gone.former != nil {
			all[key] = gone
		}
	}
	return all.orNil()
}

// A successor is what a service has become.
type successor struct{ was, is *config.Service }

// former are the virtual services of the kernel that services were, and are no more because
// their packets have a mark now, or have it no longer: there come no packets to them but those
// of connections.
func former(was, is *config.Config) map[ipvsctl.ServiceKey]successor {
	all, configured, names := make(map[ipvsctl.ServiceKey]successor), keysOfAll(is), make(map[string]*config.Service, len(is.Services))
	for i := range is.Services {
		names[is.Services[i].Name] = &is.Services[i]
	}
	for i := range was.Services {
		before := &was.Services[i]
		after := names[before.Name]
		if after == nil || !before.Marked() && !after.Marked() {
			continue
		}
		for _, key := range before.Keys() {
			if !configured[key] && (before.Marked() || after.Packets.Has(key)) {
				all[key] = successor{before, after}
			}
		}
	}
	return all
}

// keysOfAll are the virtual services of the kernel that a configuration has.
func keysOfAll(c *config.Config) map[ipvsctl.ServiceKey]bool {
	all := make(map[ipvsctl.ServiceKey]bool, len(c.Services))
	for i := range c.Services {
		for _, key := range c.Services[i].Keys() {
			all[key] = true
		}
	}
	return all
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
	for k, server := range d[key].servers {
		if _, listed := rows.Get(k); !listed && now.Before(server.until) {
			rows.Set(k, server.Destination)
			until = earliest(until, server.until)
		}
	}
	return until
}

// add adds to a table the services that stay for them alone, or until it is decided who
// serves in their place, and returns until when the first one does.
func (d draining) add(now time.Time, table ipvsctl.Table) (until time.Time) {
	for key, gone := range d {
		if gone.former == nil {
			continue
		}
		rows := slices.Clone(table[key].Destinations)
		until = earliest(until, d.stay(now, key, &rows))
		if len(rows) > 0 {
			table[key] = ipvsctl.VirtualService{Service: *gone.former, Destinations: rows}
		}
	}
	return until
}

// count takes what was counted, and reports whether a row is to go by that.
func (d draining) count(now time.Time, counted Counted) (changed bool) {
	for key, gone := range d {
		for k, server := range gone.servers {
			server.idle++
			if n, known := counted[key].Get(k); !known || n.Active+n.Inactive > 0 {
				server.idle = 0
			}
			gone.servers[k] = server
			if server.idle >= idleLooks || due(server.until, now) {
				delete(gone.servers, k)
				changed = true
			}
		}
		if len(gone.servers) == 0 {
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
	all := maps.Clone(d)
	for key, gone := range all {
		gone.servers = maps.Clone(gone.servers)
		all[key] = gone
	}
	return all
}
