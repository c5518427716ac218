package config

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// A path is a route, and whether its interface is tracked.
type path struct {
	vrrp.Route
	track bool
}

// routeOptions are what may be said of a route.
func routeOptions[T any](of func(*T) *vrrp.Route) []block.Entry[T] {
	return []block.Entry[T]{
		block.Choice("type", "What becomes of the packets: \"unicast\" sends them, \"blackhole\" drops them, and the others answer them with an ICMP error.", "unicast",
			[]block.Word[vrrp.RouteType]{{Name: "unicast", Value: ""}, {Name: "blackhole", Value: vrrp.Blackhole}, {Name: "unreachable", Value: vrrp.Unreachable}, {Name: "prohibit", Value: vrrp.Prohibit}},
			func(t *T) *vrrp.RouteType { return &of(t).Type }),
		block.Text("via", "The next router (gateway). Without it, the destination is on the network of the interface.",
			netip.Addr{}, block.Address, func(t *T) *netip.Addr { return &of(t).Via }).Within("an address").Unless("none"),
		block.Text("interface", "The network interface on which the packets are sent.",
			"", networkInterface, func(t *T) *string { return &of(t).Interface }).Within("a name of up to 15 bytes").Unless("where via is reached"),
		block.Text("source", "The address that the director's own packets come from: a virtual one, for instance. The route goes with the address.",
			netip.Addr{}, block.Address, func(t *T) *netip.Addr { return &of(t).Source }).Within("an address").Unless("the kernel's choice"),
		block.Count("metric", "Of several routes to a destination, the kernel takes the one with the smallest metric. With 0, it is 0, or 1024 with IPv6.",
			0, 0, math.MaxUint32, func(t *T) *uint32 { return &of(t).Metric }),
		block.Count("table", "The routing table; 254 is the main one. Others are consulted where a rule says so.",
			vrrp.MainTable, 1, math.MaxUint32, func(t *T) *uint32 { return &of(t).Table }),
		block.Choice("scope", "How far the route leads, of IPv4 only.", "",
			[]block.Word[uint8]{{Name: "global", Value: 0}, {Name: "site", Value: 200}, {Name: "link", Value: 253}, {Name: "host", Value: 254}},
			func(t *T) *uint8 { return &of(t).Scope }).Unless("\"global\" with via, otherwise \"link\""),
		block.Flag("onlink", "The next router is reached on the interface, although no network there has it.",
			false, func(t *T) *bool { return &of(t).OnLink }),
		block.Count("mtu", "The largest packet that is sent on this route, in bytes.",
			0, 68, 65535, func(t *T) *uint32 { return &of(t).MTU }).Unless("that of the interface"),
		block.Count("advertised_mss", "The largest segment that TCP asks the other side for on this route, in bytes.",
			0, 40, 65495, func(t *T) *uint32 { return &of(t).AdvertisedMSS }).Unless("what the MTU leaves"),
		block.Count("hop_limit", "The TTL or hop limit of the director's own packets on this route.",
			0, 1, 255, func(t *T) *uint32 { return &of(t).HopLimit }).Unless("that of the machine"),
		block.Count("window", "The most that the director's own TCP lets the other side send ahead on this route, in bytes.",
			0, 1, math.MaxInt32, func(t *T) *uint32 { return &of(t).Window }).Unless("that of the machine"),
	}
}

var routeTable = block.NewTable("route", func() []block.Entry[path] {
	return append(routeOptions(func(p *path) *vrrp.Route { return &p.Route }),
		block.Flag("track", "Also track the interface, if the route names one: without it, the director is not Master.",
			true, func(p *path) *bool { return &p.track }))
})

// routeBlocks reads the routes that a router moves.
func routeBlocks(b *block.Body, c *vrrp.Config) {
	for inner := range b.Blocks("route") {
		p := routeTable.Read(inner)
		if readRoute(inner, &p.Route) {
			c.Routes = append(c.Routes, p.Route)
		}
		if p.track && p.Interface != "" {
			trackOther(c, p.Interface)
		}
	}
}

