package director

import (
	"maps"
	"slices"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A virtual service of the configuration may be several of the kernel's. What is worked out
// about it is about the first one, whose rows those of the others follow.

// translated returns what a destination of a service is in another one of its virtual
// services of the kernel: at that one's port, unless it has a port of its own.
func translated(s *config.Service, to ipvsctl.ServiceKey, d ipvsctl.DestinationKey) ipvsctl.DestinationKey {
	own := d.Port != s.Key.Port || s.Fallback != nil && s.Fallback.OwnPort && s.Fallback.Key == d ||
		slices.ContainsFunc(s.Servers, func(srv config.Server) bool { return srv.OwnPort && srv.Key == d })
	if !own {
		d.Port = to.Port
	}
	return d
}

// spread gives the other virtual services of the kernel the rows of the first one, but for
// those that may not forward now.
func spread(t ipvsctl.Table, s *config.Service, may func(ipvsctl.ServiceKey) bool) {
	if len(s.More) == 0 {
		return
	}
	first := t[s.Key]
	for _, key := range s.Keys() {
		vs := ipvsctl.VirtualService{Service: first.Service}
		for _, row := range first.Destinations {
			vs.Destinations.Set(translated(s, key, row.Key), row.Value)
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
	for _, d := range servers {
		var n ipvsctl.Counters
		for _, key := range s.Keys() {
			at := d
			if d.Addr.IsValid() {
				at = translated(s, key, d)
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
