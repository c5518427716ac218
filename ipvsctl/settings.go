package ipvsctl

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
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

// String returns the configuration on one line, without the role:
// "eth1 id=51 group=224.0.0.81 port=8848 ttl=1 length=1472". What is the kernel's choice is
// left out.
func (d SyncDaemon) String() string {
	text := fmt.Sprintf("%s id=%d", d.Interface, d.ID)
	if d.Group.IsValid() {
		text += " group=" + d.Group.String()
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"port", int(d.Port)}, {"ttl", int(d.TTL)}, {"length", int(d.MaxLength)}} {
		if n.value != 0 {
			text += fmt.Sprintf(" %s=%d", n.name, n.value)
		}
	}
	return text
}

// ParseSyncDaemon reads what String has written.
func ParseSyncDaemon(role SyncRole, text string) (SyncDaemon, error) {
	d := SyncDaemon{Role: role}
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return d, fmt.Errorf("a sync daemon without an interface: %q", text)
	}
	d.Interface = fields[0]
	for _, field := range fields[1:] {
		name, value, _ := strings.Cut(field, "=")
		var err error
		switch name {
		case "id":
			err = parseInto(&d.ID, value, 8)
		case "group":
			d.Group, err = netip.ParseAddr(value)
		case "port":
			err = parseInto(&d.Port, value, 16)
		case "ttl":
			err = parseInto(&d.TTL, value, 8)
		case "length":
			err = parseInto(&d.MaxLength, value, 16)
		default:
			err = fmt.Errorf("nothing is called %q", name)
		}
		if err != nil {
			return d, fmt.Errorf("reading a sync daemon, %q: %w", text, err)
		}
	}
	return d, nil
}

func parseInto[N uint8 | uint16](n *N, text string, bits int) error {
	v, err := strconv.ParseUint(text, 10, bits)
	*n = N(v)
	return err
}
