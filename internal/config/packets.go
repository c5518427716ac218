package config

import (
	"encoding/json"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/ipvsctl"
)

// packets are which packets a virtual service consists of, while it is read.
type packets struct {
	address                     netip.Addr
	port                        uint16
	protocol                    ipvsctl.Protocol
	addresses, ports, protocols []block.Item
	marked                      bool
	source                      ipvsctl.SourceNAT
	mark                        uint32
	family                      netip.Addr
}

// which lets the options below say where the packets of what embeds them are.
func (p *packets) which() *packets { return p }

var protocols = []block.Word[ipvsctl.Protocol]{
	{Name: "tcp", Value: ipvsctl.TCP}, {Name: "udp", Value: ipvsctl.UDP}, {Name: "sctp", Value: ipvsctl.SCTP},
}

// maxAlone is how many virtual services of the kernel one block makes at most. More are one
// by a firewall mark.
const maxAlone = 64

// maxRanges bounds the ranges of each list.
const maxRanges = 256

func packetOptions[T any](of func(*T) *packets) []block.Entry[T] {
	return []block.Entry[T]{
		block.Text("address", "The virtual address at which clients reach the service. It should be one of the addresses of a virtual_router.", netip.Addr{}, block.Address, func(t *T) *netip.Addr { return &of(t).address }).Within("an address").Unless(""),
		block.List("addresses", "In place of address: several virtual addresses of one family, and ranges of them: [\"10.13.0.200\", \"10.13.0.210-10.13.0.219\", \"10.13.0.64/28\"]. See marked.",
			func(t *T) *[]block.Item { return &of(t).addresses }).Unless("none"),
		block.Count("port", "The port at which clients reach the service. 0 means every port, and requires a persistence block.", 0, 0, math.MaxUint16, func(t *T) *uint16 { return &of(t).port }).Unless(""),
		block.List("ports", "In place of port: several ports, and ranges of them: [80, 443, \"16384-32767\"]. A server without a port of its own gets packets at the port that the client sent them to, and a check without one asks the first of these. See marked.",
			func(t *T) *[]block.Item { return &of(t).ports }).Unless("none"),
		block.Choice("protocol", "The transport protocol of the service.", "tcp", protocols, func(t *T) *ipvsctl.Protocol { return &of(t).protocol }),
		block.List("protocols", "In place of protocol: several, such as [\"tcp\", \"udp\"]. See marked.",
			func(t *T) *[]block.Item { return &of(t).protocols }).Unless("none"),
		block.Flag("marked", "Make the service one of the kernel, however many addresses, protocols and ports it has: a table of nftables that is lvsd's own, inet lvsd-services, gives its packets a firewall mark (see marks in the director block), and persistence sends a client to the same server at all of them. If false, each address with each protocol and port is a virtual service of the kernel, with the same servers and checks. What has a persistence block or is more than 64 such services is marked by default. When a reload changes it, connections that are open keep their servers for drain_timeout.",
			false, func(t *T) *bool { return &of(t).marked }).Unless("as needed"),
		block.Text("source_nat", "With forward = \"nat\": let packets reach the servers in the name of this director, so that servers answer it whatever their routes are, and clients may be in the servers' network (one-arm NAT). \"masquerade\" takes the address of the interface by which they leave, or write an address of this director's own. The servers, and their logs, see all clients as one; the director keeps an entry of connection tracking for each connection (net.ipv4.vs.conntrack, which is set for it), which costs memory and processor time, and ends at nf_conntrack_max; and each pair of director and server has 64,512 ports for the connections that are open. The packets are known by a firewall mark, as with marked; other NAT of the machine stays as it is.",
			ipvsctl.SourceNAT{}, sourceNAT, func(t *T) *ipvsctl.SourceNAT { return &of(t).source }).Within("\"masquerade\" or an address").Unless("none"),
		block.Count("firewall_mark", "Instead of address, port and protocol: the service consists of all packets that a firewall rule of yours marks with this number. For several addresses, protocols and ports, lvsd can have the rule itself: see addresses, ports and marked.",
			0, 1, math.MaxUint32, func(t *T) *uint32 { return &of(t).mark }).Unless("none"),
		block.Choice("family", "The address family of the packets, if firewall_mark is set.", "ipv4", []block.Word[netip.Addr]{
			{Name: "ipv4", Value: netip.IPv4Unspecified()}, {Name: "ipv6", Value: netip.IPv6Unspecified()},
		}, func(t *T) *netip.Addr { return &of(t).family }),
	}
}

