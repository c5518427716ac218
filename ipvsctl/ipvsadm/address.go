package ipvsadm

import (
	"math/bits"
	"net/netip"
	"strings"

	"github.com/lvsd/lvsd/ipvsctl"
)

// An endpointWord is an address with or without a port, from a command line.
type endpointWord struct {
	addr    netip.Addr
	port    uint16
	hasPort bool
}

// readEndpoint reads host[:port], where an IPv6 address that has a port is in brackets. A
// port's name is one of the protocol.
func (n Names) readEndpoint(s string, p ipvsctl.Protocol) (e endpointWord, ok bool) {
	if allDigits(s) {
		return e, false
	}
	port, hasPort := "", false
	if inside, found := strings.CutPrefix(s, "["); found {
		host, rest, closed := strings.Cut(inside, "]")
		if port, hasPort = strings.CutPrefix(rest, ":"); !closed || !hasPort {
			return e, false
		}
		s = host
	}
	if e.addr = readIPv6(s); !e.addr.IsValid() {
		hasPort = false // As there: the port behind an IPv4 address in brackets is not read.
		if i := strings.LastIndexByte(s, ':'); i >= 0 {
			s, port, hasPort = s[:i], s[i+1:], true
		}
		if e.addr, ok = n.readHost(s); !ok {
			return e, false
		}
	}
	e.hasPort = hasPort
	if !hasPort {
		return e, true
	}
	if v, ok := number(port, 0, 65535); ok {
		e.port = uint16(v)
		return e, true
	}
	e.port, ok = n.Port(port, p)
	return e, ok
}

// readIPv6 reads an IPv6 address; the zero address is that s is none.
func readIPv6(s string) netip.Addr {
	if strings.Count(s, ":") < 2 {
		return netip.Addr{}
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Is6() && a.Zone() == "" {
		return a
	}
	return netip.Addr{}
}

// readHost reads an IPv4 address or the name of a host that has one.
func (n Names) readHost(s string) (netip.Addr, bool) {
	if a, ok := inetAton(s); ok {
		return a, true
	}
	if n.Address == nil || s == "" {
		return netip.Addr{}, false
	}
	return n.Address(s)
}

// setMask sets a service's mask of IPv4 addresses, which may have holes.
func setMask(s *ipvsctl.Service, mask netip.Addr) {
	b := mask.As4()
	m := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	if ones := bits.LeadingZeros32(^m); ones == bits.OnesCount32(m) {
		s.Netmask, s.Mask = uint8(ones), 0
	} else {
		s.Netmask, s.Mask = ipvsctl.NotAPrefix, m
	}
}
