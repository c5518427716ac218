package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/text"
	"github.com/lvsd/lvsd/ipvsctl"
)

// Addresses that nobody has: of TEST-NET-1 (RFC 5737, section 3), and of what documents are to
// use of IPv6 (RFC 9637).
var (
	outside4 = netip.AddrFrom4([4]byte{192, 0, 2, 1})
	outside6 = netip.AddrFrom16([16]byte{0x3f, 0xff, 15: 1})
)

// Outside stands for a client that is in no network of the cluster's, so that a real server
// answers it by its default route.
func Outside(server netip.Addr) netip.Addr {
	if server.Is4() {
		return outside4
	}
	return outside6
}

// mostAsked are how many real servers are asked.
const mostAsked = 256

// A Question is asked of a real server by NAT: whether its answers to others than this
// director come back by way of it.
type Question struct {
	Server netip.Addr
	// Port is asked for a connection by TCP; 0: the server is asked for an echo (ICMP).
	Port uint16
	// Interface is that by which packets to the server leave.
	Interface string
	// Virtual is the address that clients of the service know, and this director has, on
	// another interface; invalid: they are on one, where each reaches the other.
	Virtual netip.Addr
}

// throughDirector calls a function with each real server whose answers to clients must pass
// through this director.
func (c *Case) throughDirector(each func(serving)) {
	for _, s := range c.servings() {
		if s.Forward == ipvsctl.NAT && !s.service.SourceNAT.Translates() {
			each(s)
		}
	}
}

// held returns the first address of a service that this director has.
func (c *Case) held(s *config.Service) (netip.Addr, bool) {
	all := s.Addresses(mostAddresses)
	for i := range c.Machine.Interfaces {
		if link := &c.Machine.Interfaces[i]; !link.Quiet {
			if j := slices.IndexFunc(all, link.Has); j >= 0 {
				return all[j], true
			}
		}
	}
	return netip.Addr{}, false
}

// Questions are those that this director can ask now: only the Master has the gateway of the
// real servers. Each server is asked once.
func (c *Case) Questions() (all []Question) {
	known := make(map[netip.Addr]bool)
	c.throughDirector(func(s serving) {
		way, ok := c.Ways[s.server]
		a, has := c.held(s.service)
		if !has || !ok || way.Failure != "" || known[s.server] || len(all) == mostAsked {
			return
		}
		known[s.server] = true
		q := Question{Server: s.server, Interface: way.Interface}
		if s.service.Key.Protocol == ipvsctl.TCP {
			q.Port = s.port
		}
		if v := c.routerOf(s.service); v != nil && v.Interface != way.Interface {
			q.Virtual = a
		}
		all = append(all, q)
	})
	return all
}

// lookReplies is about the servers' default route: where it is not this director, their answers
// reach clients from addresses that these never asked, or nobody at all.
func lookReplies(c *Case) (r Result) {
	lost, some := make(map[*config.Service][]string), make(map[*config.Service][]string)
	var services []*config.Service
	needed, answered := false, false
	c.throughDirector(func(s serving) {
		needed = true
		a := c.Answers[s.server]
		switch {
		case a.Outside, a == (Answers{}):
			answered = answered || a.Outside
			return
		case a.Virtual:
			some[s.service] = append(some[s.service], s.server.String())
		default:
			lost[s.service] = append(lost[s.service], s.server.String())
		}
		if !slices.Contains(services, s.service) {
			services = append(services, s.service)
		}
	})
	const remedy = `make this director's address in their network their default route ("lvsd realserver up" there does), or write source_nat = "masquerade" in the virtual_service`
	for _, s := range services {
		subject, outside := fmt.Sprintf("virtual service %q", s.Name), Outside(s.Servers[0].Key.Addr)
		if list := lost[s]; len(list) > 0 {
			r.wrong(subject, remedy, nil, "the answers of %s to clients outside of their network do not come back by way of this director (tried as %v), so the connections of such clients hang, although the checks pass", listed(list), outside)
		}
		if list := some[s]; len(list) > 0 {
			r.risk(subject, remedy, nil, "the answers of %s come back by way of this director where they are for the network of the virtual address, and not where they are for others (tried as %v)", listed(list), outside)
		}
	}
	switch {
	case !needed:
		return needless("no virtual service needs the answers of its real servers to pass through the director")
	case c.Unasked != "":
		return unknown(c.Unasked)
	case c.Answers == nil:
		return unknown("only the Master can ask the real servers, and this director has no address of a virtual service by NAT now")
	case len(services) == 0 && !answered:
		return unknown("no real server answers this director at all")
	}
	return r.judged()
}

// listed names the real servers of a finding, of many the first ones.
func listed(servers []string) string {
	const most = 5
	slices.Sort(servers)
	servers = slices.Compact(servers)
	if n := len(servers) - most; n > 0 {
		return "real servers " + strings.Join(servers[:most], ", ") + " and " + text.Count(n, "other")
	}
	if len(servers) == 1 {
		return "real server " + servers[0]
	}
	return "real servers " + strings.Join(servers, ", ")
}
