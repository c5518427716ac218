package vrrp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Protocol is VRRP's IP protocol number (RFC 9568 sections 5.1.1.4 and 5.1.2.4).
const Protocol = 112

// TTL is the TTL or hop limit of adverts, unless a Config says otherwise. A receiver
// of any other "MUST discard the packet", since it has passed a router (RFC 9568
// sections 5.1.1.3 and 5.1.2.3).
const TTL = 255

// Adverts are multicast to these groups (RFC 9568 sections 5.1.1.2 and
// 5.1.2.2).
var (
	Group4 = netip.AddrFrom4([4]byte{224, 0, 0, 18})
	Group6 = netip.AddrFrom16([16]byte{0xff, 0x02, 15: 0x12})
)

const (
	headerLen = 8
	// authLen is the authentication data that ends every version 2 packet,
	// also without authentication (RFC 3768 section 5.3.10).
	authLen = 8
	// The authentication types of version 2 (RFC 2338 section 5.3.6): type 2 is
	// the IP Authentication Header, in a protocol of its own.
	authNone     = 0
	authPassword = 1

	// trailerLen is what a signed packet is longer by: see trailer.go.
	trailerLen  = 28
	typeAdvert  = 1
	maxInterval = 0xfff // centiseconds in 12 bits
	maxAddrs    = 255   // the count of addresses is one byte
)

// An Advert is a VRRP advertisement (RFC 9568 section 5; RFC 3768 section 5).
type Advert struct {
	Version  uint8
	VRID     uint8
	Priority uint8 // zero: the Master is leaving
	// Interval is the sender's time between adverts.
	Interval  time.Duration
	Addresses []netip.Addr
	// Password is the password that version 2 carries in the clear (RFC 2338
	// section 5.3.6.2), padded with zeros; all zero: it has no authentication.
	Password Password
	// Signed reports that a trailer follows the packet. It is not decoded.
	Signed bool
	// PlainChecksum reports that the checksum does not include the pseudo-header.
	// Version 3 over IPv4 exists in both forms on real networks: RFC 9568 section
	// 5.2.8 leaves it out, most implementations (keepalived among them) include
	// it. Version 2 never includes it, and IPv6 always does.
	PlainChecksum bool
}

// A Password is the authentication data of a version 2 packet. Everybody on the
// network can read it.
type Password [authLen]byte

// A Reason is why a packet was not accepted, or how it disagrees with the
// configuration; it is the label of a metric.
type Reason string

// Why Decode refuses a packet.
const (
	ReasonLength         Reason = "length"
	ReasonVersion        Reason = "version" // a Router refuses versions too
	ReasonType           Reason = "type"
	ReasonChecksum       Reason = "checksum"
	ReasonAuthentication Reason = "authentication" // of another type; a Router refuses those too
	ReasonNoInterval     Reason = "no_interval"
)

// Why a Router discards an advert.
const (
	ReasonVRID        Reason = "vrid"
	ReasonNoAddress   Reason = "no_address"
	ReasonFamily      Reason = "family"
	ReasonOwnAddress  Reason = "own_address" // the source is our own
	ReasonNotPeer     Reason = "not_a_peer"
	ReasonTTL         Reason = "ttl"
	ReasonSource      Reason = "source"      // it cannot be a director's
	ReasonDestination Reason = "destination" // multicast, with peers
	ReasonPassword    Reason = "password"    // it has another one
)

// Why a Router with keys discards an advert.
const (
	ReasonHMACMissing   Reason = "hmac_missing"
	ReasonHMACMalformed Reason = "hmac_malformed"
	ReasonHMACKey       Reason = "hmac_key" // of an id that is not configured
	ReasonHMACWrong     Reason = "hmac_wrong"
	ReasonHMACStale     Reason = "hmac_stale"
	ReasonHMACReplayed  Reason = "hmac_replayed"
)

// How an accepted advert disagrees with a Router's configuration.
const (
	ReasonInterval  Reason = "interval"
	ReasonAddresses Reason = "addresses"
	ReasonOwner     Reason = "owner"    // two routers with priority 255
	ReasonPriority  Reason = "priority" // two with the same one below that

	ReasonUnsigned   Reason = "unsigned"   // and only those with keys will be accepted
	ReasonUnverified Reason = "unverified" // signed, and no keys are configured
	ReasonClock      Reason = "clock"      // signed at another time than ours
)

