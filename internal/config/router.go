package config

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// The limits of VRRP's fields: 12 bits of centiseconds in version 3, 8 bits
// of seconds in version 2 (RFC 9568 section 5.2.7, RFC 3768 section 5.3.7), and
// 8 bits for the number of addresses, of which a packet of 1500 bytes holds
// 90 where they are IPv6.
const (
	maxInterval3   = 40950 * time.Millisecond
	maxInterval2   = 255 * time.Second
	maxAddresses   = 255
	maxAddresses6  = 90
	maxPreemptWait = 1000 * time.Second
)

// A router is a virtual router whose lists are not judged yet.
type router struct {
	vrrp.Config
	accept           bool
	addresses, peers []block.Item
}

var routerTable = block.NewTable("virtual_router", func() []block.Entry[router] {
	return []block.Entry[router]{
		block.Text("interface", "The network interface on which adverts are sent and received, and to which the addresses are added.",
			"", networkInterface, func(r *router) *string { return &r.Interface }).Within("a name of up to 15 bytes").Required(`interface = "eth0"`),
		block.Choice("carrier", "What it means that this interface has no carrier. With \"track\", this director is not Master then, as it is not while the interface is down. \"ignore\" is for a cable straight to the other director, which ends with it: this director stays or becomes Master. Of two that are both alive when the cable breaks, both are Master, so have it only where the service's own interfaces are tracked, as those of an extra_address are.",
			"track", []block.Word[bool]{{Name: "track"}, {Name: "ignore", Value: true}}, func(r *router) *bool { return &r.IgnoreCarrier }),
		block.Duration("link_up_delay", "How long after its interface came up, or its machine was started, this director waits at least before it becomes Master without having heard another one. Raise it where the port of a switch forwards only some time after the link came up (spanning tree: 30 s).",
			0, 0, time.Hour, func(r *router) *time.Duration { return &r.LinkUpDelay }),
		block.Count("id", "The virtual router's ID (VRID). It must be the same on all directors, and different from that of every other virtual router on the network.",
			0, 1, 255, func(r *router) *uint8 { return &r.VRID }).Required("id = 51"),
		block.Count("version", "The version of VRRP. Version 2 (RFC 3768) supports IPv4 only; use it for peers that do not support version 3.",
			3, 2, 3, func(r *router) *uint8 { return &r.Version }),
		block.Count("priority", "Of the directors that are alive, the one with the highest priority becomes Master (RFC 9568 calls it Active). 255 is reserved for the owner of the addresses: a director that has them as its own, and keeps them for good.",
			100, 1, 255, func(r *router) *uint8 { return &r.Priority }),
		block.Duration("advert_interval", "The time between two adverts (Advertisement_Interval). A Master that dies is replaced after three to four intervals. It must be a multiple of 10ms; with version 2, it must be a whole number of seconds, at most 255s.",
			time.Second, math.MinInt64, math.MaxInt64, func(r *router) *time.Duration { return &r.Interval }).Within("10ms to 40.95s"),
		block.Count("missed_adverts", "How many adverts must be missed before a Master counts as gone. More of them bridge a network that loses packets, fewer find a dead Master sooner. All directors must have the same: it is not in the adverts.",
			3, 1, 100, func(r *router) *uint8 { return &r.MissedAdverts }),
		block.Flag("preempt", "Take over from a Master of lower priority that is still alive (Preempt_Mode). If false, the addresses stay where they are until the director that holds them fails.",
			true, func(r *router) *bool { return &r.Preempt }),
		block.Duration("preempt_delay", "How long to wait before taking over from such a Master, counted from the first advert received from it. Raise it if a director needs time to warm up after it starts.",
			0, 0, maxPreemptWait, func(r *router) *time.Duration { return &r.PreemptDelay }).Within("0s to 1000s"),
		block.List("addresses", "The virtual addresses, all of one family. An address without a prefix length is a /32 or a /128. All directors must list the same addresses. With IPv6, the first address must be link-local. There can be up to 255 IPv4 addresses or 90 IPv6 addresses. The list may be empty where only other things move: extra addresses, routes, or what a program moves, such as an address of a cloud.",
			func(r *router) *[]block.Item { return &r.addresses }).Unless(""),
		block.Many[router]("address", "One more virtual address, with what is special about it. The label is the address. It is advertised after those of the list.",
			addressTable.Schema(), "address"),
		block.Many[router]("extra_address", "An address, of either family, that moves together with the others but is not advertised. The label is the address.",
			extraTable.Schema(), "address"),
		block.Many[router]("route", "A route that the Master has, and no other director. It is added after the addresses and removed before them, and put back when somebody removes it. Routes and rules of lvsd have protocol 112, and nothing else is ever changed or removed. They have no lifetime: if all of lvsd's processes are killed, they stay until its next start, but for a route of the main table whose source is an address with a lease, which goes with it. The label is the destination: a network, or \"default\".",
			routeTable.Schema(), "destination"),
		block.Many[router]("rule", "A rule of policy routing that the Master has, and no other director: which packets consult another routing table.",
			ruleTable.Schema()),
		block.One[router]("announce", "How the Master announces the addresses by gratuitous ARP (a request and a reply) and unsolicited neighbour advertisements. A new Master does so at once, and again after 100ms and 5s; every Master, when it meets another one, when somebody else has its address by ARP or neighbour discovery, and when the MAC address of an interface has changed.",
			announceTable.Schema()),
		block.List("peers", "The addresses of the other directors, for networks without multicast. Adverts are sent to these addresses, and accepted only from them.",
			func(r *router) *[]block.Item { return &r.peers }).Unless("multicast to 224.0.0.18 or ff02::12"),
		block.Count("ttl", "The TTL (with IPv6, hop limit) of the adverts that are sent to peers. Those to a multicast group always have 255.",
			vrrp.TTL, 1, vrrp.TTL, func(r *router) *uint8 { return &r.TTL }),
		block.Count("min_ttl", "The smallest TTL with which a peer's advert is accepted. Nobody beyond a router can send one that arrives with 255, since each router takes 1 off. Where there are routers between the directors, write 255 less their number.",
			vrrp.TTL, 1, vrrp.TTL, func(r *router) *uint8 { return &r.MinTTL }),
		block.Count("max_ttl", "The largest TTL with which a peer's advert is accepted. With 255 less the number of routers between the directors, adverts that were forged on this network are refused.",
			vrrp.TTL, 1, vrrp.TTL, func(r *router) *uint8 { return &r.MaxTTL }),
		block.Text("multicast_group", "The group to which adverts are multicast, and in which those of the other directors are expected. Choose one that stays on the network: from 224.0.0.0/24 or ff02::/16.",
			netip.Addr{}, block.Address, func(r *router) *netip.Addr { return &r.Multicast }).Within("an address").Unless("224.0.0.18 or ff02::12"),
		block.Text("source", "The source address of the adverts.",
			netip.Addr{}, block.Address, func(r *router) *netip.Addr { return &r.Source }).Within("an address").Unless("the interface's first address that is not virtual; with IPv6, its link-local address"),
		block.Many[router]("track", "A condition that this router needs: while it is not met, this director does not become Master, and hands over if it is, or only its priority changes by a weight. What the condition is, this block says itself, or a condition block of the same kind and name. The router's own interface is always tracked, and that of an extra_address unless told otherwise there.",
			trackKinds.Schema(), "kind", "name"),
		block.One[router]("authentication", "By what the directors know each other's adverts: by keys, with which they sign them (as keepalived 2.4.2 does by its auth_hmac), or in version 2 by a password. Without keys, whoever can send packets on the directors' network can take the addresses over.",
			authenticationTable.Schema()),
		block.Many[router]("on", "A program that is run when the virtual router has come into a state on this director: \"master\", \"backup\", \"fault\" (it cannot be Master) or \"stop\" (lvsd stops, or the virtual router was removed), or into \"any\" of them. The programs of a virtual router run one at a time, in order. If its state changes faster than that, those that have not begun are skipped.",
			hookTable.Schema(), "state"),
		block.Many[router]("stream", "A program that keeps running, and reads from its standard input what happens to this virtual router, as one at the top level does for all.",
			streamTable.Schema(), "name"),
		block.Many[router]("resource", "Something that this director runs while it is Master: a unit of systemd, a mount or a command. They are started in this order, once the addresses are there, and stopped in reverse, before another director is let in. If one cannot be started, those before it are stopped, and this director is not Master until \"lvsd resume\".",
			resourceKinds.Schema(), "kind", "name"),
		block.One[router]("virtual_mac", "Give the addresses the MAC address of the virtual router (00-00-5E-00-01 or, with IPv6, -02, and the id), which moves with them: no neighbour has to learn another one. They are on a device of their own then, which is down unless this director has them. Extra addresses stay on their interfaces. Do not use it where a switch or a hypervisor accepts one MAC address of a port only.",
			virtualMACTable.Schema()),
		block.Flag("accept", "Accept what comes for the addresses and no virtual service, such as ping or ssh (Accept_Mode). If false, a table of nftables drops it, except what finds neighbours, and what comes from this director itself. In a VRF, that is dropped as well, since it arrives by the device of the VRF as everything else does. A director that is a real server of such an address itself needs true, unless by NAT.",
			true, func(r *router) *bool { return &r.accept }),
		block.Flag("insist", "Take over even while another director has the addresses whose adverts are refused for their version or authentication. Otherwise a director stands aside for it, because two Masters are worse than one without a Backup. With keys that are enforced, it never does.",
			false, func(r *router) *bool { return &r.Insist }),
		block.Flag("lease", "Add the addresses with a limited lifetime that lvsd keeps renewing, so that the kernel removes them by itself if all of lvsd's processes are gone or stopped.",
			true, func(r *router) *bool { return &r.Lease }),
	}
})

