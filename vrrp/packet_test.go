package vrrp

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var (
	compareValues = cmp.Options{
		cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
		cmpopts.EquateEmpty(),
	}
	peer1 = netip.MustParseAddr("10.9.0.1")
)

func addrs(s ...string) []netip.Addr {
	var as []netip.Addr
	for _, a := range s {
		as = append(as, netip.MustParseAddr(a))
	}
	return as
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// datagram is what an IP header says of its payload.
type datagram struct {
	src, dst netip.Addr
	ttl      int
	protocol int
	payload  []byte
}

// parseIP reads an IPv4 or IPv6 datagram, cut to the length that it tells.
func parseIP(t testing.TB, b []byte) datagram {
	t.Helper()
	if b[0]>>4 == 4 {
		hl, total := int(b[0]&0xf)*4, int(binary.BigEndian.Uint16(b[2:]))
		return datagram{netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20])),
			int(b[8]), int(b[9]), b[hl:total]}
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	return datagram{netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40])),
		int(b[7]), int(b[6]), b[40 : 40+n]}
}

// readPcap returns the IP datagrams of a capture (little-endian, microseconds,
// Ethernet: what tcpdump wrote on the machine where they were taken).
func readPcap(t testing.TB, name string) []datagram {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "pcap", name))
	if err != nil {
		t.Fatal(err)
	}
	if len(b) < 24 || binary.LittleEndian.Uint32(b) != 0xa1b2c3d4 || b[20] != 1 {
		t.Fatalf("%s is no little-endian Ethernet capture", name)
	}
	var ds []datagram
	for b = b[24:]; len(b) > 0; {
		n := int(binary.LittleEndian.Uint32(b[8:]))
		frame := b[16 : 16+n]
		b = b[16+n:]
		if et := binary.BigEndian.Uint16(frame[12:]); et == 0x0800 || et == 0x86dd {
			ds = append(ds, parseIP(t, frame[14:]))
		}
	}
	return ds
}

// What keepalived 2.2.7 put on the wire, from the IP header onward.
func TestGoldenVectors(t *testing.T) {
	tests := []struct {
		name, packet string
		want         Advert
	}{
		{
			"version 3 over IPv4, multicast, pseudo-header in the checksum",
			"45c0002400010000ff70d08c0a090001e0000012 3133 9602 0064 38ee 0a090064 0a090065",
			Advert{Version: 3, VRID: 51, Priority: 150, Interval: time.Second, Addresses: addrs("10.9.0.100", "10.9.0.101")},
		},
		{
			"version 3 over IPv4, no pseudo-header in the checksum",
			"45c0002400010000ff70d08c0a090001e0000012 3133 9602 0064 238b 0a090064 0a090065",
			Advert{Version: 3, VRID: 51, Priority: 150, Interval: time.Second, Addresses: addrs("10.9.0.100", "10.9.0.101"), PlainChecksum: true},
		},
		{
			"version 3 over IPv4, from a virtual MAC, 25 centiseconds",
			"45c0002000010000ff70d0900a090001e0000012 3109 c801 0019 1172 0a0900c8",
			Advert{Version: 3, VRID: 9, Priority: 200, Interval: 250 * time.Millisecond, Addresses: addrs("10.9.0.200")},
		},
		{
			"version 3 over IPv4, unicast",
			"45c0002000010000ff70a6980a0900010a090002 310b c801 0064 e722 0a0900d2",
			Advert{Version: 3, VRID: 11, Priority: 200, Interval: time.Second, Addresses: addrs("10.9.0.210")},
		},
		{
			"version 3 over IPv6",
			"6c0d5578002870ff fe8000000000000000 0000fffe000001 ff020000000000000000000000000012" +
				"3107 c802 0032 dd4c fe800000000000000000000000000007 20010db8000000000000000000000007",
			Advert{Version: 3, VRID: 7, Priority: 200, Interval: 500 * time.Millisecond, Addresses: addrs("fe80::7", "2001:db8::7")},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := parseIP(t, unhex(t, tt.packet))
			got, err := Decode(d.payload, d.src, d.dst)
			if err != nil {
				t.Fatalf("Decode: %v", err)
			}
			if diff := cmp.Diff(tt.want, got, compareValues); diff != "" {
				t.Errorf("advert (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(d.payload, got.Append(nil, d.src, d.dst)); diff != "" {
				t.Errorf("encoded again (-want +got):\n%s", diff)
			}
		})
	}
}

