package config

import (
	"math"
	"net/netip"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A route is how packets reach a server: what a service says for all its
// servers, and each of them for itself.
type route struct {
	forward   method
	tunnel    encapsulation
	initialUp bool
	onFailure failure
}

// A failure is what becomes of a server that fails: drained, it stays in the table with
// weight 0, and bounded for drain_timeout at most.
type failure struct{ drained, bounded bool }

// A method is a forwarding method, or none that is known.
type method struct {
	ipvsctl.Forward
	known bool
}

// An encapsulation is how a tunnel wraps packets (IP_VS_CONN_F_TUNNEL_TYPE_*
// and IP_VS_TUNNEL_ENCAP_FLAG_* in linux/ip_vs.h).
type encapsulation struct {
	kind, checksum word
	port           uint16
}

// A word is a value of the kernel's with its name in the configuration.
type word struct {
	name  string
	value uint16
}

var forwards = []block.Word[method]{
	{Name: "nat", Value: method{ipvsctl.NAT, true}, Help: "The director rewrites packets in both directions. It must be the servers' default route, and net.ipv4.ip_forward must be on."},
	{Name: "direct", Value: method{ipvsctl.Direct, true}, Help: "Packets are sent unchanged to the server's MAC address. The servers must have the virtual address on lo and must not answer ARP for it (arp_ignore = 1, arp_announce = 2)."},
	{Name: "tunnel", Value: method{ipvsctl.Tunnel, true}, Help: "Packets are sent encapsulated in other packets. The servers must have the virtual address on their end of the tunnel, and answer the clients themselves."},
}

// self lets the options below say where the route of what embeds it is.
func (r *route) self() *route { return r }

func forwardOption[T any](help string, of func(*T) *route) block.Entry[T] {
	return block.Choice("forward", help, "", forwards, func(t *T) *method { return &of(t).forward })
}

func tunnelOption[T any](help string, of func(*T) *route) block.Entry[T] {
	return block.Inner("tunnel", help, tunnelTable, func(t *T) *encapsulation { return &of(t).tunnel }).Replacing()
}

func initialOption[T any](help, def string, of func(*T) *route) block.Entry[T] {
	return block.Choice("initial", help, def, []block.Word[bool]{{Name: "check", Value: false}, {Name: "up", Value: true}}, func(t *T) *bool { return &of(t).initialUp })
}

func onFailureOption[T any](help, def string, of func(*T) *route) block.Entry[T] {
	return block.Choice("on_failure", help, def, []block.Word[failure]{
		{Name: "remove", Help: "It is removed from the table. With expire_nodest_conn its connections end at their next packet; without, their packets are lost until the server is back or they time out."},
		{Name: "drain", Value: failure{true, false}, Help: "It keeps its row, with weight 0, while it is down, so that connections which still work go on, as with quiescent of ldirectord and inhibit_on_failure of keepalived."},
		{Name: "drain_timeout", Value: failure{true, true}, Help: "The same for drain_timeout at most, and then it is removed: what still works has that long, and what hangs has an end."},
	}, func(t *T) *failure { return &of(t).onFailure })
}

var tunnelTable = block.NewTable("tunnel", func() []block.Entry[encapsulation] {
	return []block.Entry[encapsulation]{
		block.Choice("type", "The encapsulation: IP in IP, GUE (over UDP) or GRE. The servers must expect the same.", "ipip",
			[]block.Word[word]{{Name: "ipip", Value: word{"ipip", 0}}, {Name: "gue", Value: word{"gue", 1}}, {Name: "gre", Value: word{"gre", 2}}},
			func(e *encapsulation) *word { return &e.kind }),
		block.Count("port", "The UDP port on which the servers expect GUE packets. It is required for type \"gue\", and not allowed for other types.",
			0, 1, math.MaxUint16, func(e *encapsulation) *uint16 { return &e.port }).Unless(""),
		block.Choice("checksum", "The checksum of the outer packet. \"plain\" is available with gue and gre, \"remote\" (remote checksum offload) with gue only.", "none",
			[]block.Word[word]{{Name: "none", Value: word{"none", 0}}, {Name: "plain", Value: word{"plain", 1}}, {Name: "remote", Value: word{"remote", 2}}},
			func(e *encapsulation) *word { return &e.checksum }),
	}
})

// check checks what a block says about the route. A method that was refused is
// not known.
func (r *route) check(b *block.Body) {
	r.forward.known = r.forward.known && !b.Refused("forward")
	if inner, given := b.Block("tunnel"); given {
		r.checkTunnel(inner)
	}
}

func (r *route) checkTunnel(b *block.Body) {
	if r.forward.known && r.forward.Forward != ipvsctl.Tunnel {
		b.Mistake(b.Head, "Unused tunnel block", "Packets are forwarded by %v: remove the block, or set forward = \"tunnel\".", r.forward)
	}
	if b.Refused("type") {
		return
	}
	kind, checksum := r.tunnel.kind.name, r.tunnel.checksum.name
	switch {
	case kind == "gue" && !b.Given("port"):
		b.Mistake(b.Head, "Missing port", "GUE packets are UDP and need the port on which the servers expect them; for example: port = 5555")
	case kind != "gue" && b.Given("port"):
		b.Mistake(b.NameAt("port"), "Unused port", "Only tunnels of type \"gue\" have a port, but this is \"%s\": remove it.", kind)
	}
	if kind == "ipip" && checksum != "none" || kind == "gre" && checksum == "remote" {
		b.Mistake(b.At("checksum"), "Unsupported checksum", "A tunnel of type %q has no checksum %q: \"plain\" is for gue and gre, \"remote\" for gue.", kind, checksum)
	}
}

// destination returns a destination that is reached so.
func (r *route) destination() ipvsctl.Destination {
	dst := ipvsctl.Destination{Forward: r.forward.Forward, Weight: 1}
	if r.forward.Forward == ipvsctl.Tunnel {
		dst.TunnelType, dst.TunnelPort, dst.TunnelFlags = uint8(r.tunnel.kind.value), r.tunnel.port, r.tunnel.checksum.value
	}
	return dst
}

// usable reports whether an address can be one machine's on a network.
func usable(b *block.Body, a netip.Addr, at block.Place) bool {
	switch {
	case a.IsUnspecified():
		b.Mistake(at, "Invalid address", "%s means no address at all.", a)
	case a.IsMulticast():
		b.Mistake(at, "Invalid address", "%s is a multicast address.", a)
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		b.Mistake(at, "Invalid address", "%s is the broadcast address.", a)
	default:
		return true
	}
	return false
}
