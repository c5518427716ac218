//go:build linux

package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/ipvsctl"
)

var errShort = errors.New("a netlink attribute is too short")

// nested returns the attributes inside the first attribute of the given type
// in a message's body.
func nested(body []byte, typ uint16) ([]byte, error) {
	if len(body) < genlHeader {
		return nil, errShort
	}
	ad, err := netlink.NewAttributeDecoder(body[genlHeader:])
	if err != nil {
		return nil, err
	}
	for ad.Next() {
		if ad.Type() == typ {
			return ad.Bytes(), nil
		}
	}
	return nil, errors.Join(ad.Err(), fmt.Errorf("the kernel's message has no attribute %d", typ))
}

// decodeService reads the message about one service.
func decodeService(body []byte) (k ipvsctl.ServiceKey, s ipvsctl.Service, err error) {
	attrs, err := nested(body, attrService)
	if err != nil {
		return k, s, err
	}
	ad, err := netlink.NewAttributeDecoder(attrs)
	if err != nil {
		return k, s, err
	}
	var af uint16
	var addr, mask []byte
	for ad.Next() {
		switch ad.Type() {
		case svcFamily:
			af = ad.Uint16()
		case svcProtocol:
			k.Protocol = ipvsctl.Protocol(ad.Uint16())
		case svcAddr:
			addr = ad.Bytes()
		case svcPort:
			k.Port = port(ad)
		case svcMark:
			k.Mark = ad.Uint32()
		case svcScheduler:
			s.Scheduler = ad.String()
		case svcFlags:
			s.Flags = ipvsctl.Flags(binary.NativeEndian.Uint32(leading(ad, 4)) &^ flagHashed)
		case svcTimeout:
			s.Timeout = ad.Uint32()
		case svcNetmask:
			mask = ad.Bytes()
		case svcEngine:
			s.Engine = ad.String()
		}
	}
	if err := ad.Err(); err != nil {
		return k, s, err
	}
	if k.Mark != 0 {
		k.Protocol, k.Port, addr = 0, 0, make([]byte, 16)
	}
	if k.Addr, err = decodeAddr(af, addr); err != nil {
		return k, s, err
	}
	s.Netmask, err = decodeNetmask(af, mask)
	return k, s, err
}

// decodeNetmask returns the length of a prefix. The kernel has a mask in network
// order for IPv4, and the length itself for IPv6.
func decodeNetmask(af uint16, b []byte) (uint8, error) {
	if len(b) < 4 {
		return 0, errShort
	}
	if af == unix.AF_INET6 {
		return uint8(min(binary.NativeEndian.Uint32(b), notAPrefix)), nil
	}
	mask := binary.BigEndian.Uint32(b)
	ones := bits.LeadingZeros32(^mask)
	if bits.OnesCount32(mask) != ones {
		return notAPrefix, nil
	}
	return uint8(ones), nil
}

func decodeAddr(af uint16, b []byte) (netip.Addr, error) {
	switch {
	case af == unix.AF_INET && len(b) >= 4:
		return netip.AddrFrom4([4]byte(b)), nil
	case af == unix.AF_INET6 && len(b) >= 16:
		return netip.AddrFrom16([16]byte(b)), nil
	default:
		return netip.Addr{}, fmt.Errorf("an address of family %d in %d bytes", af, len(b))
	}
}

// leading returns the first n bytes of an attribute that may be longer.
func leading(ad *netlink.AttributeDecoder, n int) []byte {
	head := make([]byte, n)
	ad.Do(func(b []byte) error {
		if copy(head, b) < n {
			return errShort
		}
		return nil
	})
	return head
}

func port(ad *netlink.AttributeDecoder) uint16 { return binary.BigEndian.Uint16(leading(ad, 2)) }

// A server is one destination as the kernel describes it.
type server struct {
	key      ipvsctl.DestinationKey
	dest     ipvsctl.Destination
	counters ipvsctl.Counters
}

// decodeDestination reads the message about one destination. Kernels before 3.18
// don't name its family, which then is the service's.
func decodeDestination(body []byte, service netip.Addr) (s server, err error) {
	attrs, err := nested(body, attrDest)
	if err != nil {
		return s, err
	}
	ad, err := netlink.NewAttributeDecoder(attrs)
	if err != nil {
		return s, err
	}
	af := family(service)
	var addr, stats, stats64 []byte
	for ad.Next() {
		switch ad.Type() {
		case destAddr:
			addr = ad.Bytes()
		case destFamily:
			af = ad.Uint16()
		case destStats:
			stats = ad.Bytes()
		case destStats64:
			stats64 = ad.Bytes()
		default:
			s.field(ad)
		}
	}
	if err := ad.Err(); err != nil {
		return s, err
	}
	if s.key.Addr, err = decodeAddr(af, addr); err != nil {
		return s, err
	}
	if stats64 != nil {
		stats = stats64
	}
	return s, decodeStats(stats, &s.counters)
}

func (s *server) field(ad *netlink.AttributeDecoder) {
	switch ad.Type() {
	case destPort:
		s.key.Port = port(ad)
	case destForward:
		s.dest.Forward = ipvsctl.Forward(ad.Uint32() & forwardMask)
	case destWeight:
		s.dest.Weight = ad.Uint32()
	case destUpper:
		s.dest.Upper = ad.Uint32()
	case destLower:
		s.dest.Lower = ad.Uint32()
	case destActive:
		s.counters.Active = ad.Uint32()
	case destInactive:
		s.counters.Inactive = ad.Uint32()
	case destPersistent:
		s.counters.Persistent = ad.Uint32()
	case destTunnelType:
		s.dest.TunnelType = ad.Uint8()
	case destTunnelPort:
		s.dest.TunnelPort = port(ad)
	case destTunnelFlags:
		s.dest.TunnelFlags = ad.Uint16()
	}
}

// decodeStats reads counters of 64 bits, or those of older kernels, in which
// connections and packets have 32.
func decodeStats(attrs []byte, c *ipvsctl.Counters) error {
	ad, err := netlink.NewAttributeDecoder(attrs)
	if err != nil {
		return err
	}
	for ad.Next() {
		switch ad.Type() {
		case statsConnections:
			c.Connections = counter(ad)
		case statsPacketsIn:
			c.PacketsIn = counter(ad)
		case statsPacketsOut:
			c.PacketsOut = counter(ad)
		case statsBytesIn:
			c.BytesIn = counter(ad)
		case statsBytesOut:
			c.BytesOut = counter(ad)
		}
	}
	return ad.Err()
}

func counter(ad *netlink.AttributeDecoder) (v uint64) {
	ad.Do(func(b []byte) error {
		switch {
		case len(b) >= 8:
			v = binary.NativeEndian.Uint64(b)
		case len(b) >= 4:
			v = uint64(binary.NativeEndian.Uint32(b))
		default:
			return errShort
		}
		return nil
	})
	return v
}