// Version 2 packets of keepalived with a password.
func TestGoldenVectorsVersion2(t *testing.T) {
	tests := []struct {
		name, packet string
		priority     uint8
	}{
		{"priority 150", "45c0002c00010000ff70d0840a090001e0000012 2133 9602 0101 c56f 0a090064 0a090065 7365637265743132", 150},
		{"leaving", "45c0002c00090000ff70d07c0a090001e0000012 2133 0002 0101 5b70 0a090064 0a090065 7365637265743132", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := parseIP(t, unhex(t, tt.packet))
			want := Advert{Version: 2, VRID: 51, Priority: tt.priority, Interval: time.Second, Password: Password([]byte("secret12")),
				Addresses: addrs("10.9.0.100", "10.9.0.101"), PlainChecksum: true}
			got, err := Decode(d.payload, d.src, d.dst)
			if err != nil {
				t.Fatalf("Decode: %v", err)
			}
			if diff := cmp.Diff(want, got, compareValues); diff != "" {
				t.Errorf("advert (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(d.payload, want.Append(nil, d.src, d.dst)); diff != "" {
				t.Errorf("our packet with keepalived's password (-want +got):\n%s", diff)
			}
		})
	}
}

// Every advert of the captures is decoded and encodes to the same bytes; the
// ones with an authentication header are refused.
func TestCaptures(t *testing.T) {
	tests := []struct {
		name    string
		adverts int
		refused Reason
	}{
		{"v2.pcap", 1, ""},
		{"v3.pcap", 1, ""},
		{"v6.pcap", 1, ""},
		{"vmac.pcap", 1, ""},
		{"uni3.pcap", 1, ""},
		{"hmac-time.pcap", 7, ""},
		{"hmac-monotonic.pcap", 7, ""},
		// With AH the payload is IP protocol 51: what a socket for VRRP would
		// never see starts like VRRP version 7.
		{"ah.pcap", 0, ReasonVersion},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			decoded, refused := 0, 0
			for _, d := range readPcap(t, tt.name) {
				if d.protocol != Protocol && d.protocol != 51 {
					continue
				}
				ad, err := Decode(d.payload, d.src, d.dst)
				if tt.refused != "" {
					refused++
					if ReasonOf(err) != tt.refused {
						t.Errorf("Decode(%x): %v, want the reason %q", d.payload, err, tt.refused)
					}
					continue
				}
				if err != nil {
					t.Errorf("Decode(%x): %v", d.payload, err)
					continue
				}
				decoded++
				if got := ad.Append(nil, d.src, d.dst); !bytes.Equal(got, unsigned(d.payload, ad)) {
					t.Errorf("encoded again: %x, want %x", got, d.payload)
				}
			}
			if decoded < tt.adverts || decoded+refused == 0 {
				t.Errorf("%d adverts decoded and %d refused: the capture has more", decoded, refused)
			}
		})
	}
}

