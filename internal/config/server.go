package config

import (
	"fmt"
	"math"
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsd/lvsd/ipvsctl"
)

// A group is what a service says for all its servers.
type group struct {
	key     ipvsctl.ServiceKey
	anyPort bool // the service has no port of its own, and that is no mistake
	forward ipvsctl.Forward
	valid   bool // forward is known
	tunnel  encapsulation
	initial string
	checks  []probe
	// seen holds the destinations of the service, by their key.
	seen map[ipvsctl.DestinationKey]hcl.Range
}

// An encapsulation is how a tunnel wraps packets (IP_VS_CONN_F_TUNNEL_TYPE_*
// and IP_VS_TUNNEL_ENCAP_FLAG_* in linux/ip_vs.h).
type encapsulation struct {
	kind  uint8
	port  uint16
	flags uint16
}

var (
	tunnelTypes     = map[string]uint8{"ipip": 0, "gue": 1, "gre": 2}
	tunnelChecksums = map[string]uint16{"none": 0, "plain": 1, "remote": 2}
)

func (d *decoder) group(r *rawService, key ipvsctl.ServiceKey) *group {
	g := &group{key: key, seen: make(map[ipvsctl.DestinationKey]hcl.Range, len(r.Servers)+1)}
	g.anyPort = r.FirewallMark != nil || key.Port == 0 && r.Port != nil && !d.refused(r.Port)
	g.forward, g.valid = d.forward(r.Forward)
	g.tunnel = d.tunnel(r.Tunnel, g.forward, g.valid, encapsulation{})
	g.initial = d.choice(r.Initial, "check", "check", "up")
	g.checks = d.checks(r.Checks)
	if len(r.Checks) == 0 {
		g.checks = []probe{defaultProbe(key)}
	}
	return g
}

func (d *decoder) forward(a *hcl.Attribute) (ipvsctl.Forward, bool) {
	f, ok := forwards[d.choice(a, "", "nat", "direct", "tunnel")]
	return f, ok
}

// forwardOf reads how a server is reached that may differ from its service.
func (d *decoder) forwardOf(a *hcl.Attribute, g *group) (ipvsctl.Forward, bool) {
	if f, given := d.forward(a); given {
		return f, true
	}
	return g.forward, g.valid && !d.refused(a)
}

// tunnel reads the encapsulation of a service or of one of its servers.
func (d *decoder) tunnel(r *rawTunnel, forward ipvsctl.Forward, known bool, def encapsulation) encapsulation {
	if r == nil {
		return def
	}
	if known && forward != ipvsctl.Tunnel {
		d.mistake(r.Range, "Unused tunnel block", "Packets are forwarded by %v: remove the block, or set forward = \"tunnel\".", forward)
	}
	kind := d.choice(r.Type, "ipip", "ipip", "gue", "gre")
	e := encapsulation{kind: tunnelTypes[kind]}
	e.port = uint16(d.count(r.Port, 0, 1, math.MaxUint16))
	switch {
	case d.refused(r.Type):
	case kind == "gue" && r.Port == nil:
		d.mistake(r.Range, "Missing port", "GUE packets are UDP and need the port on which the servers expect them; for example: port = 5555")
	case kind != "gue" && r.Port != nil:
		d.mistake(r.Port.NameRange, "Unused port", "Only tunnels of type \"gue\" have a port, and this is \"%s\": remove it.", kind)
	}
	checksum := d.choice(r.Checksum, "none", "none", "plain", "remote")
	e.flags = tunnelChecksums[checksum]
	if d.refused(r.Type) {
		return e
	}
	if kind == "ipip" && checksum != "none" || kind == "gre" && checksum == "remote" {
		d.mistake(place(r.Checksum, r.Range), "Unsupported checksum", "A tunnel of type %q has no checksum %q: \"plain\" is for gue and gre, \"remote\" for gue.", kind, checksum)
	}
	return e
}

// server reads a real server.
func (d *decoder) server(r *rawServer, g *group) (s Server, ok bool) {
	forward, known := d.forwardOf(r.Forward, g)
	s.Name = r.Name
	d.checkName(r.Name, r.NameRange)
	at := place(r.Address, r.NameRange)
	s.Key.Addr, ok = d.serverAddress(r)
	s.Key.Port = d.serverPort(r.Port, g, forward, known)
	s.Destination = d.destination(forward, d.tunnel(r.Tunnel, forward, known, g.tunnel))
	s.Destination.Weight = uint32(d.count(r.Weight, 1, 0, math.MaxInt32))
	s.Destination.Upper, s.Destination.Lower = d.thresholds(r)
	s.InitialUp = d.choice(r.Initial, g.initial, "check", "up") == "up"
	probes := g.checks
	if len(r.Checks) > 0 {
		probes = d.checks(r.Checks)
	}
	if !ok {
		return s, false
	}
	d.reachable(s.Key.Addr, at, g, forward, known)
	if d.refused(r.Port) {
		return s, false
	}
	d.once(g, s.Key, r.Range, "a service has every server once; its weight gives it a larger share")
	if s.Key.Addr == g.key.Addr && s.Key.Port == g.key.Port && g.key.Port != 0 {
		d.doubt(at, "Server is the service itself", "%s is the service's own address and port, so its check asks the service and not a server: write the server's own address.", s.Key)
	}
	s.Checks = d.aim(probes, s.Key, r.Range, g.anyPort)
	return s, true
}

