package director

import (
	"maps"
	"slices"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A virtual service of the configuration may be several of the kernel's. What is worked out
// about it is about the first one, whose rows those of the others follow.

// A translation tells what the destinations of a service are in another one of its virtual
// services of the kernel: they are at that one's port, but for those that have a port of their
// own, which is another one than the service's first, or among these.
type translation struct {
	first uint16
	own   map[ipvsctl.DestinationKey]bool // nil: none
}

func translationOf(s *config.Service) translation {
	t := translation{first: s.Key.Port}
	note := func(d ipvsctl.DestinationKey, own bool) {
		if own && d.Port == t.first {
			if t.own == nil {
				t.own = make(map[ipvsctl.DestinationKey]bool)
			}
			t.own[d] = true
		}
	}
	for i := range s.Servers {
		note(s.Servers[i].Key, s.Servers[i].OwnPort)
	}
	if s.Fallback != nil {
		note(s.Fallback.Key, s.Fallback.OwnPort)
	}
	return t
}

// to translates one destination.
func (t *translation) to(key ipvsctl.ServiceKey, d ipvsctl.DestinationKey) ipvsctl.DestinationKey {
	if d.Port == t.first && !t.own[d] {
		d.Port = key.Port
	}
	return d
}

// spread gives the other virtual services of the kernel the rows of the first one, but for
// those that may not forward now.
func spread(t ipvsctl.Table, s *config.Service, may func(ipvsctl.ServiceKey) bool) {
	if len(s.More) == 0 {
		return
	}
	first, as := t[s.Key], translationOf(s)
	for _, key := range s.Keys() {
		vs := ipvsctl.VirtualService{Service: first.Service}
		for _, row := range first.Destinations {
			vs.Destinations.Set(as.to(key, row.Key), row.Value)
		}
		if delete(t, key); may(key) {
			t[key] = vs
		}
	}
}

// countersOf is what the kernel has counted for a service, all its virtual services together.
func countersOf(s *config.Service, counters Counted) ipvsctl.Rows[ipvsctl.Counters] {
	if len(s.More) == 0 {
		return counters[s.Key]
	}
	var sum ipvsctl.Rows[ipvsctl.Counters]
	servers := make([]ipvsctl.DestinationKey, 0, len(s.Servers)+1)
	servers = append(servers, ipvsctl.DestinationKey{}) // the service itself
	for _, row := range counters[s.Key] {
		servers = append(servers, row.Key)
	}
	as, keys := translationOf(s), s.Keys()
	for _, d := range servers {
		var n ipvsctl.Counters
		for _, key := range keys {
			at := d
			if d.Addr.IsValid() {
				at = as.to(key, d)
			}
			one, _ := counters[key].Get(at)
			n = plus(n, one)
		}
		sum.Set(d, n)
	}
	return sum
}

// plus is the sum of what was counted in two places.
func plus(a, b ipvsctl.Counters) ipvsctl.Counters {
	return ipvsctl.Counters{Active: a.Active + b.Active, Inactive: a.Inactive + b.Inactive, Persistent: a.Persistent + b.Persistent,
		Connections: a.Connections + b.Connections, PacketsIn: a.PacketsIn + b.PacketsIn, PacketsOut: a.PacketsOut + b.PacketsOut,
		BytesIn: a.BytesIn + b.BytesIn, BytesOut: a.BytesOut + b.BytesOut}
}

// together returns counters in which each service has what was counted for all its virtual
// services under the key of the first.
func (in Counted) together(services []config.Service) Counted {
	all := maps.Clone(in)
	for i := range services {
		if s := &services[i]; len(s.More) > 0 && in[s.Key] != nil {
			all[s.Key] = countersOf(s, in)
		}
	}
	return all
}

// packetsTogether is the same for the packets that have come.
func packetsTogether(services []config.Service, packets map[ipvsctl.ServiceKey]uint64) map[ipvsctl.ServiceKey]uint64 {
	all := maps.Clone(packets)
	for i := range services {
		for _, key := range services[i].More {
			if _, listed := all[services[i].Key]; listed {
				all[services[i].Key] += packets[key]
			}
		}
	}
	return all
}

// several reports whether a service is several of the kernel's.
func several(services []config.Service) bool {
	return slices.ContainsFunc(services, func(s config.Service) bool { return len(s.More) > 0 })
}

// keysOf are the virtual services of the kernel that some services are, in their order.
func keysOf(services []config.Service, keys []ipvsctl.ServiceKey) []ipvsctl.ServiceKey {
	all := slices.Clip(keys)
	for i := range services {
		if s := &services[i]; len(s.More) > 0 && slices.Contains(keys, s.Key) {
			all = append(all, s.More...)
		}
	}
	slices.SortFunc(all, ipvsctl.ServiceKey.Compare)
	return slices.Compact(all)
}
