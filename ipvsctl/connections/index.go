package connections

import (
	"encoding/binary"
	"net/netip"

	"github.com/lvsd/lvsd/ipvsctl"
)

// An index finds what the IPVS table says of a connection that the kernel's list does not:
// how its packets are forwarded, and by which firewall mark.
type index struct {
	table ipvsctl.Table
	// rules say which packets have which firewall mark, as far as lvsd gives them, and marked
	// are the real servers of services by others.
	rules  ipvsctl.Ruleset
	marked map[ipvsctl.DestinationKey]way
}

// A way is how packets of a connection are forwarded.
type way struct {
	forward ipvsctl.Forward
	mark    uint32 // 0: by the address
}

func newIndex(table ipvsctl.Table, rules ipvsctl.Ruleset) *index {
	x := &index{table: table, rules: rules, marked: make(map[ipvsctl.DestinationKey]way)}
	for key, s := range table {
		if key.Mark == 0 || ipvsctl.Private(key.Mark) {
			continue
		}
		for _, row := range s.Destinations {
			x.marked[row.Key] = way{row.Value.Forward, key.Mark}
		}
	}
	return x
}

// wayOf returns how a connection is forwarded. One whose real server is no longer in the
// table has none.
func (x *index) wayOf(c *Connection) (w way, ok bool) {
	if c.Protocol == 0 {
		return x.templateWay(c)
	}
	key := ipvsctl.ServiceKey{Protocol: c.Protocol, Addr: c.Virtual.Addr(), Port: c.Virtual.Port()}
	if mark := x.rules.MarkOf(key); mark != 0 {
		by := ipvsctl.ServiceKey{Mark: mark, Addr: unspecified(c.Virtual.Addr())}
		if d, ok := destination(x.table[by].Destinations, c.Server); ok {
			return way{d.Forward, mark}, true
		}
	}
	for range 2 {
		if d, ok := destination(x.table[key].Destinations, c.Server); ok {
			return way{forward: d.Forward}, true
		}
		key.Port = 0 // a service for all ports
	}
	for _, port := range []uint16{c.Server.Port(), 0} {
		if w, ok := x.marked[ipvsctl.DestinationKey{Addr: c.Server.Addr(), Port: port}]; ok {
			return w, true
		}
	}
	return way{}, false
}

// templateWay is that of the template of a service by firewall mark, which has the mark in
// the first bytes of the virtual address (ip_vs_sched_persist in linux/net/netfilter/ipvs/ip_vs_core.c).
func (x *index) templateWay(c *Connection) (w way, ok bool) {
	a := c.Virtual.Addr().AsSlice()
	key := ipvsctl.ServiceKey{Mark: binary.BigEndian.Uint32(a), Addr: unspecified(c.Virtual.Addr())}
	if ipvsctl.Private(key.Mark) {
		return way{}, false
	}
	if d, ok := destination(x.table[key].Destinations, c.Server); ok {
		return way{d.Forward, key.Mark}, true
	}
	return way{}, false
}

// unspecified is the unspecified address of an address's family.
func unspecified(a netip.Addr) netip.Addr {
	if a.Is6() {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// destination finds a real server, also one for all ports.
func destination(rows ipvsctl.Rows[ipvsctl.Destination], server netip.AddrPort) (ipvsctl.Destination, bool) {
	d, ok := rows.Get(ipvsctl.DestinationKey{Addr: server.Addr(), Port: server.Port()})
	if !ok {
		d, ok = rows.Get(ipvsctl.DestinationKey{Addr: server.Addr()})
	}
	return d, ok
}