// sourceNAT reads how the source is translated.
func sourceNAT(b *block.Body, s string, at block.Place) (n ipvsctl.SourceNAT, ok bool) {
	if s == "masquerade" {
		return ipvsctl.SourceNAT{Masquerade: true}, true
	}
	a, ok := b.ParseAddress(s, at)
	if ok = ok && usable(b, a, at); ok && a.IsLoopback() {
		b.Mistake(at, "Loopback address", "No server can answer to %s: write an address of this director on the servers' network, or \"masquerade\".", a)
		ok = false
	}
	return ipvsctl.SourceNAT{To: a}, ok
}

// An identity is by which packets the kernel knows a service.
type identity struct {
	key  ipvsctl.ServiceKey
	more []ipvsctl.ServiceKey
	// selection is which packets are to be marked; nil: none.
	selection *ipvsctl.Selection
	source    ipvsctl.SourceNAT
	// first is the first address, protocol and port, which is what is asked of a check
	// without a port, and told to programs.
	first ipvsctl.ServiceKey
}

// provisionalMark stands for a mark until all services are known.
const provisionalMark = math.MaxUint32

// marks reports whether lvsd marks the service's packets, and the kernel knows it by that.
func (i *identity) marks() bool { return i.selection != nil && i.key.Mark != 0 }

// connects returns the first protocol of the service that has connections, as far as that is
// known.
func (i *identity) connects() (ipvsctl.Protocol, bool) {
	all := []ipvsctl.Protocol{i.first.Protocol}
	if i.selection != nil {
		all = i.selection.Protocols
	}
	for _, key := range i.more {
		all = append(slices.Clip(all), key.Protocol)
	}
	at := slices.IndexFunc(all, func(p ipvsctl.Protocol) bool { return p != ipvsctl.UDP && p != 0 })
	if at < 0 {
		return 0, false
	}
	return all[at], true
}

// identity returns by which packets the kernel knows the service. What is wrong with
// them was reported where its first has no address.
func (p *packets) identity(b *block.Body) identity {
	i := p.choose(b)
	if i.selection != nil {
		i.source = p.source
	}
	return i
}

// choose does that but for how the source is translated.
func (p *packets) choose(b *block.Body) identity {
	if b.Given("firewall_mark") {
		key := p.markKey(b)
		return identity{key: key, first: key}
	}
	b.Unused("family is only for services with firewall_mark: remove it, since the address determines the family.", "family")
	p.instead(b)
	if !b.Given("addresses") && !b.Given("ports") && !b.Given("protocols") && !p.marked {
		key := p.plainKey(b)
		i := identity{key: key, first: key}
		if p.source.Translates() && key.Addr.IsValid() && key.Protocol != 0 {
			s := p.selection(b)
			i.selection = &s
		}
		return i
	}
	return p.several(b)
}

// instead reports what stands beside the list in its place.
func (p *packets) instead(b *block.Body) {
	for one, several := range map[string]string{"address": "addresses", "port": "ports", "protocol": "protocols"} {
		if b.Given(several) {
			b.Unused(several+" replaces "+one+": put all into the list.", one)
		}
	}
}