// readRoute completes a route, whose options are read, by the label of its block.
func readRoute(b *block.Body, r *vrrp.Route) (ok bool) {
	if r.Destination, ok = destination(b, r.Via); !ok {
		return false
	}
	six := r.Destination.Addr().Is6()
	for _, o := range [...]struct {
		name string
		a    netip.Addr
	}{{"via", r.Via}, {"source", r.Source}} {
		if o.a.IsValid() && o.a.Is6() != six {
			b.Mistake(b.At(o.name), "Wrong family", "%s can't belong to a route to %s: write an address of that family.", o.a, r.Destination)
			ok = false
		}
	}
	switch {
	case r.Type != "":
		for _, name := range [...]string{"via", "interface", "source", "scope", "onlink", "mtu", "advertised_mss", "hop_limit", "window"} {
			if b.Given(name) {
				b.Mistake(b.NameAt(name), "Unused "+name, "A route of type %q sends no packets: remove it.", r.Type)
			}
		}
	case !b.Given("via") && !b.Given("interface"):
		b.Mistake(b.Head, "No next hop", "The route leads nowhere: write via, the next router, or interface; or type = \"blackhole\", if that is meant.")
	case r.OnLink && (!b.Given("via") || !b.Given("interface")):
		b.Mistake(b.At("onlink"), "Unused onlink", "onlink says that via is on the interface: write both.")
	case six && b.Given("scope"):
		b.Mistake(b.NameAt("scope"), "Unused scope", "An IPv6 route has no scope: remove it.")
	case !six && !b.Given("scope") && !b.Given("via"):
		r.Scope = 253 // as ip-route(8) has it
	}
	if six {
		r.Metric = cmp.Or(r.Metric, vrrp.Metric6) // The kernel takes both for one.
	}
	b.Claim(routePlace, fmt.Sprint(r.Destination, r.Table, r.Metric), r.Destination.String(), b.LabelAt(0))
	return ok
}

// destination reads the destination of a route. "default" is that of the next router's
// family.
func destination(b *block.Body, via netip.Addr) (netip.Prefix, bool) {
	four, six := netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	switch s := b.Labels[0]; {
	case s == six.String() || s == "default" && via.Is6():
		return six, true
	case s == four.String() || s == "default":
		return four, true
	default:
		return network(b, s, b.LabelAt(0))
	}
}

// network reads a network, which is not all.
func network(b *block.Body, s string, at block.Place) (netip.Prefix, bool) {
	p, ok := b.ParsePrefix(s, at)
	if ok && p.Masked() != p {
		b.Mistake(at, "Invalid network", "%s has bits beyond its prefix length: write %s.", p, p.Masked())
		return p, false
	}
	return p, ok
}

// A selector is a rule whose family and mark are not judged yet.
type selector struct {
	vrrp.Rule
	mark, mask uint32
	family     int
	suppress   uint8
}

