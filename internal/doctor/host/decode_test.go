package host

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/doctor"
	"github.com/lvsd/lvsd/internal/rawip"
)

// Whatever arrives, it is an answer of a server that was asked, or none.
func FuzzAnswerOf(f *testing.F) {
	web, dns := netip.MustParseAddr("192.168.1.4"), netip.MustParseAddr("192.168.1.5")
	q := &inquiry{questions: []doctor.Question{{Server: web, Port: 80}, {Server: dns}}, port: 40000, first: 1<<32 - 2}
	tcp := make([]byte, ipHeader+rawip.HeaderLen)
	tcp[0], tcp[9] = 0x45, unix.IPPROTO_TCP
	copy(tcp[12:], web.AsSlice())
	rawip.Segment{From: 80, To: q.port, Ack: q.first + asOutside + 1, Flags: rawip.SYN | rawip.ACK}.Put(tcp[ipHeader:])
	if server, place, ok := q.answerOf(tcp); !ok || server != web || place != asOutside {
		f.Fatalf("a SYN-ACK is %v of %v, %v", place, server, ok)
	}
	echo := make([]byte, ipHeader+echoHeader)
	echo[0], echo[9] = 0x45, unix.IPPROTO_ICMP
	copy(echo[12:], dns.AsSlice())
	binary.BigEndian.PutUint16(echo[24:], q.port)
	binary.BigEndian.PutUint16(echo[26:], asMany)
	if server, place, ok := q.answerOf(echo); !ok || server != dns || place != asMany {
		f.Fatalf("an echo's reply is %v of %v, %v", place, server, ok)
	}
	f.Add(tcp)
	f.Add(echo)
	f.Fuzz(func(t *testing.T, p []byte) {
		if server, place, ok := q.answerOf(p); ok && q.questions[place/asMany].Server != server {
			t.Errorf("place %d is not of %v", place, server)
		}
	})
}
