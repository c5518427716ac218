package vrrp

import (
	"net/netip"
	"slices"
	"time"
)

// maxPeers bounds the peers that a router remembers: the one that was heard longest
// ago makes room.
const maxPeers = 8

// peers are the other directors that a router has heard, the last one first. One
// that is Backup is silent.
type peers []peer

type peer struct {
	address  netip.Addr
	priority uint8
	refused  Reason // its last advert was, for its version or authentication alone
	key      uint8  // that its last advert was signed with; 0: none
	heardAt  time.Time
}

// hear notes an advert.
func (p *peers) hear(now time.Time, src netip.Addr, priority uint8, refused Reason, key uint8) {
	others := slices.DeleteFunc(*p, func(o peer) bool { return o.address == src })
	*p = slices.Insert(others[:min(len(others), maxPeers-1)], 0, peer{src, priority, refused, key, now})
}

// seen are the peers as they are reported.
func (p peers) seen(now time.Time) []Peer {
	all := make([]Peer, 0, len(p))
	for _, o := range p {
		all = append(all, Peer{Address: o.address, Priority: o.priority, Refused: o.refused, Key: o.key, Age: now.Sub(o.heardAt)})
	}
	return all
}