// What Counters.Discarded and Counters.Mismatched count.
var (
	discardReasons = [...]Reason{
		ReasonTTL, ReasonLength, ReasonVersion, ReasonType, ReasonChecksum, ReasonAuthentication,
		ReasonNoAddress, ReasonNoInterval,
		ReasonVRID, ReasonFamily, ReasonOwnAddress, ReasonNotPeer, ReasonSource, ReasonDestination, ReasonPassword,
	}
	mismatchReasons = [...]Reason{ReasonInterval, ReasonAddresses, ReasonOwner, ReasonPriority}
	// These are counted where there are keys.
	hmacDiscardReasons  = [...]Reason{ReasonHMACMissing, ReasonHMACMalformed, ReasonHMACKey, ReasonHMACWrong, ReasonHMACStale, ReasonHMACReplayed}
	hmacMismatchReasons = [...]Reason{ReasonUnsigned, ReasonClock}
)

// Reasons returns what Counters.Discarded and Counters.Mismatched count of a router,
// with keys or without.
func Reasons(keys bool) (discarded, mismatched []Reason) {
	discarded, mismatched = discardReasons[:], mismatchReasons[:]
	if keys {
		return slices.Concat(discarded, hmacDiscardReasons[:]), slices.Concat(mismatched, hmacMismatchReasons[:])
	}
	return discarded, mismatched
}

// A DecodeError says why Decode refused a packet.
type DecodeError struct {
	Reason Reason
	Detail string
}

// Error describes what is wrong with the packet.
func (e *DecodeError) Error() string { return e.Detail }

// ReasonOf returns the reason of an error from Decode, or "" for another one.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*DecodeError](err); ok {
		return e.Reason
	}
	return ""
}

