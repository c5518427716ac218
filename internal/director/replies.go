package director

import (
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/text"
	"github.com/lvsd/lvsd/ipvsctl"
)

// unanswered is how many connections to a real server, and how many repeated
// packets, make its silence certain. A client repeats its first packet after a
// second.
const unanswered = 5

// repliesEvery is how many heartbeats pass between two looks at the replies.
const repliesEvery = 3

// A reply is what is known of the replies of one real server: its counters since it
// was heard, or since the last minute began. With NAT and TCP, the first packet of a
// server's answer to each client is counted. The counters are the lower halves of
// the kernel's, which is enough for differences.
type reply struct {
	connections, in, out uint32
	since                uint32 // seconds since the director's start
	known                bool
	missing              bool // then, or in the minute before
}

// next is the reply by newer counters.
func (r reply) next(now time.Duration, n ipvsctl.Counters) reply {
	fresh := reply{uint32(n.Connections), uint32(n.PacketsIn), uint32(n.PacketsOut), uint32(now / time.Second), true, false}
	came, packets := int32(fresh.connections-r.connections), int32(fresh.in-r.in)
	if !r.known || fresh.out != r.out || came < 0 || packets < 0 {
		return fresh // It was heard, or is in the table anew.
	}
	silent := came >= unanswered && packets >= came+unanswered
	if fresh.since-r.since >= uint32(recent/time.Second) {
		fresh.missing = silent
		return fresh
	}
	r.missing = r.missing || silent
	return r
}

// replies are those of the real servers of each service, in the configuration's
// order, from the first look on at which clients have come: 20 bytes a server.
type replies map[ipvsctl.ServiceKey][]reply

// count takes the kernel's newest counters.
func (r replies) count(now time.Duration, services []config.Service, counters Counted) {
	for i := range services {
		s := &services[i]
		rows := counters[s.Key]
		if total, _ := rows.Get(ipvsctl.DestinationKey{}); s.Key.Protocol != ipvsctl.TCP || total.Connections == 0 {
			continue
		}
		if len(r[s.Key]) != len(s.Servers) {
			r[s.Key] = make([]reply, len(s.Servers))
		}
		for j := range s.Servers {
			n, _ := rows.Get(s.Servers[j].Key)
			r[s.Key][j] = r[s.Key][j].next(now, n)
		}
	}
}

// of returns those of the services of another configuration that have the same
// servers.
func (r replies) of(before, after []config.Service) replies {
	servers := make(map[ipvsctl.ServiceKey][]config.Server, len(r))
	for i := range before {
		servers[before[i].Key] = before[i].Servers
	}
	kept := make(replies, len(r))
	for i := range after {
		s := &after[i]
		was := servers[s.Key]
		same := len(was) == len(s.Servers)
		for j := 0; same && j < len(was); j++ {
			same = was[j].Key == s.Servers[j].Key
		}
		if known := r[s.Key]; same && known != nil {
			kept[s.Key] = known
		}
	}
	return kept
}

// replies finds real servers whose replies do not come back through this director,
// which checks, that are not forwarded, cannot see. One whose checks fail is silent for
// another reason.
func (all *findings) replies(c *config.Config, seen replies, own map[netip.Addr]bool, master func(router string) bool, passes func(service, server int) bool) {
	holder := config.Holders(c.Routers)
	var silent []string
	for i := range c.Services {
		s := &c.Services[i]
		if len(seen[s.Key]) != len(s.Servers) || !mayForward(s, c.Routers, holder, master) {
			continue
		}
		for j, r := range seen[s.Key] {
			srv := &s.Servers[j]
			if r.missing && srv.Destination.Forward == ipvsctl.NAT && !own[srv.Key.Addr] && passes(i, j) {
				silent = append(silent, s.Name+"/"+srv.Name)
			}
		}
	}
	if len(silent) > 0 {
		all.add(api.Error, "replies-missing", "", "make an address of this director (an extra_address) their default route, and let their firewall accept the clients; "+
			"clients in the servers' own network cannot be served with NAT",
			"real servers %s get the clients' packets, but no reply has come back through this director in the last minute", text.Few(silent))
	}
}