// several is the identity of a service with several addresses, protocols or ports, or one
// that is to be marked.
func (p *packets) several(b *block.Body) (i identity) {
	if !b.Given("addresses") {
		b.Require("address", `address = "10.13.0.200" (or addresses, or firewall_mark = 7)`)
	}
	if !b.Given("ports") {
		b.Require("port", `port = 80`)
	}
	s := p.selection(b)
	_, persistent := b.Block("persistence")
	if every := len(s.Ports) == 0; every && !persistent && b.Given("port") && !b.Refused("port") {
		b.Mistake(b.At("port"), "Port 0 without persistence", "Port 0 stands for every port, which the kernel supports only with persistence: add persistence {}, or write the port.")
	}
	if len(s.Addresses) == 0 || len(s.Protocols) == 0 || len(s.Ports) == 0 && !(b.Given("port") && p.port == 0) {
		return i // What is missing was reported.
	}
	keys := s.Keys(maxAlone)
	i.first = ipvsctl.ServiceKey{Protocol: s.Protocols[0], Addr: s.Addresses[0].First}
	if len(s.Ports) > 0 {
		i.first.Port = s.Ports[0].First
	}
	switch alone := b.Given("marked") && !p.marked; {
	case alone && keys == nil:
		b.Mistake(b.At("marked"), "Too many services", "Its addresses, protocols and ports are more than %d virtual services of the kernel: remove marked = false, so that they are one.", maxAlone)
		return i
	case alone && persistent && len(keys) > 1:
		b.Doubt(b.At("marked"), "Several persistences", "Each of the %d virtual services of the kernel has a persistence of its own, so a client may be sent to another server at each: remove marked = false for one of all.", len(keys))
	}
	if p.marked || keys == nil || persistent && len(keys) > 1 && !b.Given("marked") {
		i.selection = &s
		i.key = ipvsctl.ServiceKey{Mark: provisionalMark, Addr: s.Family()}
		return i
	}
	if p.source.Translates() {
		i.selection = &s
	}
	i.key, i.more = keys[0], keys[1:]
	return i
}

// plainKey is the key of a service with one address, protocol and port.
func (p *packets) plainKey(b *block.Body) ipvsctl.ServiceKey {
	b.Require("address", `address = "10.13.0.200" (or firewall_mark = 7)`)
	b.Require("port", `port = 80`)
	key := ipvsctl.ServiceKey{Protocol: p.protocol, Port: p.port}
	if b.Refused("protocol") {
		key.Protocol = 0
	}
	if p.address.IsValid() && usable(b, p.address, b.At("address")) {
		key.Addr = p.address
	}
	_, persistent := b.Block("persistence")
	if b.Given("port") && !b.Refused("port") && p.port == 0 && !persistent {
		b.Mistake(b.At("port"), "Port 0 without persistence", "Port 0 stands for every port, which the kernel supports only with persistence: add persistence {}, or write the port.")
	}
	return key
}

// markKey returns the key of a service by a firewall mark of the user's.
func (p *packets) markKey(b *block.Body) ipvsctl.ServiceKey {
	b.Unused("firewall_mark replaces address, port and protocol: remove one or the other.", "address", "addresses", "port", "ports", "protocol", "protocols", "marked")
	b.Unused("lvsd does not know which packets have your firewall_mark: write addresses and ports in its place, or have your own rules translate the source.", "source_nat")
	checkMark(b, p.mark)
	key := ipvsctl.ServiceKey{Mark: p.mark, Addr: p.family}
	if b.Refused("family") {
		key.Addr = netip.Addr{}
	}
	return key
}

// selection returns all packets; what is wrong with a list leaves it empty.
func (p *packets) selection(b *block.Body) ipvsctl.Selection {
	var addresses []ipvsctl.AddressRange
	if b.Given("addresses") {
		addresses = addressRanges(b, p.addresses)
	} else if p.address.IsValid() && usable(b, p.address, b.At("address")) {
		addresses = []ipvsctl.AddressRange{{First: p.address, Last: p.address}}
	}
	var ports []ipvsctl.PortRange
	if b.Given("ports") {
		ports = portRanges(b, p.ports)
	} else if p.port != 0 {
		ports = []ipvsctl.PortRange{{First: p.port, Last: p.port}}
	}
	var by []ipvsctl.Protocol
	if b.Given("protocols") {
		by = protocolList(b, p.protocols)
	} else if !b.Refused("protocol") {
		by = []ipvsctl.Protocol{p.protocol}
	}
	return ipvsctl.Select(addresses, by, ports)
}