func refuse(r Reason, format string, args ...any) (Advert, error) {
	return Advert{}, &DecodeError{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// Decode reads a VRRP packet: b is the payload of the IP packet (cut to the
// length in the IP header, without Ethernet's padding) that came from
// src to dst. It makes the checks of RFC 9568 section 7.1 that need no
// configuration, for unicast as well; its errors are of type *DecodeError. An advert that is refused for its authentication alone is
// returned all the same. A trailer is left to the caller.
//
//	 0                   1                   2                   3
//	+-------+-------+---------------+---------------+---------------+
//	|version|  type | virtual rtr ID|    priority   |  count of IPs |
//	+-------+-------+---------------+---------------+---------------+
//	| rsvd  |  interval (12 bits)   |          checksum             |  version 3
//	|   auth type   | interval in s |          checksum             |  version 2
//	+-------------------------------+-------------------------------+
//	|  addresses, then 8 bytes of authentication data in version 2  |
func Decode(b []byte, src, dst netip.Addr) (Advert, error) {
	src, dst = src.Unmap(), dst.Unmap()
	if len(b) < headerLen {
		return refuse(ReasonLength, "%d bytes are not a VRRP packet, which has at least %d", len(b), headerLen)
	}
	version := b[0] >> 4
	if version != 3 && (version != 2 || src.Is6()) {
		return refuse(ReasonVersion, "version %d is not supported over %s", version, familyName(src))
	}
	if t := b[0] & 0xf; t != typeAdvert {
		return refuse(ReasonType, "type %d is not an advertisement", t)
	}
	want := packetLen(version, int(b[3]), src)
	signed := len(b) == want+trailerLen
	if len(b) != want && !signed {
		return refuse(ReasonLength, "%d bytes, but version %d with %d addresses has %d", len(b), version, b[3], want)
	}
	b = b[:want]
	plainSum, ok := verify(b, version, src, dst)
	if !ok {
		return refuse(ReasonChecksum, "checksum %#04x is wrong", binary.BigEndian.Uint16(b[6:]))
	}
	// No sender could keep to it; by erratum 8301 of RFC 9568 it is discarded.
	interval := decodeInterval(b, version)
	if version == 3 && interval == 0 {
		return refuse(ReasonNoInterval, "it advertises an interval of 0")
	}
	ad := Advert{
		Version:       version,
		VRID:          b[1],
		Priority:      b[2],
		Interval:      interval,
		Addresses:     decodeAddrs(b[headerLen:], int(b[3]), src),
		Signed:        signed,
		PlainChecksum: plainSum,
	}
	if version == 2 {
		return ad, ad.decodePassword(b)
	}
	return ad, nil
}

// decodePassword reads the authentication of a version 2 packet. "A packet with
// unknown authentication type or that does not match the locally configured
// authentication method MUST be discarded" (RFC 3768 section 5.3.6).
func (a *Advert) decodePassword(b []byte) (err error) {
	switch b[4] {
	case authNone:
	case authPassword:
		if a.Password = Password(b[len(b)-authLen:]); a.Password == (Password{}) {
			_, err = refuse(ReasonAuthentication, "it has an empty password")
		}
	default:
		_, err = refuse(ReasonAuthentication, "it has authentication type %d, but only none and a password (types 0 and 1) are supported", b[4])
	}
	return err
}

// VRID returns the virtual router that a packet is for. It needs no more than
// that byte, so that a packet that Decode refuses can be counted there.
func VRID(b []byte) (id uint8, ok bool) {
	if len(b) < 2 {
		return 0, false
	}
	return b[1], true
}

// Append appends the packet that carries the advert from src to dst.
func (a Advert) Append(b []byte, src, dst netip.Addr) []byte {
	src, dst = src.Unmap(), dst.Unmap()
	addrs := a.Addresses[:min(len(a.Addresses), maxAddrs)]
	start := len(b)
	b = append(b, a.Version<<4|typeAdvert, a.VRID, a.Priority, uint8(len(addrs)))
	if a.Version == 2 {
		b = append(b, a.authType(), uint8(min(a.Interval/time.Second, 255)))
	} else {
		b = binary.BigEndian.AppendUint16(b, uint16(min(a.Interval/(10*time.Millisecond), maxInterval)))
	}
	b = append(b, 0, 0)
	for _, addr := range addrs {
		if src.Is4() {
			addr = addr.Unmap()
		}
		b = append(b, addr.AsSlice()...)
	}
	if a.Version == 2 {
		b = append(b, a.Password[:]...)
	}
	p := b[start:]
	checksum := ^sum(p, 0)
	if a.Version == 3 && (src.Is6() || !a.PlainChecksum) {
		checksum = Checksum(p, Protocol, src, dst)
	}
	binary.BigEndian.PutUint16(p[6:], checksum)
	return b
}

func (a *Advert) authType() byte {
	if a.Password == (Password{}) {
		return authNone
	}
	return authPassword
}

func packetLen(version uint8, count int, src netip.Addr) int {
	n := headerLen + count*src.BitLen()/8
	if version == 2 {
		n += authLen
	}
	return n
}

func decodeInterval(b []byte, version uint8) time.Duration {
	if version == 2 {
		return time.Duration(b[5]) * time.Second
	}
	// "The Reserve field MUST be set to zero on transmission and ignored on
	// reception" (RFC 9568 section 5.2.6).
	return time.Duration(binary.BigEndian.Uint16(b[4:])&maxInterval) * 10 * time.Millisecond
}

func decodeAddrs(b []byte, count int, src netip.Addr) []netip.Addr {
	addrs := make([]netip.Addr, 0, count)
	size := src.BitLen() / 8
	for i := range count {
		// It cannot fail: the length was checked.
		addr, _ := netip.AddrFromSlice(b[i*size : (i+1)*size])
		addrs = append(addrs, addr)
	}
	return addrs
}

// verify reports whether a checksum is right, and whether it is the plain one.
// The sum over everything, the checksum included, is all ones then, whether its
// sender writes a zero checksum as 0 or as 0xffff.
func verify(b []byte, version uint8, src, dst netip.Addr) (plain, ok bool) {
	if version == 3 && Checksum(b, Protocol, src, dst) == 0 {
		return false, true
	}
	return true, !src.Is6() && sum(b, 0) == 0xffff
}

// Checksum is the checksum over b, of an even number of bytes, and the
// pseudo-header of RFC 8200 section 8.1 (over IPv4 the same fields in IPv4's
// sizes). It is 0 where b includes the right one.
func Checksum(b []byte, protocol uint32, src, dst netip.Addr) uint16 {
	return ^sum(b, uint32(len(b))+protocol+uint32(sum(src.AsSlice(), 0))+uint32(sum(dst.AsSlice(), 0)))
}

// sum is the one's complement sum of RFC 1071, not complemented, of an even
// number of bytes: a packet of another length was refused.
func sum(b []byte, s uint32) uint16 {
	for ; len(b) > 1; b = b[2:] {
		s += uint32(b[0])<<8 | uint32(b[1])
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

func familyName(a netip.Addr) string {
	if a.Is6() {
		return "IPv6"
	}
	return "IPv4"
}

// plain removes what makes equal addresses differ: the zone of a link-local
// address and the mapping of IPv4 into IPv6.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