func readRouter(b *block.Body) (vrrp.Config, []definition) {
	b.CheckName(0)
	claim(b, routerName, strconv.Quote(b.Labels[0]), b.Head)
	r := routerTable.Read(b)
	c := &r.Config
	c.Name, c.Refuse = b.Labels[0], !r.accept
	if !b.Refused("version") { // it has the interval's bounds
		checkInterval(b, c)
	}
	switch given := b.Given("missed_adverts") && !b.Refused("missed_adverts"); {
	case given && !b.Constant("missed_adverts"):
		b.Doubt(b.At("missed_adverts"), "Different patience", "Directors that wait for different numbers of adverts take over in another order than by priority, and no advert tells them: write one number.")
	case given && c.MissedAdverts == 1:
		b.Doubt(b.At("missed_adverts"), "One advert is enough", "A single advert that is lost or late makes two Masters: write 2 or more, or a shorter advert_interval.")
	}
	if c.Interface == "lo" {
		b.Doubt(b.At("interface"), "Loopback interface", "No other director is on lo: write the interface that leads to the other director. Where several do, and the machine's address is on lo, make them one bond, or write one of them.")
	}
	readAuthentication(b, c)
	c.Addresses = r.virtualAddresses(b)
	var defined []definition
	c.Track, defined = readTracks(b)
	extraAddresses(b, c)
	routeBlocks(b, c)
	c.Rules = readRules(b)
	r.checkMoves(b)
	readAnnouncing(b, c)
	family := 0
	if len(c.Addresses) > 0 {
		family = c.Family()
	}
	c.Peers = r.readPeers(b, family)
	if r.addresses != nil && len(r.addresses) == 0 {
		family = c.Family()
	}
	if family == 6 && c.Version == 2 {
		b.Mistake(b.At("version"), "Invalid version", "VRRP version 2 supports IPv4 only: remove version, which is 3 by default.")
	}
	checkReach(b, c, family)
	checkSource(b, c, family)
	checkPreemption(b, c)
	readVirtualMAC(b, c)
	checkOwner(b, c)
	if b.Constant("priority") && !b.Refused("priority") && (c.Preempt || c.Priority == ownerPriority) {
		b.Claim(samePriority, strconv.Itoa(int(c.Priority)), c.Name, b.At("priority"))
	}
	if c.Interface != "" && c.VRID != 0 && family != 0 {
		b.Claim(routerID, fmt.Sprintf("%s %d %d", c.Interface, c.VRID, family), strconv.Itoa(int(c.VRID)), b.At("id"))
	}
	return *c, defined
}