// tooMany reports a list that is empty or too long.
func tooMany(b *block.Body, name, example string, items []block.Item) bool {
	switch {
	case len(items) == 0 && !b.Refused(name):
		b.Mistake(b.At(name), "Empty list", "No packet belongs to such a service: write for example %s.", example)
	case len(items) > maxRanges:
		b.Mistake(b.At(name), "List too long", "%s has %d items, but the limit is %d: write ranges.", name, len(items), maxRanges)
		return true
	}
	return false
}

// addressRanges reads addresses and ranges of them; nil where something is wrong.
func addressRanges(b *block.Body, items []block.Item) (all []ipvsctl.AddressRange) {
	if tooMany(b, "addresses", `addresses = ["10.13.0.200"]`, items) {
		return nil
	}
	good := !b.Refused("addresses")
	for _, it := range items {
		r, ok := addressRange(b, it)
		if ok = ok && usable(b, r.First, it.At) && (r.First == r.Last || usable(b, r.Last, it.At)); ok && len(all) > 0 && r.First.Is4() != all[0].First.Is4() {
			b.Mistake(it.At, "Mixed families", "%s is of another family than %s: write a virtual_service for each family.", it.Text, all[0])
			ok = false
		}
		good = good && ok
		all = append(all, r)
	}
	if !good {
		return nil
	}
	return all
}

// addressRange reads an address, two with a hyphen between, or a prefix.
func addressRange(b *block.Body, it block.Item) (r ipvsctl.AddressRange, ok bool) {
	if strings.Contains(it.Text, "/") {
		p, ok := b.ParsePrefix(it.Text, it.At)
		if ok && p.Masked() != p {
			b.Mistake(it.At, "Address within a network", "%s is no network, which would begin at %s: write that, or the address alone.", it.Text, p.Masked().Addr())
			ok = false
		}
		return ipvsctl.AddressRange{First: p.Addr(), Last: lastOf(p)}, ok
	}
	first, last, ranged := strings.Cut(it.Text, "-")
	if r.First, ok = b.ParseAddress(strings.TrimSpace(first), it.At); !ok || !ranged {
		r.Last = r.First
		return r, ok
	}
	last = strings.TrimSpace(last)
	if n, err := strconv.ParseUint(last, 10, 8); err == nil && r.First.Is4() { // as keepalived writes it: 10.13.0.200-209
		a := r.First.As4()
		a[3] = byte(n)
		r.Last = netip.AddrFrom4(a)
	} else if r.Last, ok = b.ParseAddress(last, it.At); !ok {
		return r, false
	}
	if r.First.Is4() != r.Last.Is4() || r.First.Compare(r.Last) > 0 {
		b.Mistake(it.At, "Range reversed", "%s is no range of addresses: write the first one, a hyphen and the last one, of the same family.", it.Text)
		return r, false
	}
	return r, true
}

// lastOf returns the last address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	a := p.Addr().AsSlice()
	for bit := p.Bits(); bit >= 0 && bit < len(a)*8; bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(a)
	return last
}

// portRanges reads ports and ranges of them; nil where something is wrong.
func portRanges(b *block.Body, items []block.Item) (all []ipvsctl.PortRange) {
	if tooMany(b, "ports", `ports = [80, 443]`, items) {
		return nil
	}
	good := !b.Refused("ports")
	for _, it := range items {
		first, last, ranged := strings.Cut(it.Text, "-")
		if !ranged {
			last = first
		}
		from, err1 := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
		to, err2 := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
		if err1 != nil || err2 != nil || from == 0 || from > to {
			b.Mistake(it.At, "Invalid port", "%q is neither a port from 1 to 65535 nor a range of them: write 80 or \"16384-32767\". For every port, write port = 0.", it.Text)
			good = false
		}
		all = append(all, ipvsctl.PortRange{First: uint16(from), Last: uint16(to)})
	}
	if !good {
		return nil
	}
	return all
}

