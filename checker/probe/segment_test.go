package probe

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/rawip"
)

// bytesOf reads hexadecimal digits with spaces between.
func bytesOf(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(digits), []byte(" "), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestARequestIsASYN(t *testing.T) {
	s := ipv4TCP.request(40000, 80, 0x01020304)
	rawip.Seal(s[:], netip.MustParseAddr("10.99.0.1"), netip.MustParseAddr("10.99.0.2"))
	// From port 40000 to 80, its number, no acknowledgement, 6 words, SYN, window 64240,
	// the checksum, no urgent data, and a maximum segment size of 1460.
	want := bytesOf(t, "9c40 0050 01020304 00000000 60 02 faf0 e7d6 0000 020405b4")
	if diff := cmp.Diff(want, s[:]); diff != "" {
		t.Errorf("SYN (-want +got):\n%s", diff)
	}
	// What a receiver computes over all of it, with the pseudo-header, is all ones.
	sum := uint32(0x0a63+0x0001+0x0a63+0x0002) + unix.IPPROTO_TCP + synSize
	for i := 0; i < synSize; i += 2 {
		sum += uint32(s[i])<<8 + uint32(s[i+1])
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	if sum != 0xffff {
		t.Errorf("the checksum is wrong: %#x, want 0xffff", sum)
	}
}

var (
	// ipv4Answer is a SYN/ACK from port 80 with the number 0x01020305, behind an IPv4
	// header without options.
	ipv4Answer = "4500 0028 0000 4000 4006 0000 0a630002 0a630001 0050 9c40 00000000 01020305 5012 faf0 0000 0000"
	// ipv4Options is the same behind the longest header.
	ipv4Options = "4f00 0050 0000 4000 4006 0000 0a630002 0a630001" + " " + "0101010101010101010101010101010101010101010101010101010101010101 0101010101010101" + " 0050 9c40 00000000 01020305 5012 faf0 0000 0000"
	ipv6Answer  = "0050 9c40 00000000 01020305 5014 faf0 0000 0000"
)

func TestDecodeAnswers(t *testing.T) {
	opened := rawip.Segment{From: 80, To: 40000, Ack: 0x01020305, Flags: rawip.SYN | rawip.ACK}
	refused := rawip.Segment{From: 80, To: 40000, Ack: 0x01020305, Flags: rawip.RST | rawip.ACK}
	for _, tt := range []struct {
		name   string
		family tcpFamily
		packet string
		want   rawip.Segment
		ok     bool
	}{
		{"SYN/ACK, IPv4", ipv4TCP, ipv4Answer, opened, true},
		{"SYN/ACK behind the longest IPv4 header", ipv4TCP, ipv4Options, opened, true},
		{"RST, IPv6", ipv6TCP, ipv6Answer, refused, true},
		{"nothing", ipv4TCP, "", rawip.Segment{}, false},
		{"nothing, IPv6", ipv6TCP, "", rawip.Segment{}, false},
		{"an IPv4 header that is cut", ipv4TCP, ipv4Answer[:30], rawip.Segment{}, false},
		{"a TCP header that is cut", ipv4TCP, ipv4Answer[:len(ipv4Answer)-5], rawip.Segment{}, false},
		{"another version of IP", ipv4TCP, "6" + ipv4Answer[1:], rawip.Segment{}, false},
		{"a header shorter than any", ipv4TCP, "44" + ipv4Answer[2:], rawip.Segment{}, false},
		{"a header longer than the packet", ipv4TCP, "4f" + ipv4Answer[2:], rawip.Segment{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := tt.family.decode(bytesOf(t, tt.packet))
			if got != tt.want || ok != tt.ok {
				t.Errorf("%+v, %v; want %+v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

// runs has a filter judge a packet, as the kernel would.
func runs(t testing.TB, f tcpFamily, port uint16, packet []byte) (accepted int) {
	t.Helper()
	raw, err := f.filter(port)
	if err != nil {
		t.Fatal(err)
	}
	program, _ := bpf.Disassemble(raw)
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	n, err := vm.Run(packet)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheFilterLetsAnswersIn(t *testing.T) {
	changed := func(packet string, at int, b byte) []byte {
		p := bytesOf(t, packet)
		p[at] = b
		return p
	}
	for _, tt := range []struct {
		name   string
		family tcpFamily
		packet []byte
		in     bool
	}{
		{"SYN/ACK", ipv4TCP, bytesOf(t, ipv4Answer), true},
		{"SYN/ACK behind options", ipv4TCP, bytesOf(t, ipv4Options), true},
		{"RST", ipv6TCP, bytesOf(t, ipv6Answer), true},
		{"to another port", ipv4TCP, changed(ipv4Answer, 23, 0x41), false},
		{"data of a connection", ipv4TCP, changed(ipv4Answer, 33, rawip.ACK), false},
		{"cut", ipv4TCP, bytesOf(t, ipv4Answer)[:22], false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if in := runs(t, tt.family, 40000, tt.packet) > 0; in != tt.in {
				t.Errorf("let in: %v, want %v", in, tt.in)
			}
		})
	}
}

func FuzzSegments(f *testing.F) {
	for _, packet := range []string{ipv4Answer, ipv4Options, ipv6Answer, ""} {
		f.Add(bytesOf(f, packet), []byte{})
	}
	f.Add(bytesOf(f, "9c40 0050 01020304"), unix.PktInfo4(&unix.Inet4Pktinfo{}))
	f.Fuzz(func(t *testing.T, packet, control []byte) {
		for _, family := range []tcpFamily{ipv4TCP, ipv6TCP} {
			s, ok := family.decode(packet)
			if ok && len(packet) < rawip.HeaderLen {
				t.Errorf("%+v of %d bytes", s, len(packet))
			}
			if _, again := family.decode(append(slices.Clone(packet), 0)); ok && !again {
				t.Error("one byte more is no answer any more")
			}
			if ok && s.Flags&(rawip.SYN|rawip.RST) != 0 && runs(t, family, s.To, packet) == 0 {
				t.Errorf("the filter does not let %+v in", s)
			}
		}
		if r, ok := decodeRejection(packet, control, &unix.SockaddrInet4{}); ok && (r.errno == 0 || len(packet) < 8) {
			t.Errorf("%+v of %d bytes", r, len(packet))
		}
	})
}

// asked is a question about a server.
func asked(addr string, timeout time.Duration, began time.Time) checker.Question {
	to := netip.MustParseAddrPort(addr)
	return checker.Question{Target: &checker.Target{Addr: to.Addr(), Port: to.Port(), Timeout: timeout}, Began: began, Note: new(uint16)}
}

// A host that is not asked, or does not know the number, cannot make a server look well.
func TestOnlyTheRightAnswerCounts(t *testing.T) {
	const seq = 1000
	server := netip.MustParseAddr("10.99.0.2")
	for _, tt := range []struct {
		name    string
		from    netip.Addr
		segment rawip.Segment
		refused bool
		counts  bool
	}{
		{"SYN/ACK", server, rawip.Segment{From: 80, Ack: seq + 1, Flags: rawip.SYN | rawip.ACK}, false, true},
		{"RST/ACK", server, rawip.Segment{From: 80, Ack: seq + 1, Flags: rawip.RST | rawip.ACK}, true, true},
		{"RST that acknowledges nothing", server, rawip.Segment{From: 80, Ack: seq + 1, Flags: rawip.RST}, false, false},
		{"SYN: both begin at once", server, rawip.Segment{From: 80, Ack: seq + 1, Flags: rawip.SYN}, false, false},
		{"another number", server, rawip.Segment{From: 80, Ack: seq, Flags: rawip.SYN | rawip.ACK}, false, false},
		{"another port", server, rawip.Segment{From: 81, Ack: seq + 1, Flags: rawip.SYN | rawip.ACK}, false, false},
		{"another host", netip.MustParseAddr("10.99.0.3"), rawip.Segment{From: 80, Ack: seq + 1, Flags: rawip.SYN | rawip.ACK}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ks := make(knocks)
			if !ks.add(asked("10.99.0.2:80", time.Second, time.Time{}), seq) {
				t.Fatal("the first SYN is not taken")
			}
			if ks.add(asked("10.99.0.2:80", time.Minute, time.Time{}), 2*seq) {
				t.Error("a second SYN between the same ports is taken")
			}
			q, refused, ok := ks.answered(tt.from, tt.segment)
			if refused != tt.refused || ok != tt.counts || ok && q.Target.Timeout != time.Second {
				t.Errorf("refused %v, counts %v; want %v, %v", refused, ok, tt.refused, tt.counts)
			}
			if _, _, again := ks.answered(tt.from, tt.segment); again {
				t.Error("it counts twice")
			}
			if len(ks) != 0 == tt.counts {
				t.Errorf("%d wait", len(ks))
			}
		})
	}
}

func TestOnlyTheRightRejectionCounts(t *testing.T) {
	ks := make(knocks)
	to := netip.MustParseAddrPort("10.99.0.2:80")
	ks.add(asked(to.String(), time.Second, time.Time{}), 1000)
	if _, ok := ks.rejected(to, 1001); ok {
		t.Error("a rejection of another SYN counts")
	}
	if _, ok := ks.rejected(netip.MustParseAddrPort("10.99.0.3:80"), 1000); ok {
		t.Error("a rejection of a SYN to somebody else counts")
	}
	if _, ok := ks.rejected(to, 1000); !ok || len(ks) != 0 {
		t.Error("the right one does not count")
	}
}

func TestAThirdOfTheTimeoutIsWaitedFor(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ks := make(knocks)
	for i, timeout := range []time.Duration{3 * time.Second, 300 * time.Millisecond, 30 * time.Second} {
		ks.add(asked(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 80).String(), timeout, began), 1)
	}
	for _, step := range []struct{ at, next, over time.Duration }{
		{99 * time.Millisecond, 100 * time.Millisecond, 0},
		{100 * time.Millisecond, time.Second, 300 * time.Millisecond},
		{2 * time.Second, 10 * time.Second, 3 * time.Second},
		{10 * time.Second, 0, 30 * time.Second},
	} {
		over, next := ks.expire(began.Add(step.at))
		var want time.Time
		if step.next > 0 {
			want = began.Add(step.next)
		}
		if !next.Equal(want) || step.over == 0 != (len(over) == 0) || len(over) > 0 && over[0].Target.Timeout != step.over {
			t.Errorf("after %v: next at %v with %d over, want %v and the one of %v", step.at, next, len(over), want, step.over)
		}
	}
}

// The address from which a target is asked is found out once, and again when the machine
// has changed or five minutes have passed.
func TestSourcesAreNoted(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var s sources
	to := netip.MustParseAddrPort("127.0.0.2:80")
	from, note, ok := s.of(now, to, 0)
	if !ok || from != netip.MustParseAddr("127.0.0.1") || note == 0 {
		t.Fatalf("%v, note %#x, %v; want 127.0.0.1", from, note, ok)
	}
	s.known[0] = netip.MustParseAddr("192.0.2.1") // as if it were remembered
	if from, again, _ := s.of(now.Add(time.Minute), to, note); from != s.known[0] || again != note {
		t.Errorf("%v, %#x: it was found out again", from, again)
	}
	if from, _, _ := s.of(now, to, note+1); from == s.known[0] {
		t.Error("a note of a place that there is not is believed")
	}
	s.known[0] = netip.MustParseAddr("192.0.2.1")
	if from, _, _ := s.of(now.Add(sourcesLast), to, note); from == netip.MustParseAddr("192.0.2.1") {
		t.Error("it is believed for ever")
	}
	_, note, _ = s.of(now.Add(sourcesLast), to, note)
	s.forget()
	if _, other, _ := s.of(now.Add(sourcesLast+1), to, note); other == note {
		t.Error("it is believed although the machine has changed")
	}
	if _, _, ok := s.of(now, netip.MustParseAddrPort("255.255.255.255:80"), 0); ok {
		t.Error("an address that cannot be reached has a source")
	}
	if diff := cmp.Diff([]netip.Addr{from}, s.known, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("known (-want +got):\n%s", diff)
	}
}
