package rawip

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/vrrp"
)

// A segment is read as it was put, and a receiver that adds all up finds its checksum right.
func TestSegmentsAreReadAsTheyWerePut(t *testing.T) {
	want := Segment{From: 40000, To: 80, Seq: 1<<32 - 2, Ack: 7, Flags: SYN | ACK}
	for _, ends := range [][2]string{{"10.99.0.1", "192.0.2.255"}, {"2001:db8::1", "3fff:ffff::ffff"}} {
		from, to := netip.MustParseAddr(ends[0]), netip.MustParseAddr(ends[1])
		for _, size := range []int{HeaderLen, HeaderLen + 4} {
			b := make([]byte, size)
			want.Put(b)
			Seal(b, from, to)
			if got, ok := Read(b); got != want || !ok {
				t.Errorf("%v, %d bytes: %+v, %v; want %+v", ends, size, got, ok, want)
			}
			if sum := vrrp.Checksum(b, unix.IPPROTO_TCP, from, to); sum != 0 || b[12]>>4 != byte(size/4) {
				t.Errorf("%v: %d words, and the checksum is wrong by %#x: %x", ends, b[12]>>4, sum, b)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	b := make([]byte, HeaderLen)
	Segment{From: 1, To: 2, Seq: 3, Ack: 4, Flags: RST}.Put(b)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := Read(b)
		if ok != (len(b) >= HeaderLen) {
			t.Fatalf("%v of %d bytes", ok, len(b))
		}
		if !ok {
			return
		}
		again := make([]byte, HeaderLen)
		s.Put(again)
		if got, _ := Read(again); got != s {
			t.Errorf("%+v, and put again %+v", s, got)
		}
	})
}

// Nobody else gets a port that is reserved.
func TestAReservedPortIsNobodyElses(t *testing.T) {
	for domain, network := range map[int]string{unix.AF_INET: "tcp4", unix.AF_INET6: "tcp6"} {
		fd, port, err := ReservePort(domain)
		if err != nil {
			if domain == unix.AF_INET6 {
				t.Logf("this machine has no IPv6: %v", err)
				continue
			}
			t.Fatal(err)
		}
		defer unix.Close(fd)
		if l, err := net.Listen(network, fmt.Sprintf(":%d", port)); err == nil || port == 0 {
			l.Close()
			t.Errorf("%s port %d: somebody else listens there", network, port)
		}
	}
}
