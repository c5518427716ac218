package config

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A server is a real server, or a fallback, while it is read.
type server struct {
	route
	address              netip.Addr
	port                 uint16
	weight, upper, lower uint32
	tier                 uint8
	whenFull             bool
}

func addressOption(help string) block.Entry[server] {
	return block.Text("address", help, netip.Addr{}, block.Address, func(s *server) *netip.Addr { return &s.address }).Within("an address")
}

// The options that a real server and a fallback have.

func serverPort() block.Entry[server] {
	return block.Count("port", "The server's port. It can differ from the service's port only if forward is \"nat\". With firewall_mark, packets keep the port that the client sent them to unless this is set.",
		0, 1, math.MaxUint16, func(s *server) *uint16 { return &s.port }).Unless("the service's")
}

func serverForward() block.Entry[server] {
	return forwardOption("The forwarding method for this server, if it differs from the service's.", (*server).self).Unless("the service's")
}

func serverTunnel() block.Entry[server] {
	return tunnelOption("How packets to this server are encapsulated. It replaces the service's tunnel block.", (*server).self)
}

var serverTable = block.NewTable("real_server", func() []block.Entry[server] {
	return []block.Entry[server]{
		addressOption("The server's address.").Unless("the label"),
		serverPort(),
		block.Count("weight", "The server's share of the connections relative to the other servers. A server with weight 0 gets no new connections and keeps those that it has.",
			1, 0, math.MaxInt32, func(s *server) *uint32 { return &s.weight }),
		block.Count("tier", "The servers of tier 1 serve while enough of them take connections (min_healthy, recover_healthy; by default one is enough), else those of tier 2 in their place, and so on. All are checked always. Those of another tier than serves keep the connections that they have, with weight 0, and with persistence only if the tiers before them serve no more. When no tier has enough, the fallback serves. Without one, the last tier is a fallback that is checked, and may have several servers: one of them is enough; without any, all servers that are up serve.",
			uint8(1), 1, MaxTiers, func(s *server) *uint8 { return &s.tier }),
		block.Count("upper_threshold", "The number of connections at which the server gets no new ones. 0 means no limit. Set it if a server fails when it is overloaded. The kernel also counts connections that have ended until it forgets them, after 2 minutes with TCP and 5 with UDP: with 10 short ones a second, those are 1,200. Once all servers are at their thresholds, clients are refused; see when_full of the fallback.",
			0, 0, math.MaxUint32, func(s *server) *uint32 { return &s.upper }),
		block.Count("lower_threshold", "A server that has reached upper_threshold gets new connections again once it has fewer than this. 0 means three quarters of upper_threshold.",
			0, 0, math.MaxUint32, func(s *server) *uint32 { return &s.lower }),
		serverForward(), serverTunnel(),
		initialOption("Whether this server waits for its checks before it gets connections, if that differs from the service's setting.", "", (*server).self).Unless("the service's"),
		onFailureOption("What becomes of this server while it is down, if that differs from the service's setting.", "", (*server).self).Unless("the service's"),
		block.Many[server]("check", "A check that this server must pass to be up. It replaces the service's checks.", checkKinds.Schema(), "kind"),
		block.Many[server]("on", "A program that is run when this server has come into a state: \"up\" or \"down\", by its checks. It replaces the service's blocks for these.",
			serviceHookTable.Schema(), "state"),
	}
})

var fallbackTable = block.NewTable("fallback", func() []block.Entry[server] {
	return []block.Entry[server]{
		addressOption("The address of the destination. With NAT, it can't be a loopback address.").Required(`address = "10.13.0.15"`),
		serverPort(), serverForward(), serverTunnel(),
		block.Flag("when_full", "Use it also while every real server that is up has reached its upper_threshold. It keeps its connections when they have room again, unless the service has persistence.",
			false, func(s *server) *bool { return &s.whenFull }),
		block.Many[server]("check", "A check that the fallback must pass to be used. The service's checks are not for it. If it does not pass, and no other fallback does, the real servers serve on that are left.", checkKinds.Schema(), "kind"),
	}
})