// checkInterval checks the interval by the bounds and the unit of its version.
func checkInterval(b *block.Body, c *vrrp.Config) {
	step, lo, hi := 10*time.Millisecond, 10*time.Millisecond, maxInterval3
	if c.Version == 2 {
		step, lo, hi = time.Second, time.Second, maxInterval2
	}
	at := b.At("advert_interval")
	switch t := c.Interval; {
	case c.Version == 2 && t%step != 0 && t > 0 && t < hi:
		b.Mistake(at, "Invalid advert_interval", "VRRP version 2 counts whole seconds, but this is %s: round it, or use version 3.", block.Short(t))
	case t < lo || t > hi:
		b.Mistake(at, "Invalid advert_interval", "advert_interval must be from %s to %s, but this is %s.", block.Short(lo), block.Short(hi), block.Short(t))
	case t%step != 0:
		b.Mistake(at, "Invalid advert_interval", "VRRP counts in steps of 10ms, but this is %s: write %s.", block.Short(t), block.Short(t.Round(step)))
	}
}

// virtualAddresses reads the addresses that the adverts carry.
func (r *router) virtualAddresses(b *block.Body) (out []netip.Prefix) {
	blocks := addressBlocks(b, &r.Config)
	if len(blocks) == 0 {
		b.Require("addresses", `addresses = ["10.13.0.200/24"]`)
	}
	r.addresses = append(r.addresses, blocks...)
	for _, it := range r.addresses {
		p, good := virtualAddress(b, it.Text, it.At)
		if !good {
			continue
		}
		if len(out) > 0 && out[0].Addr().Is4() != p.Addr().Is4() {
			b.Mistake(it.At, "Mixed families", "A virtual router advertises IPv4 or IPv6 addresses, and its first one is %s: write a second virtual_router, or an extra_address that is not advertised.", out[0].Addr())
			continue
		}
		out = append(out, p)
	}
	if len(out) > 0 {
		r.checkAdvert(b, out)
	}
	return out
}

