//go:build linux

package kernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/fault"
	"github.com/lvsd/lvsd/ipvsctl"
)

var errShort = fault.New(fault.CutShort, errors.New("a netlink attribute is too short"))

// attributes are the contents of some netlink attributes by type, as in the
// table that the kernel's own nla_parse fills (include/net/netlink.h). One that
// is absent reads as zero; one that is too short does too, and is an error.
type attributes struct {
	content [attrTypes][]byte
	err     error
}

// parse reads attributes, of which it leaves out those that we don't know.
func parse(b []byte) (a attributes) {
	for len(b) > 0 {
		if len(b) < attrHeader {
			return attributes{err: errShort}
		}
		length, typ := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])&attrTypeMask
		if length < attrHeader || length > len(b) {
			return attributes{err: errShort}
		}
		if typ < attrTypes {
			a.content[typ] = b[attrHeader:length]
		}
		b = b[min(len(b), (length+3)&^3):] // the next one is aligned
	}
	return a
}

// top returns the attributes of a message's body.
func top(body []byte) attributes { return parse(body[min(len(body), genlHeader):]) }

// nested returns the attributes inside the attribute of the given type in a
// message's body.
func nested(body []byte, typ int) attributes {
	outer := top(body)
	if outer.err == nil && outer.content[typ] == nil {
		outer.err = fault.New(fault.CutShort, fmt.Errorf("the kernel's message has no attribute %d", typ))
	}
	if outer.err != nil {
		return outer
	}
	return parse(outer.content[typ])
}

// leading returns the first n bytes of an attribute, which may be longer.
func (a *attributes) leading(typ, n int) []byte {
	if b := a.content[typ]; len(b) >= n {
		return b
	} else if b != nil {
		a.err = errShort
	}
	return make([]byte, n)
}

func (a *attributes) uint8(typ int) uint8   { return a.leading(typ, 1)[0] }
func (a *attributes) uint16(typ int) uint16 { return binary.NativeEndian.Uint16(a.leading(typ, 2)) }
func (a *attributes) uint32(typ int) uint32 { return binary.NativeEndian.Uint32(a.leading(typ, 4)) }

// port reads a port, which is in network order.
func (a *attributes) port(typ int) uint16 { return binary.BigEndian.Uint16(a.leading(typ, 2)) }

// text reads a string, which ends with a zero.
func (a *attributes) text(typ int) string {
	s, _, _ := bytes.Cut(a.content[typ], []byte{0})
	return string(s)
}

// counter reads a counter of 64 bits, or of the 32 that connections and packets
// have in older kernels.
func (a *attributes) counter(typ int) uint64 {
	if b := a.content[typ]; len(b) >= 8 {
		return binary.NativeEndian.Uint64(b)
	}
	return uint64(a.uint32(typ))
}

func decodeAddr(af uint16, b []byte) (netip.Addr, error) {
	switch {
	case af == unix.AF_INET && len(b) >= 4:
		return netip.AddrFrom4([4]byte(b)), nil
	case af == unix.AF_INET6 && len(b) >= 16:
		return netip.AddrFrom16([16]byte(b)), nil
	default:
		return netip.Addr{}, fault.New(fault.CutShort, fmt.Errorf("an address of family %d in %d bytes", af, len(b)))
	}
}

// decodeNetmask returns the length of a prefix, or the mask itself where it has holes. The
// kernel has a mask in network order for IPv4, and the length itself for IPv6.
func decodeNetmask(af uint16, b []byte) (length uint8, holes uint32, err error) {
	if len(b) < 4 {
		return 0, 0, errShort
	}
	if af == unix.AF_INET6 {
		return uint8(min(binary.NativeEndian.Uint32(b), ipvsctl.NotAPrefix)), 0, nil
	}
	mask := binary.BigEndian.Uint32(b)
	ones := bits.LeadingZeros32(^mask)
	if bits.OnesCount32(mask) != ones {
		return ipvsctl.NotAPrefix, mask, nil
	}
	return uint8(ones), 0, nil
}