// A group is what a service says for all its servers.
type group struct {
	route
	name string // of the service
	identity
	drain   time.Duration
	anyPort bool // the service has no port of its own, and that is no mistake
	checks  []probe
	rule    *checker.Rule // how many of them must pass; nil: all
	*defaults
	// seen holds the destinations of the service, by their key.
	seen map[ipvsctl.DestinationKey]block.Place
}

func newGroup(b *block.Body, i *identity, r route, d *defaults) *group {
	r.check(b)
	g := &group{route: r, name: b.Labels[0], identity: *i, defaults: d, seen: make(map[ipvsctl.DestinationKey]block.Place, b.Count("real_server")+1)}
	g.anyPort = b.Given("firewall_mark") || i.marks() || i.key.Port == 0 && b.Given("port") && !b.Refused("port")
	g.checks, g.rule = readChecks(b, d)
	if b.Count("check") == 0 {
		g.checks = []probe{d.probe(i.first)}
	}
	return g
}

// server reads a real server.
func (g *group) server(b *block.Body) (s Server, ok bool) {
	r := serverTable.Start()
	r.route = g.route
	serverTable.Decode(b, &r)
	r.check(b)
	b.CheckName(0)
	s.Name = b.Labels[0]
	at := b.LabelAt(0)
	if b.Given("address") {
		at = b.At("address")
	}
	s.Key.Addr, ok = r.addressOf(b)
	s.Key.Port = g.portOf(b, &r)
	s.OwnPort = r.port != 0
	s.Destination = r.destination()
	s.Destination.Weight, s.Destination.Upper, s.Destination.Lower = r.weight, r.upper, r.lower
	r.checkThresholds(b)
	s.InitialUp, s.DrainOnFailure, s.Tier = r.initialUp, r.onFailure.drained, r.tier
	if r.onFailure.bounded {
		s.DrainFor = g.drain
	}
	if r.onFailure.bounded && g.drain == 0 {
		b.Mistake(b.At("on_failure"), "No time to drain", "%q is to be drained for drain_timeout when it fails, and the service has 0: write on_failure = \"remove\", or another drain_timeout.", s.Name)
	}
	probes := g.checks
	s.Rule = g.rule
	if b.Count("check") > 0 {
		probes, s.Rule = readChecks(b, g.defaults)
	}
	if !ok {
		return s, false
	}
	g.reachable(b, s.Key.Addr, at, r.forward)
	if b.Refused("port") {
		return s, false
	}
	g.once(b, s.Key, "a service has each server once; for a larger share, give it a higher weight")
	if s.Key.Addr == g.key.Addr && s.Key.Port == g.key.Port && g.key.Port != 0 {
		b.Doubt(at, "Server is the service itself", "%s is the service's own address and port, so its check asks the service and not a server: write the server's own address.", s.Key)
	}
	s.Checks = g.aim(b, probes, &s)
	return s, true
}

// addressOf returns the address of a real server: its label, where address is
// left out.
func (r *server) addressOf(b *block.Body) (netip.Addr, bool) {
	if b.Given("address") {
		return r.address, r.address.IsValid()
	}
	if strings.Trim(b.Labels[0], "0123456789.") != "" && !strings.Contains(b.Labels[0], ":") {
		b.Mistake(b.LabelAt(0), "Missing address", "%q is not an IP address, and names are never looked up, so the server needs an address; for example: address = \"192.168.1.4\"", b.Labels[0])
		return netip.Addr{}, false
	}
	return b.ParseAddress(b.Labels[0], b.LabelAt(0))
}

