package link

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/vrrp"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// wire makes a cable between the interfaces fa and fb, with addresses.
func wire(t testing.TB) {
	netnstest.Run(t, "ip link add fa type veth peer name fb")
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", "fa").Run() })
	for i, name := range []string{"fa", "fb"} {
		for path, value := range map[string]string{"ipv6/conf/" + name + "/accept_dad": "0", "ipv4/conf/" + name + "/accept_local": "1", "ipv4/conf/" + name + "/rp_filter": "0"} {
			if err := os.WriteFile("/proc/sys/net/"+path, []byte(value), 0); err != nil {
				t.Fatal(err)
			}
		}
		netnstest.Run(t, "ip link set "+name+" up")
		netnstest.Run(t, fmt.Sprintf("ip addr add 10.8.0.%d/24 dev %s", i+1, name))
		netnstest.Run(t, fmt.Sprintf("ip addr add fe80::%d/64 dev %s nodad", i+1, name))
	}
	poll(t, "both ends are up", func() bool {
		return strings.Count(netnstest.Run(t, "ip link show fa")+netnstest.Run(t, "ip link show fb"), "state UP") == 2
	})
}

// poll waits until something is true.
func poll(t testing.TB, what string, ok func() bool) {
	t.Helper()
	const patience = 30 * time.Second // for a machine that has much else to do
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func indexOf(t testing.TB, name string) int {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return ifi.Index
}

// A talker sends whatever it is told from fa.
type talker struct {
	*socket
	t testing.TB
}

func newTalker(t testing.TB, family int) talker {
	s, err := openRaw(vrrp.Port{Interface: "fa", Family: family}, indexOf(t, "fa"), receiveBuffer, nil, newFilter(family, nil, false))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return talker{s, t}
}

// say sends a packet to the group, with a TTL.
func (k talker) say(ttl int, payload ...byte) {
	k.t.Helper()
	src, dst := netip.MustParseAddr("10.8.0.1"), vrrp.Group4
	level, option := unix.IPPROTO_IP, unix.IP_MULTICAST_TTL
	if k.family == 6 {
		src, dst = netip.MustParseAddr("fe80::1"), vrrp.Group6
		level, option = unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS
	}
	_ = k.raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), level, option, ttl) })
	if err := k.send(vrrp.Packet{Src: src, Dst: dst, TTL: vrrp.TTL, Payload: payload}); err != nil {
		k.t.Fatal(err)
	}
}