// serverAddress reads the address of a real server: its label, where address
// is left out.
func (d *decoder) serverAddress(r *rawServer) (netip.Addr, bool) {
	if r.Address != nil {
		return d.address(r.Address)
	}
	if strings.Trim(r.Name, "0123456789.") != "" && !strings.Contains(r.Name, ":") {
		d.mistake(r.NameRange, "Missing address", "The name %q is no IP address, so the server needs one; for example: address = \"192.168.1.4\"", r.Name)
		return netip.Addr{}, false
	}
	return d.parseAddress(r.Name, r.NameRange)
}

// serverPort reads the port of a real server. Only NAT can translate it; a
// service by firewall mark leaves the client's where no port is given.
func (d *decoder) serverPort(a *hcl.Attribute, g *group, forward ipvsctl.Forward, known bool) uint16 {
	port, ok := d.number(a, 1, math.MaxUint16)
	if !ok {
		return g.key.Port
	}
	if !known || forward == ipvsctl.NAT || !g.anyPort && g.key.Port == 0 {
		return uint16(port)
	}
	switch {
	case g.key.Mark != 0 || g.key.Port == 0:
		d.mistake(a.Expr.Range(), "Untranslatable port", "With forward = \"%v\" the port stays the client's, whichever it is: remove port (a check has a port of its own), or use \"nat\".", forward)
	case uint16(port) != g.key.Port:
		d.mistake(a.Expr.Range(), "Untranslatable port", "With forward = \"%v\" the packet keeps the service's port %d: remove port, or use \"nat\".", forward, g.key.Port)
	}
	return g.key.Port
}

func (d *decoder) destination(forward ipvsctl.Forward, e encapsulation) ipvsctl.Destination {
	dst := ipvsctl.Destination{Forward: forward, Weight: 1}
	if forward == ipvsctl.Tunnel {
		dst.TunnelType, dst.TunnelPort, dst.TunnelFlags = e.kind, e.port, e.flags
	}
	return dst
}

// thresholds reads the connection thresholds; the kernel refuses a lower one
// above the upper (ERANGE).
func (d *decoder) thresholds(r *rawServer) (upper, lower uint32) {
	u := d.count(r.UpperThreshold, 0, 0, math.MaxUint32)
	l := d.count(r.LowerThreshold, 0, 0, math.MaxUint32)
	switch {
	case d.refused(r.UpperThreshold):
	case l > 0 && u == 0:
		d.mistake(r.LowerThreshold.Expr.Range(), "Lower threshold alone", "lower_threshold says when a server that reached its upper_threshold gets connections again: write that too.")
	case l > u:
		d.mistake(r.LowerThreshold.Expr.Range(), "Thresholds reversed", "lower_threshold %d must not be above upper_threshold %d.", l, u)
	}
	return uint32(u), uint32(l)
}

// reachable checks whether the kernel can forward a service's packets to an
// address.
func (d *decoder) reachable(a netip.Addr, at hcl.Range, g *group, forward ipvsctl.Forward, known bool) {
	if !d.usable(a, at) || !known {
		return
	}
	if g.key.Addr.IsValid() && a.Is4() != g.key.Addr.Is4() && forward != ipvsctl.Tunnel {
		remedy := "write an address of that family, or use forward = \"tunnel\""
		if g.key.Mark != 0 && a.Is6() {
			remedy = "set family = \"ipv6\""
		}
		d.mistake(at, "Wrong family", "%s can't serve %s by %v: %s.", a, describe(g.key), forward, remedy)
	}
	if a.IsLoopback() && forward == ipvsctl.NAT {
		d.mistake(at, "Loopback with NAT", "The kernel refuses to translate to a loopback address: write one of this director's other addresses, or use forward = \"direct\" with the service's port.")
	}
}

// describe names a service in a sentence.
func describe(k ipvsctl.ServiceKey) string {
	if k.Mark != 0 {
		return k.String()
	}
	return k.Addr.String()
}

func (d *decoder) fallback(r *rawFallback, g *group) *Fallback {
	forward, known := d.forwardOf(r.Forward, g)
	d.require(r.Address, r.Range, "address", `address = "10.13.0.15"`)
	f := &Fallback{}
	f.Key.Port = d.serverPort(r.Port, g, forward, known)
	f.Destination = d.destination(forward, d.tunnel(r.Tunnel, forward, known, g.tunnel))
	addr, ok := d.address(r.Address)
	if !ok {
		return nil
	}
	f.Key.Addr = addr
	d.reachable(addr, r.Address.Expr.Range(), g, forward, known)
	if d.refused(r.Port) {
		return nil
	}
	d.once(g, f.Key, r.Range, "the fallback serves when every real server is down, so it must be another one")
	return f
}

// once reports a real server that the service has already.
func (d *decoder) once(g *group, key ipvsctl.DestinationKey, at hcl.Range, remedy string) {
	if first, again := g.seen[key]; again {
		d.mistake(at, fmt.Sprintf("Duplicate real server %v", key), "It is at %s already: %s.", position(first), remedy)
		return
	}
	g.seen[key] = at
}
