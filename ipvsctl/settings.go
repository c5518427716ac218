package ipvsctl

import (
	"fmt"
	"net/netip"
)

// Info is what the kernel tells of its IPVS.
type Info struct {
	// Version is three numbers, of which the last two have eight bits each: 1.2.1 is 0x010201.
	Version uint32
	// Size is how many buckets the table of connections has.
	Size uint32
}

// String returns the version as "1.2.1".
func (i Info) String() string {
	return fmt.Sprintf("%d.%d.%d", i.Version>>16, i.Version>>8&0xff, i.Version&0xff)
}

// Timeouts are how long the kernel remembers a connection without packets, in seconds.
// Where they are set, zero leaves one as it is.
type Timeouts struct {
	TCP    uint32 // established
	TCPFin uint32 // after a FIN
	UDP    uint32
}

// A SyncRole is what a sync daemon of the kernel does (IP_VS_STATE_* in linux/ip_vs.h). A
// network namespace may have one of each.
type SyncRole uint32

// The roles of a sync daemon.
const (
	SyncMaster SyncRole = 1 // it sends the connections of this director
	SyncBackup SyncRole = 2 // it learns those of another one
)

// String returns the role's name: "master" or "backup".
func (r SyncRole) String() string {
	switch r {
	case SyncMaster:
		return "master"
	case SyncBackup:
		return "backup"
	default:
		return fmt.Sprintf("role-%d", uint32(r))
	}
}

// A SyncDaemon is the configuration of one of the kernel's sync daemons. It is comparable.
// The zero value of each of the last four is the kernel's default.
type SyncDaemon struct {
	Role      SyncRole
	Interface string
	// ID is that of the cluster, which a backup compares; 0 on a backup takes any.
	ID uint8
	// MaxLength is the longest datagram's, in bytes, without headers.
	MaxLength uint16
	Group     netip.Addr // 224.0.0.81
	Port      uint16     // 8848
	TTL       uint8      // 1
}
