package ipvsctl

import (
	"cmp"
	"fmt"
	"net/netip"
)

// A Protocol is the transport protocol of a virtual service, by its number in
// the IP header (RFC 5237; IPPROTO_* in linux/in.h).
type Protocol uint8

// The protocols that IPVS balances.
const (
	TCP  Protocol = 6
	UDP  Protocol = 17
	SCTP Protocol = 132
)

var protocols = map[Protocol]string{TCP: "tcp", UDP: "udp", SCTP: "sctp"}

// String returns the protocol's name in lower case.
func (p Protocol) String() string { return name(protocols, p, "protocol") }

// A ServiceKey is the identity of a virtual service: what a packet must carry
// to belong to it. It is comparable. Its JSON is the ledger's format.
//
// A service by firewall mark has Mark set, no Protocol and no Port, and the
// unspecified address of its family as Addr (0.0.0.0 or ::), so that the
// family is always Addr's.
type ServiceKey struct {
	Protocol Protocol   `json:"protocol"`
	Addr     netip.Addr `json:"address"`
	Port     uint16     `json:"port,omitempty"`
	Mark     uint32     `json:"mark,omitempty"`
}

// A DestinationKey is the identity of a real server within its virtual
// service. It is comparable.
type DestinationKey struct {
	Addr netip.Addr
	Port uint16
}

// Compare orders services by mark, protocol, address and port.
func (k ServiceKey) Compare(other ServiceKey) int {
	return cmp.Or(
		cmp.Compare(k.Mark, other.Mark),
		cmp.Compare(k.Protocol, other.Protocol),
		k.Addr.Compare(other.Addr),
		cmp.Compare(k.Port, other.Port),
	)
}

// Compare orders real servers by address and port.
func (k DestinationKey) Compare(other DestinationKey) int {
	return cmp.Or(k.Addr.Compare(other.Addr), cmp.Compare(k.Port, other.Port))
}

// String returns the key as people write it: "tcp 10.13.0.200:80" or
// "mark 7 (ipv4)".
func (k ServiceKey) String() string {
	if k.Mark != 0 {
		family := "ipv4"
		if k.Addr.Is6() {
			family = "ipv6"
		}
		return fmt.Sprintf("mark %d (%s)", k.Mark, family)
	}
	return fmt.Sprintf("%v %v", k.Protocol, netip.AddrPortFrom(k.Addr, k.Port))
}

// String returns the key as "address:port".
func (k DestinationKey) String() string {
	return netip.AddrPortFrom(k.Addr, k.Port).String()
}

// name returns the name of k, or its number where it has none: "protocol-99".
func name[K ~uint8](names map[K]string, k K, kind string) string {
	if s, ok := names[k]; ok {
		return s
	}
	return fmt.Sprintf("%s-%d", kind, uint8(k))
}
