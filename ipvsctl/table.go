package ipvsctl

import (
	"maps"
	"slices"
)

// A Service is the configuration of a virtual service: everything about it
// that may change without making it another one. It is comparable.
type Service struct {
	// Scheduler is the kernel's name of the scheduler, such as "wlc".
	Scheduler string
	Flags     Flags
	// Timeout is how long a client's persistence template lives, in seconds.
	// It has a meaning only with the flag Persistent.
	Timeout uint32
	// Netmask is the prefix length by which clients are grouped for
	// persistence: 32 or 128, the whole address, if it is not used.
	Netmask uint8
	// Mask is the mask itself where Netmask is NotAPrefix, and else zero.
	Mask uint32
	// Engine is the kernel's name of the persistence engine, such as "sip";
	// empty for none.
	Engine string
}

// NotAPrefix is the Netmask of a service whose IPv4 mask has holes, as 255.0.255.0.
const NotAPrefix = 255

// Flags are the flags of a virtual service (IP_VS_SVC_F_* in linux/ip_vs.h),
// without IP_VS_SVC_F_HASHED, which is internal to the kernel.
type Flags uint32

// The flags of a virtual service. The meaning of Sched1 to Sched3 is the
// scheduler's: for sh and mh, Sched1 is fallback and Sched2 is port.
const (
	Persistent Flags = 0x1
	OnePacket  Flags = 0x4
	Sched1     Flags = 0x8
	Sched2     Flags = 0x10
	Sched3     Flags = 0x20
)

// A Forward is a forwarding method (IP_VS_CONN_F_* in linux/ip_vs.h): how a
// packet reaches the real server.
type Forward uint8

// The forwarding methods that a director may ask for.
const (
	NAT    Forward = 0 // masquerading: the director rewrites both ways
	Tunnel Forward = 2 // encapsulation: the server answers the client itself
	Direct Forward = 3 // direct routing: as Tunnel, by the server's MAC address
)

var forwards = map[Forward]string{NAT: "nat", Tunnel: "tunnel", Direct: "direct"}

// String returns the forwarding method's name in the configuration.
func (f Forward) String() string { return name(forwards, f, "forward") }

// A Destination is the configuration of a real server in a virtual service:
// everything about it that may change without making it another one. It is
// comparable.
type Destination struct {
	Forward Forward
	// Weight is the server's share, from 0 (no new connections) to
	// 2147483647, as the scheduler reads it.
	Weight uint32
	// Upper and Lower are the connection thresholds, in connections: at Upper
	// the server gets no new ones until it is below Lower. Zero is no limit.
	Upper, Lower uint32
	// TunnelType, TunnelPort and TunnelFlags choose the encapsulation where
	// Forward is Tunnel (IP_VS_CONN_F_TUNNEL_TYPE_*, IP_VS_TUNNEL_ENCAP_FLAG_*);
	// zero is IP in IP.
	TunnelType  uint8
	TunnelPort  uint16
	TunnelFlags uint16
}

// The types of encapsulation (IP_VS_CONN_F_TUNNEL_TYPE_*).
const (
	TunnelIPIP uint8 = 0 // IP in IP
	TunnelGUE  uint8 = 1 // generic UDP encapsulation, to TunnelPort
	TunnelGRE  uint8 = 2 // generic routing encapsulation
)

// The flags of an encapsulation (IP_VS_TUNNEL_ENCAP_FLAG_*): no checksum, one
// over the outer packet, or a remote checksum offload, which only GUE has.
const (
	TunnelNoChecksum     uint16 = 0
	TunnelChecksum       uint16 = 1
	TunnelRemoteChecksum uint16 = 2
)

// A VirtualService is a service with its real servers. It is immutable once it
// is in a table that was handed out: tables share it.
type VirtualService struct {
	Service
	Destinations Rows[Destination]
}

// A Table is an IPVS table: the kernel's, or the one it should have. It is
// immutable once handed out; Clone makes one that may be written to.
type Table map[ServiceKey]VirtualService

// Clone returns a copy that shares nothing with t.
func (t Table) Clone() Table {
	c := copied(t)
	for k, vs := range c {
		vs.Destinations = slices.Clone(vs.Destinations)
		c[k] = vs
	}
	return c
}

// copied is maps.Clone, but makes an empty map of none.
func copied[M ~map[K]V, K comparable, V any](m M) M {
	if m == nil {
		return M{}
	}
	return maps.Clone(m)
}

// Desired is what the kernel's IPVS should be.
type Desired struct {
	Table Table
	// Exclusive declares that there is nothing else in the kernel's table:
	// what is not wanted is deleted, whoever made it.
	Exclusive bool
	// Packets: it is to be known at each look how many packets have come for each service.
	Packets bool
	// Watched are services whose counters are read at each look, in their order.
	Watched []ServiceKey
}

// Counters are what the kernel counts for one real server of one service, or for
// the service, where the connections now are not counted.
type Counters struct {
	Active      uint32 // established connections
	Inactive    uint32 // connections in any other state
	Persistent  uint32 // persistence templates
	Connections uint64 // connections since the server was added
	PacketsIn   uint64
	PacketsOut  uint64
	BytesIn     uint64
	BytesOut    uint64
}

// Rates are what is counted in a second, as the kernel estimates it every two seconds.
type Rates struct {
	Connections uint64
	PacketsIn   uint64
	PacketsOut  uint64
	BytesIn     uint64
	BytesOut    uint64
}

// A Listed is a row of the kernel's table with what was counted for it.
type Listed[K, C any] struct {
	Key      K
	Config   C
	Counters Counters
	Rates    Rates
}

// The rows of the kernel's table.
type (
	ListedService     = Listed[ServiceKey, Service]
	ListedDestination = Listed[DestinationKey, Destination]
)