func open(t testing.TB, family int, ours ...vrrp.Identity) *socket {
	s, err := openSocket(vrrp.Port{Interface: "fb", Family: family}, indexOf(t, "fb"), ours)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// hears returns the payloads of packets that have arrived, once there are so many.
func hears(t testing.TB, s *socket, packets int) (ours, strays []string) {
	t.Helper()
	room := new(batch)
	collect := func(s *socket, all *[]string) {
		s.receive(room, func(p vrrp.Packet) { *all = append(*all, fmt.Sprintf("%x ttl %d", p.Payload, p.TTL)) })
	}
	poll(t, fmt.Sprintf("%d packets", packets), func() bool {
		collect(s, &ours)
		collect(s.strays, &strays)
		return len(ours)+len(strays) >= packets
	})
	return ours, strays
}

// Attack 3: a packet that is not for us cost the real-time process 50 µs.
func TestOnlyOurAdvertsReachTheSocket(t *testing.T) {
	wire(t)
	for _, family := range []int{4, 6} {
		k, s := newTalker(t, family), open(t, family, vrrp.Identity{Version: 3, VRID: 51}, vrrp.Identity{Version: 2, VRID: 52})
		for _, tt := range []struct {
			name  string
			ttl   int
			begin []byte
			ours  bool
		}{
			{"ours", 255, []byte{0x31, 51}, true},
			{"ours, of version 2", 255, []byte{0x21, 52}, true},
			{"another id", 255, []byte{0x31, 53}, false},
			{"RFC 9568 5.2.1: another version", 255, []byte{0x21, 51}, false},
			{"another version, of the other router", 255, []byte{0x31, 52}, false},
			{"RFC 9568 5.2.2: another type", 255, []byte{0x32, 51}, false},
			{"RFC 9568 5.1.1.3: it has passed a router", 254, []byte{0x31, 51}, false},
		} {
			t.Run(fmt.Sprintf("IPv%d, %s", family, tt.name), func(t *testing.T) {
				k.say(tt.ttl, append(tt.begin, 100, 1, 0, 100, 0, 0)...)
				heard, strays := hears(t, s, 1)
				if tt.ours != (len(heard) == 1) || tt.ours == (len(strays) == 1) {
					t.Errorf("reached the socket: %q, and as a stray: %q", heard, strays)
				}
			})
		}
	}
}

// The adverts of a peer beyond a router must not be read only now and then, as strays are.
func TestAdvertsFromBeyondARouterReachTheSocketWhereTheyMay(t *testing.T) {
	wire(t)
	for _, family := range []int{4, 6} {
		k := newTalker(t, family)
		s := open(t, family, vrrp.Identity{Version: 3, VRID: 51, MinTTL: 253}, vrrp.Identity{Version: 3, VRID: 52})
		for ttl, ours := range map[int]bool{255: true, 253: true, 252: false} {
			k.say(ttl, 0x31, 51, 100, 1, 0, 100, 0, 0)
			if heard, strays := hears(t, s, 1); ours != (len(heard) == 1) || ours == (len(strays) == 1) {
				t.Errorf("IPv%d, TTL %d reached the socket: %q, and as a stray: %q", family, ttl, heard, strays)
			}
		}
	}
}

// Two routers of an interface may use two groups.
func TestEveryGroupIsJoined(t *testing.T) {
	wire(t)
	for family, group := range map[int]string{4: "224.0.0.19", 6: "ff02::113"} {
		k := newTalker(t, family)
		own := vrrp.Identity{Version: 3, VRID: 51, Group: netip.MustParseAddr(group)}
		s := open(t, family, own, vrrp.Identity{Version: 3, VRID: 52})
		src := map[int]string{4: "10.8.0.1", 6: "fe80::1"}[family]
		for _, dst := range []netip.Addr{own.Group, groups(family, nil)[0]} {
			if err := k.send(vrrp.Packet{Src: netip.MustParseAddr(src), Dst: dst, TTL: vrrp.TTL, Payload: []byte{0x31, 51}}); err != nil {
				t.Fatal(err)
			}
			if heard, _ := hears(t, s, 1); len(heard) != 1 {
				t.Errorf("what was sent to %s did not arrive", dst)
			}
		}
		if s.hear([]vrrp.Identity{{Version: 3, VRID: 52}}) == nil {
			t.Error("it listens to other groups without having left the one")
		}
	}
}

// A router that comes or goes changes the filter, and not the socket.
func TestFilterFollowsTheRouters(t *testing.T) {
	wire(t)
	k, s := newTalker(t, 4), open(t, 4, vrrp.Identity{Version: 3, VRID: 51})
	k.say(255, 0x31, 52)
	time.Sleep(10 * time.Millisecond) // It arrives.
	if err := s.hear([]vrrp.Identity{{Version: 3, VRID: 52}}); err != nil {
		t.Fatal(err)
	}
	k.say(255, 0x31, 52)
	k.say(255, 0x31, 51)
	heard, strays := hears(t, s, 3)
	if !slices.Equal(heard, []string{"3134 ttl 255"}) || !slices.Equal(strays, []string{"3134 ttl 255", "3133 ttl 255"}) {
		t.Errorf("heard %q, strays %q", heard, strays)
	}
}

// IPv4 options move the payload.
func TestFilterFindsThePayload(t *testing.T) {
	header := func(words int) []byte {
		b := make([]byte, 4*words)
		b[0], b[8] = byte(0x40|words), 255
		return b
	}
	for words := 5; words <= 15; words++ {
		for _, strays := range []bool{false, true} {
			vm, err := bpf.NewVM(newFilter(4, []vrrp.Identity{{Version: 3, VRID: 51}}, strays))
			if err != nil {
				t.Fatal(err)
			}
			for id, ours := range map[byte]bool{51: true, 52: false} {
				if n, err := vm.Run(append(header(words), 0x31, id)); err != nil || (n > 0) == (ours == strays) {
					t.Errorf("header of %d words, id %d, strays %t: %d, %v", words, id, strays, n, err)
				}
			}
		}
	}
}

// As many routers as an interface can have.
func TestFilterOf255Routers(t *testing.T) {
	wire(t)
	var ours []vrrp.Identity
	for id := 1; id <= 255; id++ {
		ours = append(ours, vrrp.Identity{Version: 3, VRID: uint8(id)})
	}
	for _, family := range []int{4, 6} {
		k, s := newTalker(t, family), open(t, family, ours...)
		k.say(255, 0x31, 255)
		k.say(255, 0x31, 0)
		if heard, strays := hears(t, s, 2); len(heard) != 1 || len(strays) != 1 {
			t.Errorf("IPv%d: heard %q, strays %q", family, heard, strays)
		}
	}
}

// However many strays come, some of them are told, and nobody else's advert is
// lost for them.
func TestFloodOfStrays(t *testing.T) {
	wire(t)
	k, s := newTalker(t, 4), open(t, 4, vrrp.Identity{Version: 3, VRID: 51})
	wake := make(chan struct{}, 1)
	a := watched(t, s)
	go a.watch(wake, func() time.Duration { return readEvery })
	for range 20_000 {
		k.say(255, 0x31, 52, 0, 0, 0, 0, 0, 0)
	}
	select {
	case <-wake:
		t.Error("a stray woke the reader of adverts")
	default:
	}
	k.say(255, 0x31, 51)
	select {
	case <-wake:
	case <-time.After(30 * time.Second):
		t.Error("an advert did not")
	}
	if heard, strays := hears(t, s, 2); len(heard) != 1 || len(strays) > 100 {
		t.Errorf("%d adverts heard, and %d strays of 20,000", len(heard), len(strays))
	}
}
