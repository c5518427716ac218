package config

import (
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/internal/block"
)

var connectionSyncTable = block.NewTable("connection_sync", func() []block.Entry[ConnectionSync] {
	return []block.Entry[ConnectionSync]{
		block.Text("router", "The virtual router whose role decides: its Master tells, and all others listen.",
			"", block.Verbatim, func(s *ConnectionSync) *string { return &s.Router }).Within("the name of a virtual_router").Required(`router = "outside"`),
		block.Text("interface", "The network interface to the other directors. Nothing protects what is told, so it should lead to a network of their own. It needs an address.",
			"", syncInterface, func(s *ConnectionSync) *string { return &s.Interface }).Within("the name of a network interface").Required(`interface = "eth1"`),
		block.Count("id", "The number by which directors of one cluster know each other's messages. A director with 0 takes anybody's.",
			1, 0, 255, func(s *ConnectionSync) *int { return &s.ID }),
		block.Text("group", "The multicast group that messages are sent to, of either family.",
			netip.AddrFrom4([4]byte{224, 0, 0, 81}), syncGroupAddress, func(s *ConnectionSync) *netip.Addr { return &s.Group }).Within("a multicast address"),
		block.Count("port", "The UDP port that messages are sent to; with sync_ports in the ipvs block, the first of them.",
			8848, 1, 65535, func(s *ConnectionSync) *int { return &s.Port }),
		block.Count("ttl", "The TTL, or hop limit, of messages. With more than 1, routers may pass them on.",
			1, 1, 255, func(s *ConnectionSync) *int { return &s.TTL }),
		block.Count("max_length", "The longest message, in bytes. 0 takes what the interface's MTU has room for, of 1500 bytes at most. A director that listens has room for 1024 at least, and with 0 for as much as the MTU has.",
			0, 0, 65507, func(s *ConnectionSync) *int { return &s.MaxLength }),
		block.Duration("refresh", "How often the Master tells of all connections, also of those that have no packets, of which the kernel's sync daemon never tells a director that was away. A director that starts does not preempt before it has heard a whole round of that, or, where no beginning of one is heard, two of these times are over; a round may last for ten. 0 leaves it to the kernel.",
			10*time.Second, 0, time.Hour, func(s *ConnectionSync) *time.Duration { return &s.Refresh }),
		block.Count("rate", "How many connections it tells of in a second at most. With more than so many times refresh in seconds, telling of all takes longer than refresh, and so does the wait of a director that starts.",
			100_000, 100, 10_000_000, func(s *ConnectionSync) *int { return &s.Rate }),
	}
})

// syncInterface checks the name of the interface to the other directors.
func syncInterface(b *block.Body, s string, at block.Place) (string, bool) {
	s, ok := deviceName(b, s, at)
	if ok {
		b.Claim(interfaceName, s, "the directors do not tell each other of connections", at)
	}
	return s, ok
}

// syncGroupAddress checks a multicast group.
func syncGroupAddress(b *block.Body, s string, at block.Place) (netip.Addr, bool) {
	a, ok := b.ParseAddress(s, at)
	if ok && !a.IsMulticast() {
		b.Mistake(at, "Invalid group", "%s is not a multicast address: write \"224.0.0.81\" or one like \"ff02::81\".", a)
		return a, false
	}
	return a, ok
}
