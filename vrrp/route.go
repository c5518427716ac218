package vrrp

import (
	"fmt"
	"net/netip"
	"strings"
)

// MainTable is the routing table that is consulted where no rule says otherwise
// (RT_TABLE_MAIN of linux/rtnetlink.h).
const MainTable = 254

// Metric6 is the metric that the kernel gives to IPv6 routes that have none
// (IP6_RT_PRIO_USER of include/uapi/linux/ipv6_route.h).
const Metric6 = 1024

// A Route is a route that a Master has. Equal routes are equal values.
type Route struct {
	// Destination is a network; of length 0, it is the default route.
	Destination netip.Prefix
	// Type is what becomes of the packets; empty: they are sent.
	Type RouteType
	// Via is the next router, and Interface where it or the destination is reached. One
	// of them is valid, unless Type is given.
	Via       netip.Addr
	Interface string
	// Source is the address that packets of the director itself come from; invalid:
	// the kernel chooses.
	Source netip.Addr
	// Metric is what makes the kernel prefer another route; zero: the kernel's default.
	Metric uint32
	Table  uint32
	// Scope is how far it leads, of IPv4 only: one of RT_SCOPE_*.
	Scope uint8
	// OnLink: Via is reached on Interface, though no network there has it.
	OnLink bool
	// MTU and AdvertisedMSS are the largest packet that is sent there and the largest
	// segment that TCP announces, in bytes; zero: what follows from the interface.
	MTU, AdvertisedMSS uint32
	// HopLimit is the TTL of the director's own packets, and Window bounds what its TCP lets
	// the other side send ahead, in bytes; zero: what the machine has for all.
	HopLimit, Window uint32
}

// A RouteType is a route that leads nowhere, as ip-route(8) names it.
type RouteType string

// What becomes of packets that are not sent: they vanish, or are answered by an ICMP
// error.
const (
	Blackhole   RouteType = "blackhole"
	Unreachable RouteType = "unreachable"
	Prohibit    RouteType = "prohibit"
)

// String returns the route as ip-route(8) would be told it.
func (r Route) String() string {
	words := []string{"route"}
	if r.Type != "" {
		words = append(words, string(r.Type))
	}
	words = append(words, r.Destination.String())
	if r.Via.IsValid() {
		words = append(words, "via "+r.Via.String())
	}
	if r.Interface != "" {
		words = append(words, "dev "+r.Interface)
	}
	if r.Source.IsValid() {
		words = append(words, "src "+r.Source.String())
	}
	if r.Metric != 0 {
		words = append(words, fmt.Sprint("metric ", r.Metric))
	}
	if r.Table != MainTable {
		words = append(words, fmt.Sprint("table ", r.Table))
	}
	if r.MTU != 0 {
		words = append(words, fmt.Sprint("mtu ", r.MTU))
	}
	if r.AdvertisedMSS != 0 {
		words = append(words, fmt.Sprint("advmss ", r.AdvertisedMSS))
	}
	if r.HopLimit != 0 {
		words = append(words, fmt.Sprint("hoplimit ", r.HopLimit))
	}
	if r.Window != 0 {
		words = append(words, fmt.Sprint("window ", r.Window))
	}
	return strings.Join(words, " ")
}

// A Rule is a rule of policy routing that a Master has: which packets consult a
// table. Equal rules are equal values.
type Rule struct {
	Family int // 4 or 6
	// Priority is when the rule is consulted: the lowest first.
	Priority uint32
	// From and To are networks of the source and of the destination; invalid: all.
	From, To netip.Prefix
	// In and Out are the interfaces on which a packet has come, or to which a socket
	// is bound; empty: any.
	In, Out string
	// Mark is the packet's firewall mark where Mask has ones. With Mask zero, any.
	Mark, Mask uint32
	// Protocol is the packets' protocol over IP; zero: any.
	Protocol uint8
	// SourcePorts and DestinationPorts are their ports; zero: any.
	SourcePorts, DestinationPorts Ports
	Table                         uint32
	// Suppress passes over what the table has for destinations of a prefix length of no
	// more than that: with 0, over the default route.
	Suppress Suppression
}

// Ports are those from the first to the last.
type Ports struct{ First, Last uint16 }

func (p Ports) String() string {
	if p.First == p.Last {
		return fmt.Sprint(p.First)
	}
	return fmt.Sprintf("%d-%d", p.First, p.Last)
}

// A Suppression is a prefix length, if it is On.
type Suppression struct {
	On     bool
	Length uint8
}

// String returns the rule as ip-rule(8) shows it.
func (r Rule) String() string {
	words := []string{fmt.Sprintf("rule %d:", r.Priority), "from all"}
	if r.From.IsValid() {
		words[1] = "from " + r.From.String()
	}
	if r.To.IsValid() {
		words = append(words, "to "+r.To.String())
	}
	if r.Mask != 0 {
		words = append(words, fmt.Sprintf("fwmark %#x/%#x", r.Mark, r.Mask))
	}
	if r.In != "" {
		words = append(words, "iif "+r.In)
	}
	if r.Out != "" {
		words = append(words, "oif "+r.Out)
	}
	if r.Protocol != 0 {
		words = append(words, fmt.Sprint("ipproto ", r.Protocol))
	}
	if r.SourcePorts != (Ports{}) {
		words = append(words, "sport "+r.SourcePorts.String())
	}
	if r.DestinationPorts != (Ports{}) {
		words = append(words, "dport "+r.DestinationPorts.String())
	}
	words = append(words, fmt.Sprint("lookup ", r.Table))
	if r.Suppress.On {
		words = append(words, fmt.Sprint("suppress_prefixlength ", r.Suppress.Length))
	}
	return strings.Join(words, " ")
}