// portOf returns the port of a server. Only NAT can translate it; a service by
// firewall mark leaves the client's where no port is given.
func (g *group) portOf(b *block.Body, r *server) uint16 {
	if r.port == 0 {
		return g.key.Port
	}
	if !r.forward.known || r.forward.Forward == ipvsctl.NAT || !g.anyPort && g.key.Port == 0 {
		return r.port
	}
	switch {
	case g.key.Mark != 0 || g.key.Port == 0:
		b.Mistake(b.At("port"), "Untranslatable port", "With forward = \"%v\", packets keep the port that the client sent them to: remove port (a check has a port of its own), or use \"nat\".", r.forward)
	case r.port != g.key.Port || len(g.more) > 0:
		b.Mistake(b.At("port"), "Untranslatable port", "With forward = \"%v\", packets keep the service's port %d: remove port, or use \"nat\".", r.forward, g.key.Port)
	}
	return g.key.Port
}

// checkThresholds checks the connection thresholds; the kernel refuses a lower
// one above the upper (ERANGE).
func (r *server) checkThresholds(b *block.Body) {
	switch {
	case b.Refused("upper_threshold"):
	case r.lower > 0 && r.upper == 0:
		b.Mistake(b.At("lower_threshold"), "Lower threshold alone", "lower_threshold tells when a server that has reached its upper_threshold gets connections again: set upper_threshold, too.")
	case r.lower > r.upper:
		b.Mistake(b.At("lower_threshold"), "Thresholds reversed", "lower_threshold %d must not be above upper_threshold %d.", r.lower, r.upper)
	}
}

// reachable checks whether the kernel can forward the service's packets to an
// address.
func (g *group) reachable(b *block.Body, a netip.Addr, at block.Place, forward method) {
	if !usable(b, a, at) || !forward.known {
		return
	}
	if g.key.Addr.IsValid() && a.Is4() != g.key.Addr.Is4() && forward.Forward != ipvsctl.Tunnel {
		remedy := "write an address of that family, or use forward = \"tunnel\""
		if g.key.Mark != 0 && g.selection == nil && a.Is6() {
			remedy = "set family = \"ipv6\""
		}
		b.Mistake(at, "Wrong family", "%s can't serve %s by %v: %s.", a, g.describe(), forward, remedy)
	}
	if a.IsLoopback() && forward.Forward == ipvsctl.NAT {
		b.Mistake(at, "Loopback with NAT", "The kernel refuses to translate to a loopback address: write one of this director's other addresses, or use forward = \"direct\" with the service's port.")
	}
}

// describe names a service in a sentence.
func (i *identity) describe() string {
	switch {
	case i.selection != nil:
		return i.selection.String()
	case i.key.Mark != 0:
		return i.key.String()
	}
	return i.key.Addr.String()
}

// fallbacks reads the fallbacks of a service. One alone that is not checked is no server;
// others are servers of the last tier.
func (g *group) fallbacks(b *block.Body, s *Service) {
	var all []Server
	count := b.Count("fallback")
	for inner := range b.Blocks("fallback") {
		r := fallbackTable.Start()
		r.route = g.route
		fallbackTable.Decode(inner, &r)
		r.check(inner)
		f := Server{Name: "fallback", Tier: FallbackTier}
		if len(all) > 0 {
			f.Name = fmt.Sprintf("fallback-%d", len(all)+1)
		}
		f.Key.Addr, f.Key.Port, f.OwnPort = r.address, g.portOf(inner, &r), r.port != 0
		f.Destination = r.destination()
		checked := inner.Count("check") > 0
		probes, rule := readChecks(inner, g.defaults)
		if r.whenFull && (checked || count > 1) {
			inner.Mistake(inner.At("when_full"), "Fallback for full servers", "when_full is for one fallback that is not checked: remove it, or the check and the other fallbacks.")
		}
		if !r.address.IsValid() {
			continue
		}
		g.reachable(inner, r.address, inner.At("address"), r.forward)
		if inner.Refused("port") {
			continue
		}
		g.once(inner, f.Key, "the fallback serves when every real server is down, so it must be another one")
		f.Checks, f.Rule = g.aim(inner, probes, &f), rule
		if all = append(all, f); count == 1 && !checked {
			s.Fallback = &Fallback{Key: f.Key, Destination: f.Destination, WhenFull: r.whenFull, OwnPort: r.port != 0}
			return
		}
	}
	s.Servers = append(s.Servers, all...)
}

