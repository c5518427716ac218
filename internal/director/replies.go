package director

import (
	"net/netip"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/text"
	"github.com/lvsd/lvsd/ipvsctl"
)

// unanswered is how many connections to a real server, and how many repeated
// packets, make its silence certain. A client repeats its first packet after a
// second.
const unanswered = 5

// replies finds real servers whose replies do not come back through this director,
// which checks, that are not forwarded, cannot see. With NAT and TCP, the first packet of
// a server's answer to each client would be counted. One that is not up is silent for
// another reason.
func (all *findings) replies(c *config.Config, counters Counted, own map[netip.Addr]bool, master func(router string) bool, state func(service, server int) checker.State) {
	holder := holders(c.Routers)
	var silent []string
	for i := range c.Services {
		s := &c.Services[i]
		rows := counters[s.Key]
		if s.Key.Protocol != ipvsctl.TCP || len(rows) == 0 || !mayForward(s, c.Routers, holder, master) {
			continue
		}
		for j := range s.Servers {
			srv := &s.Servers[j]
			if n, _ := rows.Get(srv.Key); srv.Destination.Forward == ipvsctl.NAT && !own[srv.Key.Addr] && silence(n) && state(i, j) == checker.Up {
				silent = append(silent, s.Name+"/"+srv.Name)
			}
		}
	}
	if len(silent) > 0 {
		all.add(api.Error, "replies-missing", "", "make an address of this director (an extra_address) their default route, and let their firewall accept the clients; "+
			"clients in the servers' own network cannot be served with NAT",
			"real servers %s get the clients' packets, but none of their replies has come back through this director", text.Few(silent))
	}
}

// silence reports whether clients have waited for a server in vain, and no client
// has not.
func silence(n ipvsctl.Counters) bool {
	return n.PacketsOut == 0 && n.Connections >= unanswered && n.PacketsIn >= n.Connections+unanswered
}