var ruleTable = block.NewTable("rule", func() []block.Entry[selector] {
	return []block.Entry[selector]{
		block.Count("priority", "When the rule is consulted: the smallest first. The main table is consulted at 32766.",
			0, 1, math.MaxUint32, func(s *selector) *uint32 { return &s.Priority }).Required("priority = 100"),
		block.Text("from", "The network of the packets' source.",
			netip.Prefix{}, network, func(s *selector) *netip.Prefix { return &s.From }).Within("a network").Unless("all"),
		block.Text("to", "The network of the packets' destination.",
			netip.Prefix{}, network, func(s *selector) *netip.Prefix { return &s.To }).Within("a network").Unless("all"),
		block.Text("iif", "The network interface on which the packets have arrived; \"lo\" is for the director's own.",
			"", networkInterface, func(s *selector) *string { return &s.In }).Within("a name of up to 15 bytes").Unless("any"),
		block.Text("oif", "The network interface to which the sending socket is bound.",
			"", networkInterface, func(s *selector) *string { return &s.Out }).Within("a name of up to 15 bytes").Unless("any"),
		block.Count("firewall_mark", "The packets' firewall mark.",
			0, 0, math.MaxUint32, func(s *selector) *uint32 { return &s.mark }).Unless("any"),
		block.Count("firewall_mask", "The bits of the firewall mark that count.",
			uint32(math.MaxUint32), 1, math.MaxUint32, func(s *selector) *uint32 { return &s.mask }).Unless("all"),
		block.Choice("protocol", "The packets' protocol over IP.", "",
			[]block.Word[uint8]{{Name: "icmp", Value: 1}, {Name: "tcp", Value: 6}, {Name: "udp", Value: 17}, {Name: "gre", Value: 47}, {Name: "esp", Value: 50}, {Name: "icmpv6", Value: 58}, {Name: "sctp", Value: 132}},
			func(s *selector) *uint8 { return &s.Protocol }).Unless("any"),
		block.Text("source_port", "The packets' source port, or a range of them: \"1024-65534\".",
			vrrp.Ports{}, ports, func(s *selector) *vrrp.Ports { return &s.SourcePorts }).Within("a port or a range").Unless("any"),
		block.Text("destination_port", "The packets' destination port, or a range of them.",
			vrrp.Ports{}, ports, func(s *selector) *vrrp.Ports { return &s.DestinationPorts }).Within("a port or a range").Unless("any"),
		block.Count("suppress_prefix_length", "Pass over what the table has for networks of a prefix length of no more than this: 0 is for its default route. Only with a table below 256.",
			0, 0, 128, func(s *selector) *uint8 { return &s.suppress }).Unless("nothing is passed over"),
		block.Count("table", "The routing table that is consulted.",
			0, 1, math.MaxUint32, func(s *selector) *uint32 { return &s.Table }).Required("table = 100"),
		block.Choice("family", "The family of the packets, where from and to do not tell it.", "",
			[]block.Word[int]{{Name: "ipv4", Value: 4}, {Name: "ipv6", Value: 6}}, func(s *selector) *int { return &s.family }).Unless("that of from or to, otherwise \"ipv4\""),
	}
})

// readRules reads the rules of a block.
func readRules(b *block.Body) (all []vrrp.Rule) {
	for inner := range b.Blocks("rule") {
		s := ruleTable.Read(inner)
		all = append(all, s.rule(inner))
	}
	return all
}

// rule completes a rule, whose options are read.
func (s *selector) rule(b *block.Body) vrrp.Rule {
	r := s.Rule
	if b.Given("firewall_mark") {
		r.Mark, r.Mask = s.mark, s.mask
		if r.Mark&^r.Mask != 0 {
			b.Mistake(b.At("firewall_mark"), "Impossible firewall_mark", "No packet has the mark %#x under the mask %#x: correct one of them.", r.Mark, r.Mask)
		}
	} else if b.Given("firewall_mask") {
		b.Mistake(b.NameAt("firewall_mask"), "Unused firewall_mask", "Without firewall_mark there is nothing to mask: write both, or none.")
	}
	if b.Given("suppress_prefix_length") {
		r.Suppress = vrrp.Suppression{On: true, Length: s.suppress}
		if r.Table > 255 {
			b.Mistake(b.At("suppress_prefix_length"), "Unused suppress_prefix_length", "It works with tables below 256 only, and this is table %d: write another table.", r.Table)
		}
	}
	r.Family = cmp.Or(s.family, 4)
	for _, o := range [...]struct {
		name string
		p    netip.Prefix
	}{{"to", r.To}, {"from", r.From}} {
		if !o.p.IsValid() {
			continue
		}
		family := 4
		if o.p.Addr().Is6() {
			family = 6
		}
		if s.family != 0 && s.family != family || o.name == "from" && r.To.IsValid() && r.To.Addr().Is6() != r.From.Addr().Is6() {
			b.Mistake(b.At(o.name), "Mixed families", "%s is of another family than the rest of this rule: write two rules.", o.p)
		}
		r.Family = family
	}
	b.Claim(ruleItself, fmt.Sprint(r.Family, r), r.String(), b.Head)
	return r
}