// decodeService reads the message about one service, and what was counted for it.
func decodeService(body []byte) (k ipvsctl.ServiceKey, s ipvsctl.Service, total ipvsctl.Counters, err error) {
	a := nested(body, attrService)
	total, terr := a.stats(svcStats64, svcStats)
	k, s, err = a.service()
	return k, s, total, errors.Join(err, terr)
}

func (a *attributes) service() (k ipvsctl.ServiceKey, s ipvsctl.Service, err error) {
	af, addr := a.uint16(svcFamily), a.content[svcAddr]
	if k.Mark = a.uint32(svcMark); k.Mark != 0 {
		addr = make([]byte, 16)
	} else {
		k.Protocol, k.Port = ipvsctl.Protocol(a.uint16(svcProtocol)), a.port(svcPort)
	}
	s.Scheduler, s.Engine = a.text(svcScheduler), a.text(svcEngine)
	s.Flags, s.Timeout = ipvsctl.Flags(a.uint32(svcFlags)&^flagHashed), a.uint32(svcTimeout)
	if a.err != nil {
		return k, s, a.err
	}
	if k.Addr, err = decodeAddr(af, addr); err != nil {
		return k, s, err
	}
	s.Netmask, s.Mask, err = decodeNetmask(af, a.content[svcNetmask])
	return k, s, err
}

// stats reads what was counted since the row was added: the attribute of 64 bits,
// or the one that older kernels have.
func (a *attributes) stats(typ64, typ int) (ipvsctl.Counters, error) {
	stats := a.counted(typ64, typ)
	c := ipvsctl.Counters{
		Connections: stats.counter(statsConnections),
		PacketsIn:   stats.counter(statsPacketsIn),
		PacketsOut:  stats.counter(statsPacketsOut),
		BytesIn:     stats.counter(statsBytesIn),
		BytesOut:    stats.counter(statsBytesOut),
	}
	return c, stats.err
}

// counted returns the attributes of what was counted.
func (a *attributes) counted(typ64, typ int) attributes {
	b := a.content[typ64]
	if b == nil {
		b = a.content[typ]
	}
	return parse(b)
}

// rates reads how much is counted in a second.
func (a *attributes) rates(typ64, typ int) (ipvsctl.Rates, error) {
	stats := a.counted(typ64, typ)
	r := ipvsctl.Rates{
		Connections: stats.counter(statsConnectionRate),
		PacketsIn:   stats.counter(statsPacketsInRate),
		PacketsOut:  stats.counter(statsPacketsOutRate),
		BytesIn:     stats.counter(statsBytesInRate),
		BytesOut:    stats.counter(statsBytesOutRate),
	}
	return r, stats.err
}

// A server is one destination as the kernel describes it.
type server struct {
	key      ipvsctl.DestinationKey
	dest     ipvsctl.Destination
	counters ipvsctl.Counters
}

// decodeDestination reads the message about one destination. Kernels before 3.18
// don't name its family, which then is the service's.
func decodeDestination(body []byte, service netip.Addr) (s server, err error) {
	a := nested(body, attrDest)
	af := family(service)
	if a.content[destFamily] != nil {
		af = a.uint16(destFamily)
	}
	total, err := a.stats(destStats64, destStats)
	s.key.Port = a.port(destPort)
	s.dest = ipvsctl.Destination{
		Forward:     ipvsctl.Forward(a.uint32(destForward) & forwardMask),
		Weight:      a.uint32(destWeight),
		Upper:       a.uint32(destUpper),
		Lower:       a.uint32(destLower),
		TunnelType:  a.uint8(destTunnelType),
		TunnelPort:  a.port(destTunnelPort),
		TunnelFlags: a.uint16(destTunnelFlags),
	}
	s.counters = total
	s.counters.Active, s.counters.Inactive, s.counters.Persistent = a.uint32(destActive), a.uint32(destInactive), a.uint32(destPersistent)
	if err = errors.Join(a.err, err); err != nil {
		return s, err
	}
	s.key.Addr, err = decodeAddr(af, a.content[destAddr])
	return s, err
}
