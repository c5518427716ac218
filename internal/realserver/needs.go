package realserver

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
)

// Facts are what a machine is like now.
type Facts struct {
	// Own are the addresses on its interfaces, with the lengths of their networks'
	// prefixes.
	Own []netip.Prefix
	// Gateways are those of its default routes, of each family that has one, but for
	// lvsd's.
	Gateways []netip.Addr
	// Parts are the values of those that there are.
	Parts map[Part]string
}

// A Cluster is the directors' configuration as a machine reads it.
type Cluster struct {
	*config.Config
	// Director: the machine is one of the directors that the configuration names. It
	// matters where there are real servers by NAT.
	Director bool
}

// A Need is the value that a part should have.
type Need struct {
	Part
	Value string
	// Services are the names of the virtual services that need it, in their order.
	Services []string
}

// A Role is what a machine is in a configuration.
type Role struct {
	// Services are those of which it is a real server.
	Services []Serving
	// Needs are in the order in which they are to be met.
	Needs []Need
}

// maxAddresses bounds the virtual addresses of one service that are added one by one.
const maxAddresses = 256

// A Serving is one virtual service with an address of this machine among its servers.
type Serving struct {
	Service string
	// Virtual is where clients reach it.
	Virtual string
	Server  netip.Addr
	Forward ipvsctl.Forward
	// Note says what cannot be done for it, or is not; empty: nothing.
	Note string
}

// RoleOf returns what a machine is in a configuration, and needs for that.
func RoleOf(c *Cluster, f *Facts) Role {
	r := roleReader{cluster: c, facts: f, own: ownOf(c, f.Own), needs: make(map[Part]*Need)}
	for i := range c.Services {
		s := &c.Services[i]
		for j := range s.Servers {
			r.add(s, s.Servers[j].Key.Addr, &s.Servers[j].Destination)
		}
		if s.Fallback != nil {
			r.add(s, s.Fallback.Key.Addr, &s.Fallback.Destination)
		}
	}
	for _, n := range slices.SortedFunc(maps.Keys(r.needs), Part.compare) {
		r.role.Needs = append(r.role.Needs, *r.needs[n])
	}
	return r.role
}

// ownOf returns the addresses that a real server may be known by: a virtual one, which all
// real servers have, is not among them.
func ownOf(c *Cluster, addresses []netip.Prefix) map[netip.Addr]bool {
	own := make(map[netip.Addr]bool, len(addresses))
	for _, p := range addresses {
		own[p.Addr()] = true
	}
	for i := range c.Services {
		for _, a := range c.Services[i].Addresses(maxAddresses) {
			delete(own, a)
		}
	}
	return own
}

type roleReader struct {
	cluster *Cluster
	facts   *Facts
	own     map[netip.Addr]bool
	role    Role
	needs   map[Part]*Need
}

// add adds what one server of a service needs, if it is this machine.
func (r *roleReader) add(s *config.Service, server netip.Addr, d *ipvsctl.Destination) {
	if !r.own[server] {
		return
	}
	serving := Serving{Service: s.Name, Virtual: s.Address(), Server: server, Forward: d.Forward}
	addresses := s.Addresses(maxAddresses)
	switch {
	case d.Forward == ipvsctl.NAT:
		serving.Note = r.route(s, server)
	case s.Marked() && len(addresses) == 0:
		serving.Note = fmt.Sprintf("it has more than %d virtual addresses: add them yourself, as a route of type local for instance", maxAddresses)
	case len(addresses) == 0:
		serving.Note = fmt.Sprintf("firewall mark %d does not say which virtual addresses it is for: add them yourself", s.Key.Mark)
	}
	r.role.Services = append(r.role.Services, serving)
	if d.Forward == ipvsctl.NAT {
		return
	}
	place := Loopback
	if d.Forward == ipvsctl.Tunnel {
		place = r.tunnel(s, server, d)
	}
	if s.Key.Addr.Is4() {
		r.silence(s.Name)
	}
	for _, a := range addresses {
		r.need(s.Name, AddressOn(place, a), Present)
	}
}