// checkMoves checks that a router without addresses has something to move, or a
// program that does.
func (r *router) checkMoves(b *block.Body) {
	moves := len(r.Extra)+len(r.Routes)+len(r.Rules)+b.Count("on") > 0
	if r.addresses != nil && len(r.addresses) == 0 && !b.Refused("addresses") && !moves {
		b.Mistake(b.At("addresses"), "No address", "A virtual router needs at least one address, such as [\"10.13.0.200/24\"], or something else that moves: an extra_address, a route, or what a program moves that an on block runs.")
	}
}

// checkAdvert checks what the addresses are together.
func (r *router) checkAdvert(b *block.Body, addresses []netip.Prefix) {
	at, first := b.At("addresses"), addresses[0].Addr()
	limit := maxAddresses
	if first.Is6() {
		limit = maxAddresses6
		if len(r.Authentication.Keys) > 0 {
			limit-- // The trailer takes 28 bytes.
		}
	}
	if len(addresses) > limit {
		b.Mistake(at, "Too many addresses", "One advert has room for %d, but these are %d: write the others as extra_address, or a second virtual_router.", limit, len(addresses))
	}
	for _, p := range addresses {
		if p.Addr().IsLoopback() {
			b.Mistake(at, "Invalid address", "%s is a loopback address, which no other machine can reach.", p.Addr())
		}
	}
	if !first.Is6() {
		return
	}
	if !first.IsLinkLocalUnicast() && r.addresses[0].Text != "" {
		b.Doubt(r.addresses[0].At, "No link-local address", "The first IPv6 address of a virtual router must be link-local (RFC 9568 section 5.2.9), such as \"fe80::200/64\"; some peers refuse adverts without one.")
	}
}

func (r *router) readPeers(b *block.Body, family int) (out []netip.Addr) {
	if r.peers != nil && len(r.peers) == 0 && !b.Refused("peers") {
		b.Mistake(b.At("peers"), "No peer", "With peers, adverts go to those addresses only: write the other directors' addresses, or leave peers out for multicast.")
	}
	for _, it := range r.peers {
		a, good := b.ParseAddress(it.Text, it.At)
		switch {
		case !good || !usable(b, a, it.At):
		case !ofFamily(a, family):
			b.Mistake(it.At, "Wrong family", "%s can't receive adverts for %s: a peer must have the same family as the addresses.", a, subject(&r.Config, family))
		case slices.Contains(out, a):
			b.Mistake(it.At, "Duplicate peer", "%s is already among the peers: remove one of the two.", a)
		case isVirtual(&r.Config, a):
			b.Mistake(it.At, "Virtual peer", "%s is one of this router's virtual addresses: a peer is the other director's own address.", a)
		default:
			claim(b, peerAddress, a.String(), it.At)
			out = append(out, a)
		}
	}
	return out
}

