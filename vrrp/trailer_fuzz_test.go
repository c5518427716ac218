package vrrp

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"
)

// FuzzTrailer gives packets with trailers that are cut, too long or false to routers
// with and without keys. With fix, the checksum is right; with sign, so is the HMAC of
// whatever the packet is.
func FuzzTrailer(f *testing.F) {
	for _, name := range []string{"hmac-time.pcap", "hmac-monotonic.pcap", "v3.pcap", "v2.pcap"} {
		for _, d := range readPcap(f, name)[:2] {
			f.Add(d.payload, uint8(0), uint16(0), false, false)
			f.Add(d.payload, uint8(1), uint16(3), true, true)
			f.Add(append(bytes.Clone(d.payload), make([]byte, trailerLen)...), uint8(2), uint16(9), true, true)
		}
	}
	keys := captureKeys(f)
	f.Fuzz(func(t *testing.T, b []byte, mode uint8, age uint16, fix, sign bool) {
		modes := []AuthMode{Enforce, Permissive, ReceiveOnly, ""}
		c := testConfig()
		c.Version = 2 + mode>>2&1
		c.Authentication = Authentication{Mode: modes[mode%4], Keys: keys, Signer: 1, Window: time.Duration(mode>>3) * time.Second}
		if c.Authentication.Mode == "" {
			c.Authentication = Authentication{}
		}
		r := NewRouter(c)
		r.Startup(epoch, ours)
		now := epoch.Add(time.Duration(age) * 10 * time.Millisecond)
		p := Packet{Src: higher, Dst: Group4, TTL: TTL, Payload: forge(bytes.Clone(b), r, now, fix, sign)}
		r.Receive(now, p)
		s := r.Status().Counters
		refused := uint64(0)
		for _, n := range s.Discarded {
			refused += n
		}
		if s.AdvertsReceived+refused != 1 {
			t.Fatalf("%d accepted, %d refused", s.AdvertsReceived, refused)
		}
		accepted, proved := s.AdvertsReceived == 1, len(r.seals.marks) == 1
		if c.Authentication.enforced() && accepted != proved || proved && !sign && !genuine(b) {
			t.Fatalf("accepted %t, proved %t: %x", accepted, proved, p.Payload)
		}
		r.Receive(now, p)
		if again := r.Status().Counters.AdvertsReceived == 2; proved && again || accepted && !proved && !again {
			t.Fatalf("accepted twice %t, proved %t: %x", again, proved, p.Payload)
		}
	})
}

// genuine reports whether a packet ends as one of the captures does.
func genuine(b []byte) bool { return bytes.Contains(b, []byte{0x0a, 0x0d, 0x00, 0xc8}) }

// forge gives a packet a right checksum, and a right HMAC where it has a trailer.
func forge(b []byte, r *Router, now time.Time, fix, sign bool) []byte {
	if len(b) < headerLen {
		return b
	}
	n := packetLen(b[0]>>4, int(b[3]), higher)
	if fix && len(b) >= n {
		b[6], b[7] = 0, 0
		binary.BigEndian.PutUint16(b[6:], ^sum(b[:n], 0))
	}
	if sign && len(b) == n+trailerLen {
		if key := r.seals.key(b[n+1]); key != nil {
			binary.BigEndian.PutUint32(b[n+4:], uint32(now.Unix()))
			copy(b[n+tagAt:], key.tag(b[:len(b)-tagLen], higher))
		}
	}
	return b
}