// RFC 9568 section 7.1, "MUST verify", clause by clause.
func TestDecodeRefuses(t *testing.T) {
	good := Advert{Version: 3, VRID: 51, Priority: 150, Interval: time.Second, Addresses: addrs("10.9.0.100", "10.9.0.101")}
	v2 := good
	v2.Version = 2
	fix := func(b []byte) []byte {
		b[6], b[7] = 0, 0
		binary.BigEndian.PutUint16(b[6:], ^sum(b, 0))
		return b
	}
	encode := func(a Advert) []byte { return a.Append(nil, peer1, Group4) }
	tests := []struct {
		name string
		b    []byte
		src  netip.Addr
		want Reason
	}{
		{"the version is 2 or 3: 1", fix(append([]byte{0x11}, encode(good)[1:]...)), peer1, ReasonVersion},
		{"the version is 2 or 3: 4", fix(append([]byte{0x41}, encode(good)[1:]...)), peer1, ReasonVersion},
		{"version 2 is IPv4 only", encode(v2), netip.MustParseAddr("fe80::1"), ReasonVersion},
		{"the type is 1", fix(append([]byte{0x32}, encode(good)[1:]...)), peer1, ReasonType},
		{"the packet is complete: nothing", nil, peer1, ReasonLength},
		{"the packet is complete: 7 bytes", encode(good)[:7], peer1, ReasonLength},
		{"the packet is complete: an address is missing", fix(encode(good)[:12]), peer1, ReasonLength},
		{"the packet is complete: half an address", fix(encode(good)[:14]), peer1, ReasonLength},
		{"the packet is complete: no authentication data in version 2", fix(encode(v2)[:16]), peer1, ReasonLength},
		{"the length is exact: less than a trailer", fix(append(encode(good), make([]byte, trailerLen-2)...)), peer1, ReasonLength},
		{"the length is exact: more than a trailer", fix(append(encode(good), make([]byte, trailerLen+2)...)), peer1, ReasonLength},
		{"the count of addresses is not believed", fix(append([]byte{0x31, 51, 150, 255}, encode(good)[4:]...)), peer1, ReasonLength},
		{"the checksum is right: one bit", append(encode(good)[:15], 0x64), peer1, ReasonChecksum},
		{"the checksum is right: another source than in the pseudo-header", encode(good), netip.MustParseAddr("10.9.0.3"), ReasonChecksum},
		{"the authentication type is known: an Authentication Header", fix(append([]byte{0x21, 51, 150, 2, 2}, encode(v2)[5:]...)), peer1, ReasonAuthentication},
		{"a password is not empty", fix(append([]byte{0x21, 51, 150, 2, 1}, encode(v2)[5:]...)), peer1, ReasonAuthentication},
		{"an interval is advertised (erratum 8301)", fix(append(append(encode(good)[:4:4], 0, 0), encode(good)[6:]...)), peer1, ReasonNoInterval},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(tt.b, tt.src, Group4)
			if ReasonOf(err) != tt.want {
				t.Errorf("Decode(%x) = %v, want the reason %q", tt.b, err, tt.want)
			}
		})
	}
}

