package link

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The frame that keepalived sends, padded as Ethernet does.
func TestGratuitousARP(t *testing.T) {
	for operation, rest := range map[uint16]string{
		arpRequest: "0001" + "020000000001" + "0a090064" + "ffffffffffff",
		arpReply:   "0002" + "020000000001" + "0a090064" + "020000000001", // RFC 5944 section 4.6
	} {
		got := hex.EncodeToString(gratuitousARP(operation, net.HardwareAddr{2, 0, 0, 0, 0, 1}, netip.MustParseAddr("10.9.0.100")))
		want := "ffffffffffff" + "020000000001" + "0806" + "0001" + "0800" + "0604" + rest + "0a090064" + strings.Repeat("00", 18)
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestPacketsThatAreTooShortOrLie(t *testing.T) {
	good := append([]byte{0x45, 0xc0, 0, 24, 0, 1, 0, 0, 255, 112, 0, 0, 10, 9, 0, 1, 224, 0, 0, 18}, "pdu!"...)
	if p, ok := parse4(good); !ok || string(p.Payload) != "pdu!" || p.TTL != 255 {
		t.Errorf("a good packet: %v %+v", ok, p)
	}
	// Ethernet's padding is not part of the packet.
	if p, ok := parse4(append(good, 0, 0, 0)); !ok || string(p.Payload) != "pdu!" {
		t.Errorf("a padded packet: %v %+v", ok, p)
	}
	for n := range len(good) {
		if _, ok := parse4(good[:n]); ok {
			t.Errorf("%d of %d bytes were taken for a packet", n, len(good))
		}
	}
	lies := append([]byte{0x4f}, good[1:]...) // a header of 60 bytes
	if _, ok := parse4(lies); ok {
		t.Error("a header longer than the packet was believed")
	}
	if _, ok := parse6(nil, []byte{1, 2, 3}, netip.Addr{}); ok {
		t.Error("broken control messages were believed")
	}
}

// A Backup that was not told took silence for the answer that nobody has the address.
func TestAQuestionThatCannotBePutIsAnError(t *testing.T) {
	l, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer l.netlink.Close()
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	address := netip.MustParseAddr("10.9.0.200")
	l.watched = map[string][]netip.Addr{"gone": {address}, "new": {address}, "tun0": {address}, "down": {address}}
	devices := map[string]*device{
		"gone": {name: "gone", index: 1 << 30, mac: mac, up: true}, // no socket can be bound to it
		"tun0": {name: "tun0", index: 1 << 30, up: true, noARP: true},
		"down": {name: "down", index: 1 << 30, mac: mac},
	}
	v := &view{devices: devices}
	if again := l.openListeners(new(view), v); !again {
		t.Error("it is not tried again")
	}
	devices["new"] = &device{name: "new", index: 1 << 30, mac: mac, up: true} // looked at later
	l.view.Store(v)
	for name, want := range map[string]string{
		"gone": v.deaf["gone"], "new": "the sockets for the answers are not open yet", "tun0": "", "down": "", "nix": "",
	} {
		err := l.Ask(vrrp.Ask{Interface: name, Address: address})
		if got := fmt.Sprint(err); (err == nil) != (want == "") || want != "" && got != "asking on "+name+" who has 10.9.0.200: "+want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if v.deaf["gone"] == "" {
		t.Error("no reason is kept")
	}
}

func TestWhoseEndIsTheEndOfOthers(t *testing.T) {
	primary := func(p string) address { return address{Prefix: netip.MustParsePrefix(p)} }
	secondary := func(p string) address { return address{Prefix: netip.MustParsePrefix(p), flags: unix.IFA_F_SECONDARY} }
	for _, c := range []struct {
		name  string
		addrs []address
		want  bool
	}{
		{"the first of its network", []address{primary("10.9.0.200/24"), secondary("10.9.0.1/24")}, true},
		{"behind the own address", []address{primary("10.9.0.1/24"), secondary("10.9.0.200/24"), secondary("10.9.0.201/24")}, false},
		{"alone in its network", []address{primary("10.9.0.200/24"), primary("10.8.0.1/24"), secondary("10.8.0.2/24")}, false},
		{"another length is another network", []address{primary("10.9.0.200/24"), primary("10.9.0.1/16"), secondary("10.9.0.2/16")}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &device{name: "va", addrs: c.addrs}
			virtual := netip.MustParsePrefix("10.9.0.200/24")
			if got := d.wouldTakeAlong(virtual); got != c.want {
				t.Errorf("would take others along: %t, want %t", got, c.want)
			}
			refused := sparing{"va": errors.New("read-only file system")}
			if err := refused.endangers(d, virtual); (err != nil) != c.want {
				t.Errorf("where promote_secondaries cannot be set: %v", err)
			}
		})
	}
}

// Whatever the network delivers, no decoder panics or reads beyond it.
func FuzzParse(f *testing.F) {
	f.Add([]byte{0x45, 0xc0, 0, 24, 0, 1, 0, 0, 255, 112, 0, 0, 10, 9, 0, 1, 224, 0, 0, 18, 1, 2, 3, 4}) // IPv4
	f.Add([]byte{0x4f, 0, 0, 60, 0, 0, 0, 0, 1, 112, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})                      // options that are not there
	f.Add([]byte{20, 0, 0, 0, 0, 0, 0, 0, 41, 0, 0, 0, 52, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0})           // control message: hop limit
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, ok := parse4(b); ok && len(p.Payload) > len(b)-20 {
			t.Errorf("a payload of %d bytes out of %d", len(p.Payload), len(b))
		}
		if p, ok := parse6(b, b, allNodes); ok && !p.Dst.Is6() {
			t.Errorf("the destination %s is no IPv6 address", p.Dst)
		}
	})
}