// once reports a server that the service has already.
func (g *group) once(b *block.Body, key ipvsctl.DestinationKey, remedy string) {
	if first, again := g.seen[key]; again {
		b.Mistake(b.Head, fmt.Sprintf("Duplicate real server %v", key), "It is already defined at %s: %s.", first, remedy)
		return
	}
	g.seen[key] = b.Head
}

// aim turns probes into the checks of one server. Where neither the check nor
// the server has a port, the service must be one of any port to be at fault:
// else its own port was refused.
func (g *group) aim(b *block.Body, probes []probe, to *Server) []Check {
	checks := make([]Check, 0, len(probes))
	for i := range probes {
		p := &probes[i]
		t := checker.Target{Spec: p.spec, Interval: p.interval, Timeout: p.timeout, Pace: p.pace()}
		switch {
		case p.program != nil:
			t.Spec = g.specOf(*p.program, to)
		case p.address.IsValid():
			t.Addr = p.address
		case !p.local:
			t.Addr = to.Key.Addr
		}
		if p.hasPort {
			t.Port = to.Key.Port
			switch {
			case p.port != 0:
				t.Port = p.port
			case t.Port == 0 && g.marks():
				t.Port = g.first.Port
			}
			if t.Port == 0 && g.anyPort && !p.portRefused {
				p.portRefused = true // once for all servers
				b.Mistake(p.at, "Check without port", "The service has no port of its own, so the check \"%s\" must say which one to try; for example: port = 80", p.spec.Kind())
			}
		}
		asked := t.Addr
		if p.via.forwarded {
			asked = g.key.Addr
			if !b.Refused("forward") && (b.Given("forward") || g.route.forward.known) {
				t.Spec = p.forward(b, g.key, to)
			}
		}
		p.agree(b, asked)
		g.doubt(b, p, t.Port)
		checks = append(checks, Check{Target: t, Rise: uint16(p.rise), Fall: uint16(p.fall), UnknownAfter: checker.In(p.unknownAfter), Forwarded: p.via.forwarded})
	}
	return checks
}

// specOf is what a program checks that is told of which server it is to find out.
func (g *group) specOf(program checker.Exec, to *Server) checker.Spec {
	address := ""
	if g.first.Mark == 0 {
		address = g.first.Addr.String()
	}
	program.Environment = []string{
		"LVSD_SERVICE=" + g.name,
		"LVSD_SERVICE_ADDRESS=" + address,
		fmt.Sprintf("LVSD_SERVICE_PORT=%d", g.first.Port),
		fmt.Sprintf("LVSD_FIREWALL_MARK=%d", g.first.Mark),
		"LVSD_SERVER=" + to.Name,
		"LVSD_SERVER_ADDRESS=" + to.Key.Addr.String(),
		fmt.Sprintf("LVSD_SERVER_PORT=%d", to.Key.Port),
	}
	return checker.SpecOf(program)
}

// doubt warns, once, about a check that no server passes as far as can be told from
// the port that it asks.
func (g *group) doubt(b *block.Body, p *probe, port uint16) {
	kind := p.spec.Kind()
	switch {
	case p.doubted || p.portRefused:
		return
	case p.address.IsValid() && p.address == g.key.Addr && (port == 0 || port == g.key.Port):
		b.Doubt(p.at, "Check of the service itself", "%v is the service's own address, so this check asks the service and not a server: write another address, or another port.", p.address)
	case kind == "https" && port == 80:
		b.Doubt(p.at, "TLS on port 80", "This check speaks TLS on port 80, where servers usually do not: write the check's port, or check \"http\".")
	case g.first.Protocol == ipvsctl.UDP && p.port == 0 && (kind == "http" || kind == "https" && port != 443):
		b.Doubt(p.at, "Check by TCP", "The service is UDP, but this check connects to port %d by TCP: write the port at which the servers answer HTTP; for example: port = 8080", port)
	default:
		return
	}
	p.doubted = true
}