func TestDecodeIgnores(t *testing.T) {
	tests := []struct {
		name   string
		packet string
		want   time.Duration
	}{
		{"the reserved bits before the interval", "31339601 f064 0000 0a090064", time.Second},
		{"a source that is mapped into IPv6", "31339601 0064 0000 0a090064", time.Second},
		{"40.95 s", "31339601 0fff 0000 0a090064", 40950 * time.Millisecond},
	}
	for _, tt := range tests {
		b := unhex(t, tt.packet)
		binary.BigEndian.PutUint16(b[6:], ^sum(b, 0))
		ad, err := Decode(b, netip.AddrFrom16(peer1.As16()), Group4)
		if err != nil || ad.Interval != tt.want {
			t.Errorf("%s: Decode = %+v, %v", tt.name, ad, err)
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	ad := Advert{Version: 3, VRID: 1, Priority: 1, Interval: 10 * time.Millisecond, Addresses: []netip.Addr{peer1}}
	b := ad.Append([]byte("before"), peer1, Group4)
	if !bytes.HasPrefix(b, []byte("before")) {
		t.Errorf("Append changed what was there: %q", b)
	}
	if _, err := Decode(b[len("before"):], peer1, Group4); err != nil {
		t.Errorf("Decode: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	// IPv4 mapped into IPv6 stays what it is.
	six, mapped := netip.MustParseAddr("fe80::1"), netip.MustParseAddr("::ffff:10.0.0.1").As16()
	ad := Advert{Version: 3, VRID: 1, Priority: 1, Interval: time.Second, Addresses: addrs("fe80::7", "fe80::8")}
	b := ad.Append(nil, six, Group6)
	copy(b[headerLen+16:], mapped[:])
	f.Add(b, six.AsSlice(), Group6.AsSlice(), true)
	for _, name := range []string{"v2.pcap", "v3.pcap", "v6.pcap", "vmac.pcap", "uni3.pcap", "ah.pcap", "hmac-time.pcap"} {
		for i, d := range readPcap(f, name) {
			if i < 3 {
				f.Add(d.payload, d.src.AsSlice(), d.dst.AsSlice(), false)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b, from, to []byte, fixSum bool) {
		src, dst := fuzzAddrs(from, to)
		if fixSum && len(b) >= headerLen {
			b = bytes.Clone(b)
			b[6], b[7] = 0, 0
			if packet := b[:min(len(b), packetLen(b[0]>>4, int(b[3]), src))]; len(packet)%2 == 0 {
				binary.BigEndian.PutUint16(b[6:], Checksum(packet, Protocol, src, dst))
			}
		}
		ad, err := Decode(b, src, dst)
		if err != nil {
			if ReasonOf(err) == "" || err.Error() == "" {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		b = unsigned(b, ad)
		if diff := cmp.Diff(canonical(b, ad.Version), ad.Append(nil, src, dst)); diff != "" && !zeroSum(b) {
			t.Fatalf("encoded again (-want +got):\n%s", diff)
		}
		ad.Signed = false
		again, err := Decode(ad.Append(nil, src, dst), src, dst)
		if diff := cmp.Diff(ad, again, compareValues); err != nil || diff != "" {
			t.Fatalf("decoded again: %v (-want +got):\n%s", err, diff)
		}
	})
}

// unsigned is a packet without its trailer.
func unsigned(b []byte, ad Advert) []byte {
	if ad.Signed {
		return b[:len(b)-trailerLen]
	}
	return b
}

// fuzzAddrs makes two addresses of one family.
func fuzzAddrs(from, to []byte) (src, dst netip.Addr) {
	if len(from) >= 16 {
		return netip.AddrFrom16([16]byte(from)), netip.AddrFrom16([16]byte(append(to, make([]byte, 16)...)))
	}
	return netip.AddrFrom4([4]byte(append(from, 0, 0, 0, 0))), netip.AddrFrom4([4]byte(append(to, 0, 0, 0, 0)))
}

// canonical clears what a receiver ignores, and corrects the checksum for it:
// the sum of the words stays the same.
func canonical(b []byte, version uint8) []byte {
	b = bytes.Clone(b)
	mask := func(i int, kept uint16) {
		w := binary.BigEndian.Uint16(b[i:])
		binary.BigEndian.PutUint16(b[i:], w&kept)
		moved := binary.BigEndian.AppendUint16(nil, w&^kept)
		binary.BigEndian.PutUint16(b[6:], sum(moved, uint32(binary.BigEndian.Uint16(b[6:]))))
	}
	if version == 3 {
		mask(4, maxInterval)
		return b
	}
	for i := len(b) - authLen; i < len(b) && b[4] == authNone; i += 2 {
		mask(i, 0)
	}
	return b
}

// zeroSum reports whether the checksum is one of the two zeros of one's complement
// arithmetic, which are equal to a receiver.
func zeroSum(b []byte) bool {
	c := binary.BigEndian.Uint16(canonical(b, b[0]>>4)[6:])
	return c == 0 || c == 0xffff
}

func ExampleDecode() {
	b, _ := hex.DecodeString("31339602006438ee0a0900640a090065")
	ad, err := Decode(b, netip.MustParseAddr("10.9.0.1"), Group4)
	fmt.Println(ad.VRID, ad.Priority, ad.Interval, ad.Addresses, ad.PlainChecksum, err)
	// Output: 51 150 1s [10.9.0.100 10.9.0.101] false <nil>
}
