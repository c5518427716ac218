package director

import (
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A load is how full a real server is. The kernel does not tell which servers it
// passes over (IP_VS_DEST_F_OVERLOAD), but that follows from what it counts, by
// ip_vs_bind_dest and ip_vs_unbind_dest in net/netfilter/ipvs/ip_vs_conn.c.
type load struct {
	// upper is the server's threshold.
	upper uint32
	// connections are those that it has, with those that have ended and that the
	// kernel has not forgotten; total is how many it has had.
	connections uint32
	total       uint64
	full        bool
}

// next is the load by newer counters. A server is full from when it has as many
// connections as its upper threshold until it has fewer than its lower one, or than
// three quarters of the upper. It may have reached it since the last look and lost
// some again, so those that came meanwhile count as if all of them had stayed.
func (l load) next(d ipvsctl.Destination, c ipvsctl.Counters) load {
	now := load{upper: d.Upper, connections: c.Active + c.Inactive, total: c.Connections}
	few := now.connections < d.Lower
	if d.Lower == 0 {
		few = 4*uint64(now.connections) < 3*uint64(d.Upper)
	}
	most := uint64(now.connections)
	if l.upper > 0 {
		most = max(most, uint64(l.connections)+increase(l.total, now.total))
	}
	now.full = !few && (most >= uint64(d.Upper) || l.full && d.Upper <= l.upper)
	return now
}

// A place is a real server in a virtual service.
type place struct {
	service ipvsctl.ServiceKey
	server  ipvsctl.DestinationKey
}

// loads are those of all real servers with an upper threshold.
type loads map[place]load

// count takes the kernel's newest counters, and reports whether other servers are
// full now.
func (l loads) count(services []config.Service, counters Counted) (changed bool) {
	for i := range services {
		s := &services[i]
		for j := range s.Servers {
			d := s.Servers[j].Destination
			if d.Upper == 0 {
				continue
			}
			at := place{s.Key, s.Servers[j].Key}
			was := l[at]
			counted, _ := counters[s.Key].Get(at.server)
			l[at] = was.next(d, counted)
			changed = changed || l[at].full != was.full
		}
	}
	return changed
}

// of returns those of servers that have a threshold in a configuration.
func (l loads) of(services []config.Service) loads {
	kept := make(loads)
	for i := range services {
		for j := range services[i].Servers {
			at := place{services[i].Key, services[i].Servers[j].Key}
			if was, known := l[at]; known && services[i].Servers[j].Destination.Upper > 0 {
				kept[at] = was
			}
		}
	}
	return kept
}
