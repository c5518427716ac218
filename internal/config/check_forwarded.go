package config

import (
	"strconv"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/ipvsctl"
)

// maxForwarded is how many probes by the forwarding path may ask one virtual address and
// port in a second. The kernel's IPVS remembers for a minute to which server a connection
// went that nobody answered, and a director comes round its 14,000 ports of one parity in
// that time with some two hundred a second.
const maxForwarded = 100

// forward returns what a check asks of a server by the forwarding path, and reports why
// that cannot be, once.
func (p *probe) forward(b *block.Body, key ipvsctl.ServiceKey, to *Server) checker.Spec {
	refuse := func(summary, text string, arguments ...any) checker.Spec {
		if !p.viaRefused {
			p.viaRefused = true
			b.Mistake(p.at, summary, text, arguments...)
		}
		return p.spec
	}
	d := &to.Destination
	switch {
	case key.Mark != 0:
		return refuse("Forwarded check of a firewall mark", "A service by firewall mark has no address of its own that could be asked: remove forwarded from the via block of the check.")
	case !key.Addr.IsValid():
		return p.spec
	case d.Forward == ipvsctl.NAT:
		return refuse("Forwarded check with NAT", "With forward = \"nat\", the server gets the same packets when it is asked at its own address, so nothing more is seen by way of IPVS: remove forwarded from the via block of the check.")
	case !p.via.Source.IsValid() && key.Addr.Is4() != to.Key.Addr.Is4():
		return refuse("Mixed families", "%v is asked by a tunnel to %v, so the address of this director that it is asked from does not follow from the route there: give the via block a source of the family of %[1]v.", key.Addr, to.Key.Addr)
	}
	way := p.via.way()
	way.Forwarded = checker.Forwarding{Virtual: key.Addr, Method: d.Forward.String(),
		TunnelType: d.TunnelType, TunnelPort: d.TunnelPort, TunnelFlags: d.TunnelFlags}
	if spec := p.spec.By(way); spec != p.forwarded {
		p.forwarded = spec // One text for all servers.
	}
	return p.forwarded
}

// checkForwarded warns where the kernel would have forgotten too little of the probes
// before, and claims the paths of a service.
func checkForwarded(b *block.Body, s *Service) {
	perSecond, paths := 0.0, 0
	for i := range s.Servers {
		for j := range s.Servers[i].Checks {
			if c := &s.Servers[i].Checks[j]; c.Forwarded {
				perSecond += 1 / c.Target.Interval.Seconds()
				paths++
			}
		}
	}
	if paths > 0 {
		claim(b, forwardedServers, strconv.Itoa(paths), b.Head)
	}
	if perSecond > maxForwarded {
		b.Doubt(b.Head, "Many forwarded checks", "They make %.0f connections a second to one address. Above %d, one may get a port whose last connection IPVS still sends to another server: raise their interval, or check some of the servers at their own addresses.", perSecond, maxForwarded)
	}
}