// protocolList reads the protocols; nil where something is wrong.
func protocolList(b *block.Body, items []block.Item) (all []ipvsctl.Protocol) {
	if tooMany(b, "protocols", `protocols = ["tcp", "udp"]`, items) {
		return nil
	}
	good := !b.Refused("protocols")
	for _, it := range items {
		i := slices.IndexFunc(protocols, func(w block.Word[ipvsctl.Protocol]) bool { return w.Name == it.Text })
		if i < 0 {
			b.UnknownWord(it.At, "protocol", it.Text, []string{"tcp", "udp", "sctp"})
			good = false
			continue
		}
		all = append(all, protocols[i].Value)
	}
	if !good {
		return nil
	}
	return all
}

// A markedClaim is what a block claims whose packets lvsd marks.
type markedClaim struct {
	ipvsctl.Selection
	// Service: the kernel knows the service by the mark. Translates: their source becomes
	// another one.
	Service, Translates bool
}

// claim claims the service's keys and addresses.
func (i *identity) claim(b *block.Body) {
	if !i.key.Addr.IsValid() || b.Refused("port") || b.Refused("firewall_mark") || i.key.Mark == 0 && i.key.Protocol == 0 {
		if i.key.Addr.IsValid() && i.key.Mark == 0 {
			i.claimAddress(b, i.key.Addr, b.At("address"))
		}
		return
	}
	if i.selection != nil {
		text, err := json.Marshal(markedClaim{*i.selection, i.marks(), i.source.Translates()})
		if err == nil { // It holds nothing that cannot be encoded.
			b.Claim(markedPackets, string(text), b.Labels[0], b.Head)
		}
	}
	if i.marks() {
		for _, r := range i.selection.Addresses {
			if r.First == r.Last { // What is routed to this director as a network need not be on its interfaces.
				i.claimAddress(b, r.First, b.Head)
			}
		}
		return
	}
	for _, key := range append([]ipvsctl.ServiceKey{i.key}, i.more...) {
		claim(b, serviceKey, key.String(), b.Head)
		if key.Mark == 0 {
			at := b.At("address")
			if len(i.more) > 0 {
				at = b.Head
			}
			i.claimAddress(b, key.Addr, at)
		}
	}
}

// claimAddress claims one address at which clients are expected.
func (i *identity) claimAddress(b *block.Body, a netip.Addr, at block.Place) {
	if a.IsLoopback() {
		b.Doubt(at, "Loopback address", "%s is a loopback address: only clients on the director itself can reach the service.", a)
		return
	}
	claim(b, serviceAddress, a.String(), at)
}

// checkSource reports servers to which packets do not go in this director's name.
func (p *packets) checkSource(b *block.Body, i *identity, s *Service) {
	if !p.source.Translates() || b.Refused("source_nat") || i.selection == nil {
		return
	}
	at := b.At("source_nat")
	if p.source.To.IsValid() && p.source.To.Is4() != i.selection.Family().Is4() {
		b.Mistake(at, "Wrong family", "%s can't be the source of packets to %s: write an address of that family, or \"masquerade\".", p.source.To, i.selection)
	}
	other := func(d ipvsctl.Destination) bool { return d.Forward != ipvsctl.NAT }
	if slices.ContainsFunc(s.Servers, func(v Server) bool { return other(v.Destination) }) || s.Fallback != nil && other(s.Fallback.Destination) {
		b.Mistake(at, "Source NAT without NAT", "By direct routing and tunnelling, servers answer the clients themselves, and would not know whom: use forward = \"nat\" for all of them, or remove source_nat.")
	}
}