// checkReach checks how far adverts go, and from how far they may come.
func checkReach(b *block.Body, c *vrrp.Config, family int) {
	peers := b.Given("peers")
	for _, name := range [...]string{"ttl", "min_ttl", "max_ttl"} {
		if b.Given(name) && !peers {
			b.Mistake(b.NameAt(name), "Unused "+name, "Adverts that are multicast have TTL 255, or are refused (RFC 9568 section 5.1.1.3): remove it, or write the other directors' addresses as peers.")
		}
	}
	switch {
	case !peers || b.Refused("ttl") || b.Refused("min_ttl") || b.Refused("max_ttl"):
	case c.MinTTL > c.MaxTTL:
		b.Mistake(b.At("min_ttl"), "No TTL is accepted", "min_ttl is %d, but max_ttl is %d: no advert can have both.", c.MinTTL, c.MaxTTL)
	case c.TTL < c.MinTTL:
		b.Doubt(b.At("ttl"), "TTL below min_ttl", "Adverts are sent with TTL %d, but a director that uses these files accepts none below %d: write min_ttl = %[1]d less the number of routers between them, or remove ttl.", c.TTL, c.MinTTL)
	}
	at := b.At("multicast_group")
	switch g := c.Multicast; {
	case !g.IsValid():
	case peers:
		b.Mistake(b.NameAt("multicast_group"), "Unused multicast_group", "Adverts go to the peers, and to no group: remove it, or remove peers.")
	case !g.IsMulticast():
		b.Mistake(at, "Invalid multicast_group", "%s is not a multicast address: write one such as \"224.0.0.18\" or \"ff02::12\".", g)
	case !ofFamily(g, family):
		b.Mistake(at, "Wrong family", "%s can't carry adverts for %s: write a group of that family.", g, subject(c, family))
	case !g.IsLinkLocalMulticast():
		b.Doubt(at, "Group beyond the network", "%s may be forwarded by multicast routers, and switches may send it only where somebody has asked for it: write a group from 224.0.0.0/24 or ff02::/16.", g)
	}
}

// subject is what adverts of a family are for.
func subject(c *vrrp.Config, family int) string {
	if len(c.Addresses) > 0 {
		return c.Addresses[0].Addr().String()
	}
	return fmt.Sprintf("a router of IPv%d", family)
}

// ofFamily reports whether an address has the family, where one is known.
func ofFamily(a netip.Addr, family int) bool {
	return family == 0 || a.Is4() == (family == 4)
}

func isVirtual(c *vrrp.Config, a netip.Addr) bool {
	return slices.ContainsFunc(c.Addresses, func(p netip.Prefix) bool { return p.Addr() == a })
}

func checkSource(b *block.Body, c *vrrp.Config, family int) {
	at := b.At("source")
	switch a := c.Source; {
	case !a.IsValid() || !usable(b, a, at):
	case a.IsLoopback():
		b.Mistake(at, "Invalid source", "%s is a loopback address: no other director can receive an advert from it.", a)
	case !ofFamily(a, family):
		b.Mistake(at, "Wrong family", "%s can't be the source of adverts for %s: write an address of that family.", a, subject(c, family))
	case isVirtual(c, a) && c.Priority != ownerPriority:
		b.Mistake(at, "Virtual source", "%s is one of this router's virtual addresses: adverts come from the director's own address. Only the owner of the addresses, with priority = 255, sends from one.", a)
	default:
		b.Claim(sourceAddress, a.String(), c.Interface, at)
	}
}

// checkOwner warns about weights that change nothing.
func checkOwner(b *block.Body, c *vrrp.Config) {
	if c.Priority != ownerPriority {
		return
	}
	for inner := range b.Blocks("track") {
		if inner.Given("weight") && !inner.Refused("weight") {
			b.Doubt(inner.At("weight"), "Weight of an owner", "The priority of the owner of the addresses is always 255 (RFC 9568 section 5.2.4): use a priority up to 254, or remove the weight, so that the director is not Master while the condition is not met.")
		}
	}
}

// checkPreemption checks what is said about taking over from a living Master.
func checkPreemption(b *block.Body, c *vrrp.Config) {
	switch {
	case !c.Preempt && c.Priority == ownerPriority:
		b.Doubt(b.At("preempt"), "Owner without preemption", "The owner of the addresses (priority 255) takes over regardless of preempt (RFC 9568 section 6.1): use a priority up to 254.")
	case !c.Preempt && c.PreemptDelay > 0:
		b.Doubt(b.At("preempt_delay"), "Unused preempt_delay", "Without preemption there is nothing to delay: remove preempt_delay, or set preempt = true.")
	}
}