// route has the answers of a server by NAT go by way of the director, and returns what is
// left to the user.
func (r *roleReader) route(s *config.Service, server netip.Addr) (note string) {
	routers, part := r.cluster.Routers, DefaultRoute(server.Is6())
	gateway := gatewayOf(routers, r.facts.Own, server, s.Addresses(maxAddresses))
	need := r.needs[part]
	switch {
	case s.SourceNAT.Translates():
		return "" // It answers the director, as it can.
	case moves(routers, server) || r.holds(gateway):
		return "" // The Master needs no way to itself.
	case r.cluster.Director:
		return "this director keeps its default route, so it serves only while it is Master: in the place of its own address, " +
			"name one that moves with the role, such as an extra_address of the virtual router"
	case !gateway.IsValid():
		return fmt.Sprintf("its answers must go by way of the Master, and no virtual router has an address in the network of %v: "+
			"add an extra_address there, or see to the default route yourself", server)
	case need != nil && need.Value != gateway.String():
		return fmt.Sprintf("its answers must go by way of %v, and there is one default route, which those of virtual service %q need by way of %s", gateway, need.Services[0], need.Value)
	case r.facts.Parts[part] == "" && slices.Contains(r.facts.Gateways, gateway):
		return "" // The machine's own default route leads there.
	}
	r.need(s.Name, part, gateway.String())
	return ""
}

// holds reports whether an address is on this machine.
func (r *roleReader) holds(a netip.Addr) bool {
	return slices.ContainsFunc(r.facts.Own, func(p netip.Prefix) bool { return p.Addr() == a })
}

// silence has no ARP request for the virtual address answered, and none sent from it. The
// kernel takes the larger value of that of "all" and the interface's own; what
// is stricter than needed stays.
func (r *roleReader) silence(service string) {
	ignore := ParameterOf(machine.ARPIgnore(all))
	value := r.facts.Parts[ignore]
	if value == "" || value == "0" {
		value = "1"
	}
	r.need(service, ignore, value)
	r.need(service, ParameterOf(machine.ARPAnnounce(all)), "2")
}

// tunnel adds what takes wrapped packets, and returns the device by which they come. An
// end of a tunnel hears from clients to whom the way is another one. The larger value of
// that of "all" and its own is in force: where all is strict (1), it is loose (2), since all
// would be less safe otherwise.
func (r *roleReader) tunnel(s *config.Service, server netip.Addr, d *ipvsctl.Destination) string {
	end := endOf(s.Key, server, d.TunnelType)
	r.need(s.Name, DeviceNamed(end), Up)
	if end == SixEnd && s.Key.Addr.Is4() {
		r.need(s.Name, ModeOf(end), Any)
	}
	if d.TunnelType == ipvsctl.TunnelGUE {
		r.need(s.Name, PortFor(d.TunnelPort, server.Is6()), GUE)
	}
	filter := "0"
	if of := r.facts.Parts[ParameterOf(machine.RPFilter(all))]; of != "" && of != "0" {
		filter = "2"
	}
	if s.Key.Addr.Is4() {
		r.need(s.Name, ParameterOf(machine.RPFilter(end)), filter)
	}
	return end
}

// endOf returns the device by which packets for a service come out of a tunnel.
func endOf(k ipvsctl.ServiceKey, server netip.Addr, kind uint8) string {
	switch {
	case kind == ipvsctl.TunnelGRE && server.Is4():
		return "gre0"
	case kind == ipvsctl.TunnelGRE:
		return "ip6gre0"
	case server.Is6():
		return SixEnd
	case k.Addr.Is6():
		return "sit0"
	default:
		return "tunl0"
	}
}

// need adds one need of a service.
func (r *roleReader) need(service string, p Part, value string) {
	n := r.needs[p]
	if n == nil {
		n = &Need{Part: p, Value: value}
		r.needs[p] = n
	}
	if !slices.Contains(n.Services, service) {
		n.Services = append(n.Services, service)
	}
}