// A subscription that overflows ends (ENOBUFS); then everything is listed
// again.
func TestWatchSurvivesAnOverrun(t *testing.T) {
	l, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	l.eventBuffer = 2048
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	defer func() { cancel(); <-done }()

	// While the lock is held, the events are not read.
	l.mu.Lock()
	batch := new(strings.Builder)
	fmt.Fprintln(batch, "link add over type bridge")
	const n = 500
	for i := range n {
		fmt.Fprintf(batch, "addr add 10.77.%d.%d/32 dev over\n", i/250, i%250+1)
	}
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(batch.String())
	out, err := cmd.CombinedOutput()
	l.mu.Unlock()
	defer func() { _ = exec.Command("ip", "link", "del", "over").Run() }()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for end := time.Now().Add(30 * time.Second); len(l.Interfaces().ByName["over"].Addresses) < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d addresses are seen", len(l.Interfaces().ByName["over"].Addresses), n)
		}
	}
	if l.resubscribed.Load() == 0 {
		t.Error("the subscription did not overflow: this test shows nothing")
	}
}

// listening returns a link, and what the kernel tells of it.
func listening(t *testing.T) (*Link, <-chan syscall.NetlinkMessage) {
	t.Helper()
	l, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.asking.close)
	events, err := subscribe(t.Context(), eventBuffer, l.renewals.port)
	if err != nil {
		t.Fatal(err)
	}
	return l, events
}

// A Master of 1,000 routers renews 400 leases a second, and was woken by each.
func TestEventsDoNotTellOfRenewedLeases(t *testing.T) {
	l, events := listening(t)
	lo, err := l.netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	addr := func(n byte) assignment {
		return assignment{index: lo.Attrs().Index, prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 77, 7, n}), 32), valid: 60, preferred: 60}
	}
	for n := range byte(3) {
		if err := l.requests.add(addr(n)); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.netlink.AddrDel(lo, &netlink.Addr{IPNet: ipNet(addr(n).prefix)}) }()
		if refused, err := l.renewals.renew(1, func(int) assignment { return addr(n) }); err != nil || len(refused) > 0 {
			t.Fatal(refused, err)
		}
	}
	for n := range byte(3) {
		m := <-events
		if _, a, err := parseAddress(&m); err != nil || a.Prefix.Addr().As4()[3] != n {
			t.Errorf("event %d tells of %v (%v): of each address its addition alone", n, a.Prefix, err)
		}
	}
}

// What the events have told of and a list are the same.
func TestEventsTellWhatAListSays(t *testing.T) {
	l, events := listening(t)
	told, err := l.list()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = exec.Command("ip", "link", "del", "ea").Run() }()
	for _, command := range []string{
		"link add ea type veth peer name eb", "link set eb up", "link set ea up",
		"addr add 10.77.0.1/24 dev ea", "addr add 10.77.0.2/32 dev ea", "addr add 10.77.1.1 peer 10.77.1.2/30 dev ea",
		"addr add fd77::1/64 dev ea nodad", "addr add fd77:1::1 peer fd77:1::2/64 dev ea nodad", "addr del 10.77.0.2/32 dev ea",
		"link set eb address 02:00:00:00:00:77", "link set eb alias pair",
	} {
		if out, err := exec.Command("ip", strings.Fields(command)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", command, err, out)
		}
	}
	var different string
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		for range len(events) {
			m := <-events
			told.apply(&m)
		}
		listed, err := l.list()
		if err != nil {
			t.Fatal(err)
		}
		if different = cmp.Diff(inOrder(listed), inOrder(told), cmp.AllowUnexported(device{}, address{}), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); different == "" {
			return
		}
	}
	t.Errorf("the events tell something else than a list (-listed +told):\n%s", different)
}

// inOrder puts the addresses of each device in their order.
func inOrder(t table) table {
	for _, d := range t {
		slices.SortFunc(d.addrs, func(a, b address) int { return a.Prefix.Compare(b.Prefix) })
	}
	return t
}

// "With a full Internet table, a take-over took a second." Routes that are not there are
// added without a look at those that are.
func TestATakeOverListsNoRoutes(t *testing.T) {
	l, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	h := vrrp.Holdings{Routes: []vrrp.Route{
		{Destination: netip.MustParsePrefix("10.80.0.0/16"), Type: vrrp.Blackhole, Table: vrrp.MainTable},
		{Destination: netip.MustParsePrefix("2001:db8::/48"), Type: vrrp.Blackhole, Table: 7},
	}}
	if added, _, err := l.Hold(h); err != nil || len(added.Routes) != 2 {
		t.Fatalf("added %s: %v", added, err)
	}
	if _, err := l.Release(h); err != nil {
		t.Error(err)
	}
	if !l.census.again.IsZero() {
		t.Error("the routes were listed")
	}
}
