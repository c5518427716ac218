package connections

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/ipvsctl"
)

const head = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"

func TestLinesOfTheKernelsList(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"TCP 0A0D0001 9C40 0A0D00C8 0050 C0A80104 0050 ESTABLISHED     899", "6 10.13.0.1:40000 10.13.0.200:80 192.168.1.4:80 ESTABLISHED 899  "},
		{"UDP 0A0D0001 9C40 0A0D00C8 0035 C0A80104 0035 UDP             300", "17 10.13.0.1:40000 10.13.0.200:53 192.168.1.4:53 UDP 300  "},
		{"TCP 0A0D0001 0000 0A0D00C8 0050 C0A80104 0050 NONE             30", "6 10.13.0.1:0 10.13.0.200:80 192.168.1.4:80 NONE 30  "},
		{"IP  0A0D0001 0000 00000007 0000 C0A80104 0000 ASSURED          30", "0 10.13.0.1:0 0.0.0.7:0 192.168.1.4:0 ASSURED 30  "},
		{"UDP 0A0D0001 0000 0A0D00C8 13C4 C0A80104 13C4 NONE             30 sip 7f@h", "17 10.13.0.1:0 10.13.0.200:5060 192.168.1.4:5060 NONE 30 sip 7f@h"},
		{"TCP 2001:0db8:0000:0000:0000:0000:0000:0001 9C40 2001:0db8:0013:0000:0000:0000:0000:0200 0050 2001:0db8:0001:0000:0000:0000:0000:0004 0050 FIN_WAIT        1",
			"6 [2001:db8::1]:40000 [2001:db8:13::200]:80 [2001:db8:1::4]:80 FIN_WAIT 1  "},
		{strings.TrimSpace(head), "error"},
		{"", "error"},
		{"TCP 0A0D0001 9C40 0A0D00C8 0050 C0A80104 0050 ESTABLISHED", "error"},
		{"TCP 0A0D001 9C40 0A0D00C8 0050 C0A80104 0050 ESTABLISHED 899", "error"},
		{"TCP 0A0D0001 9C400 0A0D00C8 0050 C0A80104 0050 ESTABLISHED 899", "error"},
		{"TCP fe80::1%eth0 9C40 0A0D00C8 0050 C0A80104 0050 ESTABLISHED 899", "error"},
		{"ICMP 0A0D0001 9C40 0A0D00C8 0050 C0A80104 0050 ESTABLISHED 899", "error"},
	} {
		c, err := Parse([]byte(tt.line))
		got := fmt.Sprintf("%d %v %v %v %s %d %s %s", uint8(c.Protocol), c.Client, c.Virtual, c.Server, c.State, c.Expires, c.Engine, c.Data)
		if err != nil {
			got = "error"
		}
		if got != tt.want {
			t.Errorf("%q is read as\n%s, want\n%s", tt.line, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("TCP 0A0D0001 9C40 0A0D00C8 0050 C0A80104 0050 ESTABLISHED     899\n"))
	f.Add([]byte("UDP 2001:db8::1 0000 0A0D00C8 13C4 [::1] 13C4 NONE 30 sip 7f@h\n"))
	f.Fuzz(func(t *testing.T, line []byte) {
		c, err := Parse(line)
		if err != nil {
			return
		}
		d := newDatagram(1, 1472)
		if !d.add(&c, way{forward: ipvsctl.Direct, mark: 7}) {
			t.Error("an empty datagram has no room")
		}
		if len(d.bytes()) > 1472 {
			t.Errorf("%d bytes", len(d.bytes()))
		}
	})
}

// web is a table with a service by NAT, one by direct routing for all ports, one by mark,
// and those of checks.
func web() ipvsctl.Table {
	server := func(address string, port uint16, f ipvsctl.Forward) ipvsctl.Row[ipvsctl.Destination] {
		return ipvsctl.Row[ipvsctl.Destination]{Key: ipvsctl.DestinationKey{Addr: netip.MustParseAddr(address), Port: port}, Value: ipvsctl.Destination{Forward: f, Weight: 1}}
	}
	service := func(rows ...ipvsctl.Row[ipvsctl.Destination]) ipvsctl.VirtualService {
		return ipvsctl.VirtualService{Destinations: rows}
	}
	vip := netip.MustParseAddr("10.13.0.200")
	return ipvsctl.Table{
		{Protocol: ipvsctl.TCP, Addr: vip, Port: 80}:                                     service(server("192.168.1.4", 80, ipvsctl.NAT), server("192.168.1.5", 80, ipvsctl.Tunnel)),
		{Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr("10.13.0.201")}:                service(server("192.168.1.6", 0, ipvsctl.Direct)),
		{Mark: 7, Addr: netip.IPv4Unspecified()}:                                         service(server("192.168.1.7", 0, ipvsctl.Direct)),
		{Mark: 8, Addr: netip.IPv6Unspecified()}:                                         service(server("2001:db8::7", 0, ipvsctl.Direct)),
		{Mark: ipvsctl.FirstPrivateMark, Addr: netip.IPv4Unspecified()}:                  service(server("192.168.1.8", 0, ipvsctl.Direct)),
		{Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr("2001:db8:13::200"), Port: 80}: service(server("2001:db8:1::4", 80, ipvsctl.NAT)),
	}
}

func TestHowAConnectionIsForwarded(t *testing.T) {
	x := newIndex(web(), nil)
	for _, tt := range []struct {
		name, line string
		want       way
		known      bool
	}{
		{"by NAT", "TCP 0A0D0001 9C40 0A0D00C8 0050 C0A80104 0050 ESTABLISHED 1", way{forward: ipvsctl.NAT}, true},
		{"by tunnel", "TCP 0A0D0001 9C40 0A0D00C8 0050 C0A80105 0050 ESTABLISHED 1", way{forward: ipvsctl.Tunnel}, true},
		{"of a service for all ports", "TCP 0A0D0001 9C40 0A0D00C9 0051 C0A80106 0051 ESTABLISHED 1", way{forward: ipvsctl.Direct}, true},
		{"of a service by mark", "TCP 0A0D0001 9C40 0A0D00CA 0050 C0A80107 0050 ESTABLISHED 1", way{ipvsctl.Direct, 7}, true},
		{"the template of one", "IP 0A0D0001 0000 00000007 0000 C0A80107 0000 NONE 1", way{ipvsctl.Direct, 7}, true},
		{"that of one of IPv6", "IP 2001:db8::1 0000 0000:0008:: 0000 2001:db8::7 0000 NONE 1", way{ipvsctl.Direct, 8}, true},
		{"a server that has left", "TCP 0A0D0001 9C40 0A0D00C8 0050 C0A80109 0050 ESTABLISHED 1", way{}, false},
		{"what a check asks", "TCP 0A0D0001 9C40 0A0D00CA 0050 C0A80108 0050 ESTABLISHED 1", way{}, false},
		{"a mark that nobody has", "IP 0A0D0001 0000 00000009 0000 C0A80107 0000 NONE 1", way{}, false},
	} {
		c, err := Parse([]byte(tt.line))
		if err != nil {
			t.Fatal(tt.name, err)
		}
		if got, known := x.wayOf(&c); got != tt.want || known != tt.known {
			t.Errorf("%s: %+v, %v; want %+v, %v", tt.name, got, known, tt.want, tt.known)
		}
	}
}

// Two services by marks may share a server. The packets tell which one a connection is of,
// where lvsd marks them itself.
func TestTheMarkOfAConnection(t *testing.T) {
	table, rules := ipvsctl.Table{}, ipvsctl.Ruleset{}
	for i, port := range []uint16{80, 443, 5060} {
		mark, a := uint32(100+i), netip.MustParseAddr("10.13.0.200")
		table[ipvsctl.ServiceKey{Mark: mark, Addr: netip.IPv4Unspecified()}] = ipvsctl.VirtualService{Destinations: ipvsctl.Rows[ipvsctl.Destination]{
			{Key: ipvsctl.DestinationKey{Addr: netip.MustParseAddr("192.168.1.4")}, Value: ipvsctl.Destination{Forward: ipvsctl.Direct, Weight: 1}}}}
		rules = append(rules, ipvsctl.Marking{Mark: mark, Selection: ipvsctl.Select([]ipvsctl.AddressRange{{First: a, Last: a}},
			[]ipvsctl.Protocol{ipvsctl.TCP}, []ipvsctl.PortRange{{First: port, Last: port}})})
	}
	x := newIndex(table, rules)
	for i, port := range []string{"0050", "01BB", "13C4"} {
		c, err := Parse([]byte("TCP 0A0D0001 9C40 0A0D00C8 " + port + " C0A80104 " + port + " ESTABLISHED 1"))
		if err != nil {
			t.Fatal(err)
		}
		if got, known := x.wayOf(&c); !known || got != (way{ipvsctl.Direct, uint32(100 + i)}) {
			t.Errorf("port 0x%s: %+v, %v", port, got, known)
		}
	}
}

// told is what is sent of lines, by a line with so much room.
func told(t *testing.T, room int, lines ...string) (all []string) {
	t.Helper()
	n := &network{list: head + strings.Join(lines, "\n") + "\n", room: room}
	teller, what := NewTeller(n, nil), &Telling{Daemon: ipvsctl.SyncDaemon{ID: 51}, Table: web(), Rate: 1e6}
	teller.Set(what)
	if r := teller.round(context.Background(), what, time.Now()); r.Err != nil {
		t.Fatal(r.Err)
	}
	return n.sent
}

// The layout is that of struct ip_vs_sync_mesg, ip_vs_sync_v4 and ip_vs_sync_v6.
func TestMessagesOfVersion1(t *testing.T) {
	const (
		client4 = "0a0d0001 0a0d00c8 c0a80104"
		client6 = "20010db8000000000000000000000001 20010db8001300000000000000000200 20010db8000100000000000000000004"
	)
	for _, tt := range []struct{ name, line, want string }{
		{"an established connection", "TCP 0A0D0001 9C40 0A0D00C8 0050 C0A80104 0050 ESTABLISHED 899",
			"00 33 002c 01 01 0000  00 06 0024 00000000 0001 9c40 0050 0050 00000000 00000383" + client4},
		{"one that ends", "TCP 0A0D0001 9C40 0A0D00C8 0050 C0A80104 0050 FIN_WAIT 0",
			"00 33 002c 01 01 0000  00 06 0024 00000100 0004 9c40 0050 0050 00000000 00000001" + client4},
		{"a template by tunnel", "TCP 0A0D0001 0000 0A0D00C8 0050 C0A80105 0050 NONE 30",
			"00 33 002c 01 01 0000  00 06 0024 00001002 0000 0000 0050 0050 00000000 0000001e 0a0d0001 0a0d00c8 c0a80105"},
		{"a template by mark", "IP 0A0D0001 0000 00000007 0000 C0A80107 0000 ASSURED 30",
			"00 33 002c 01 01 0000  00 00 0024 00001003 0001 0000 0000 0000 00000007 0000001e 0a0d0001 00000007 c0a80107"},
		{"IPv6", "TCP 2001:db8::1 9C40 2001:db8:13::200 0050 2001:db8:1::4 0050 ESTABLISHED 899",
			"00 33 0050 01 01 0000  01 06 0048 00000000 0001 9c40 0050 0050 00000000 00000383" + client6},
		{"a client that a persistence engine knows", "TCP 0A0D0001 0000 0A0D00C8 0050 C0A80104 0050 NONE 30 sip 7f@h",
			"00 33 0037 01 01 0000  00 06 002f 00001000 0000 0000 0050 0050 00000000 0000001e" + client4 + "02 04 37664068 03 03 736970"},
		{"one that is being opened", "TCP 0A0D0001 9C40 0A0D00C8 0050 C0A80104 0050 SYN_RECV 59", ""},
		{"one that is over", "TCP 0A0D0001 9C40 0A0D00C8 0050 C0A80104 0050 TIME_WAIT 59", ""},
	} {
		if diff := cmp.Diff(strings.ReplaceAll(tt.want, " ", ""), strings.Join(told(t, 1472, tt.line), "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestADatagramIsNoLongerThanItMay(t *testing.T) {
	line := func(port int) string {
		return fmt.Sprintf("TCP 0A0D0001 %04X 0A0D00C8 0050 C0A80104 0050 ESTABLISHED 899", port)
	}
	var lines []string
	for port := range 5 {
		lines = append(lines, line(port+1))
	}
	for _, tt := range []struct{ room, want int }{{8 + 36, 5}, {8 + 2*36, 3}, {8 + 5*36 - 1, 2}, {8 + 5*36, 1}, {8 + 35, 0}} {
		sent := told(t, tt.room, lines...)
		if len(sent) != tt.want {
			t.Errorf("with room for %d bytes, %d datagrams, want %d", tt.room, len(sent), tt.want)
		}
		for _, s := range sent {
			if len(s) > 2*tt.room {
				t.Errorf("with room for %d bytes, %d", tt.room, len(s)/2)
			}
		}
	}
}

// A network is an Edge in memory.
type network struct {
	list   string
	room   int
	sent   []string
	marks  []mark
	heard  chan []byte
	broken atomic.Bool // the list cannot be read
}

func (n *network) Connections() (io.ReadCloser, error) {
	if n.broken.Load() {
		return nil, errors.New("no such file")
	}
	return io.NopCloser(strings.NewReader(n.list)), nil
}
func (n *network) Dial(ipvsctl.SyncDaemon) (Line, error) { return n, nil }
func (n *network) Listen(ctx context.Context, _ ipvsctl.SyncDaemon) (Ear, error) {
	context.AfterFunc(ctx, func() { close(n.heard) })
	return n, nil
}
func (n *network) Room() int    { return n.room }
func (n *network) Close() error { return nil }
func (n *network) Hear(b []byte) (int, error) {
	heard, ok := <-n.heard
	if !ok {
		return 0, errors.New("closed")
	}
	return copy(b, heard), nil
}
func (n *network) Send(b []byte) error {
	if m, ok := parseMark(b, 0); ok {
		n.marks = append(n.marks, m)
		return nil
	}
	n.sent = append(n.sent, hex.EncodeToString(b))
	return nil
}

func TestATellerTellsAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pause := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		var list bytes.Buffer
		for port := range 1000 {
			fmt.Fprintf(&list, "TCP 0A0D0001 %04X 0A0D00C8 0050 C0A80104 0050 ESTABLISHED 899\n", port+1)
		}
		n := &network{list: list.String(), room: 1472}
		var rounds []Round
		teller := NewTeller(n, func(r Round) { rounds = append(rounds, r) })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- teller.Run(ctx) }()
		pause(time.Minute)
		if len(rounds) > 0 || len(n.sent) > 0 {
			t.Errorf("nobody has asked it: %v", rounds)
		}
		teller.Set(&Telling{Table: web(), Every: 10 * time.Second, Rate: 1000})
		pause(25 * time.Second)
		if len(rounds) != 3 || rounds[0].Connections != 1000 || rounds[0].Took < 900*time.Millisecond || rounds[0].Took > 1100*time.Millisecond {
			t.Errorf("in 25 s, rounds %+v, want 3 of 1,000 connections, which take a second each", rounds)
		}
		n.broken.Store(true)
		pause(10 * time.Second)
		if last := rounds[len(rounds)-1]; len(rounds) != 4 || last.Err == nil {
			t.Errorf("the list cannot be read: %+v", last)
		}
		n.broken.Store(false)
		pause(5*time.Second + 500*time.Millisecond) // in the middle of a round
		teller.Set(nil)
		sent := len(n.sent)
		pause(time.Minute)
		if len(rounds) != 4 || len(n.sent) > sent+1 {
			t.Errorf("it is over, but it goes on: %d rounds, %d more datagrams", len(rounds), len(n.sent)-sent)
		}
		teller.Set(&Telling{Table: web(), Every: 10 * time.Second, Rate: 1000})
		pause(2 * time.Second)
		if len(rounds) != 5 {
			t.Errorf("it is asked again: %d rounds", len(rounds))
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// BenchmarkRound tells of 100,000 connections.
func BenchmarkRound(b *testing.B) {
	var list bytes.Buffer
	list.WriteString(head)
	for n := range 100_000 {
		fmt.Fprintf(&list, "TCP 0A0D%04X %04X 0A0D00C8 0050 C0A80104 0050 ESTABLISHED     899                                            \n", n>>8, n&0xff+1024)
	}
	n := &discard{network: network{list: list.String(), room: 1472}}
	teller := NewTeller(n, nil)
	what := &Telling{Table: web(), Rate: 1e9}
	teller.Set(what)
	b.ReportAllocs()
	for b.Loop() {
		if r := teller.round(context.Background(), what, time.Now()); r.Err != nil || r.Connections != 100_000 {
			b.Fatal(r)
		}
	}
}

// discard is a network that keeps nothing.
type discard struct{ network }

func (n *discard) Dial(ipvsctl.SyncDaemon) (Line, error) { return n, nil }
func (n *discard) Send([]byte) error                     { return nil }
