package link_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
	"golang.org/x/sys/unix"
)

const mac51, mac51of6 = "00:00:5e:00:01:33", "00:00:5e:00:02:33"

var (
	port4, device4 = vrrp.Port{Interface: "va", Family: 4}, vrrp.Port{Interface: "vrrp4-51", Family: 4}
	port6, device6 = vrrp.Port{Interface: "va", Family: 6}, vrrp.Port{Interface: "vrrp6-51", Family: 6}
)

// virtualMAC is what a router of id 51 with a virtual MAC listens to, on va.
func virtualMAC() map[vrrp.Port][]vrrp.Identity {
	id := vrrp.Identity{Version: 3, VRID: 51}
	below := id
	below.Below = "va"
	return map[vrrp.Port][]vrrp.Identity{port4: {id}, device4: {below}, port6: {id}, device6: {below}}
}

// director starts a Link of such routers: here or, if there is one, on a host.
func director(t *testing.T, h *netnstest.Host) *link.Link {
	t.Helper()
	started, ended := make(chan *link.Link), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(ended)
		if h != nil {
			runtime.LockOSThread() // The thread ends with this.
			if err := enter(h); err != nil {
				t.Error(err)
			}
		}
		l, err := link.Open()
		if err != nil {
			t.Error(err)
		}
		started <- l
		_ = l.Run(ctx)
	}()
	l := <-started
	t.Cleanup(func() { cancel(); <-ended })
	l.Listen(virtualMAC())
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(l.Interfaces().Ports)
		}
	})
	wait(t, "the devices are made", func() bool {
		for p := range virtualMAC() {
			if why, ok := l.Interfaces().Ports[p]; !ok || why != "" {
				return false
			}
		}
		return true
	})
	return l
}

func enter(h *netnstest.Host) error {
	f, err := os.Open("/proc/" + h.PID + "/ns/net")
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
}

// network makes va with a neighbour on a host, and a name of the interface there.
func network(t *testing.T) *netnstest.Host {
	t.Helper()
	cable(t, "va", "vb")
	ip(t, "addr add 10.9.0.1/24 dev va")
	ip(t, "addr add fe80::a/64 dev va nodad")
	ip(t, "addr add fd00::1/64 dev va nodad")
	h := host(t, "vb")
	h.Run("ip addr add 10.9.0.3/24 dev vb")
	h.Run("ip addr add fd00::3/64 dev vb nodad")
	return h
}

var addresses4 = on("vrrp4-51", "10.9.0.200/24")
var addresses6 = on("vrrp6-51", "fe80::200/64", "fd00::200/64")

func release(t *testing.T, l *link.Link, addresses []vrrp.InterfaceAddress) {
	t.Helper()
	if _, err := l.Release(vrrp.Holdings{Addresses: addresses}); err != nil {
		t.Fatal(err)
	}
}

// A Backup's device is down, without any address: nothing there can answer, or tell a
// switch where the virtual MAC is.
func TestADeviceIsDownUnlessItHasAnAddress(t *testing.T) {
	network(t)
	l := director(t, nil)
	for name, mac := range map[string]string{"vrrp4-51": mac51, "vrrp6-51": mac51of6} {
		shown := ip(t, "-d addr show dev "+name)
		for _, want := range []string{"@va", mac, "macvlan mode private", "state DOWN", "alias lvsd: "} {
			if !strings.Contains(shown, want) {
				t.Errorf("%s is without %q:\n%s", name, want, shown)
			}
		}
		if strings.Contains(shown, "inet") || strings.Contains(shown, ",UP") {
			t.Errorf("%s is up or has an address:\n%s", name, shown)
		}
	}
	all := vrrp.Holdings{Addresses: slices.Concat(addresses4, addresses6)}
	hold(t, l, all.Addresses, 0)
	time.Sleep(50 * time.Millisecond) // for what the kernel adds by itself
	for name, want := range map[string]int{"vrrp4-51": 1, "vrrp6-51": 2} {
		if shown := ip(t, "addr show dev "+name); strings.Count(shown, "inet") != want || !strings.Contains(shown, "state UP") {
			t.Errorf("want %d addresses, up:\n%s", want, shown)
		}
	}
	if routes := ip(t, "route show 10.9.0.0/24") + ip(t, "-6 route show fd00::/64"); strings.Contains(routes, "vrrp") {
		t.Errorf("the director's own packets would leave by the device:\n%s", routes)
	}
	if err := l.Announce(all); err != nil {
		t.Errorf("announcing: %v", err)
	}
	release(t, l, addresses6[:1])
	if shown := ip(t, "addr show dev vrrp6-51"); !strings.Contains(shown, "state UP") {
		t.Errorf("it has an address:\n%s", shown)
	}
	release(t, l, all.Addresses)
	for _, name := range []string{"vrrp4-51", "vrrp6-51"} {
		if shown := ip(t, "addr show dev "+name); strings.Contains(shown, "inet") || strings.Contains(shown, ",UP") {
			t.Errorf("%s is up or has an address:\n%s", name, shown)
		}
	}
	hold(t, l, all.Addresses, 0)
	if err := l.Announce(all); err != nil {
		t.Errorf("announcing from a device that was down: %v", err)
	}
}

// Neighbours know the virtual address by the virtual MAC, and the own one by the
// interface's, whoever asks whom, and over what.
func TestEachAddressHasItsOwnMAC(t *testing.T) {
	h := network(t)
	sysctl(t, "net/ipv4/conf/all/rp_filter", "1")
	own := strings.Fields(ip(t, "-br link show va"))[2]
	l := director(t, nil)
	hold(t, l, slices.Concat(addresses4, addresses6), 0)
	want := map[string]string{"10.9.0.200": mac51, "10.9.0.1": own, "fd00::200": mac51of6, "fd00::1": own, "fe80::200": mac51of6, "fe80::a": own}
	known := func(when string) {
		t.Helper()
		for a, mac := range want {
			shown := ""
			wait(t, fmt.Sprintf("%s is known as %s", a, mac), func() bool {
				shown = h.Run("ip neigh show " + a + " dev vb")
				return strings.Contains(shown, "lladdr")
			})
			if !strings.Contains(shown, mac) {
				t.Errorf("%s: %s is known as %q, want %s", when, a, shown, mac)
			}
		}
	}
	ask := func(a string) { h.Run("bash -c echo>/dev/udp/" + a + "/9") }
	all := func(f func(a string)) {
		for a := range want {
			if netip.MustParseAddr(a).IsLinkLocalUnicast() {
				a += "%vb"
			}
			f(a)
		}
		time.Sleep(50 * time.Millisecond)
	}
	all(ask)
	known("it asks for them")
	all(func(a string) {
		to := "10.9.0.3:9"
		switch from := netip.MustParseAddr(a); {
		case from.Zone() != "":
			return // It speaks to others of its own network only.
		case from.Is6():
			to = "[fd00::3]:9"
		}
		ip(t, "neigh flush dev va") // It asks for the neighbour, and says who it is.
		d := net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(a), 0))}
		c, err := d.Dial("udp", to)
		if err == nil {
			_, err = c.Write([]byte("hello"))
			c.Close()
		}
		if err != nil {
			t.Error(err)
		}
	})
	known("it hears from them")
	release(t, l, slices.Concat(addresses4, addresses6))
	h.Run("ip neigh flush dev vb")
	all(ask)
	for a, mac := range want {
		if mac == own {
			wait(t, a+" answers", func() bool { return strings.Contains(h.Run("ip neigh show "+a+" dev vb"), own) })
		} else if shown := h.Run("ip neigh show " + a + " dev vb"); strings.Contains(shown, "lladdr") {
			t.Errorf("somebody answers for %s after it was released: %s", a, shown)
		}
	}
}

// A director that has handed over answers what still comes, and says nothing with the
// virtual MAC: a switch would send to it again what is for its successor.
func TestAfterAHandOverNothingIsSentWithTheVirtualMAC(t *testing.T) {
	h := network(t)
	l := director(t, nil)
	all := vrrp.Holdings{Addresses: slices.Concat(addresses4, addresses6[1:])}
	macs := map[string]string{"10.9.0.200": mac51, "fd00::200": mac51of6}
	set := func(mute bool) {
		t.Helper()
		all.Mute = mute
		if _, _, err := l.Hold(all); err != nil {
			t.Fatal(err)
		}
		// The kernel does it a moment later.
		wait(t, "the devices follow", func() bool {
			return strings.Contains(ip(t, "link show vrrp4-51"), "NO-CARRIER") == mute && strings.Contains(ip(t, "link show vrrp6-51"), "NO-CARRIER") == mute
		})
	}
	const port = 8080
	for _, network := range []string{"tcp4", "tcp6"} {
		server, err := net.Listen(network, fmt.Sprint(":", port))
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
	}
	check := func(mute bool) {
		t.Helper()
		for a, mac := range macs {
			h.Run("ip neigh flush dev vb")
			h.Run("bash -c echo>/dev/udp/" + a + "/9")
			if mute {
				time.Sleep(50 * time.Millisecond)
				if shown := h.Run("ip neigh show " + a + " dev vb"); strings.Contains(shown, mac) {
					t.Errorf("it answers for %s with the virtual MAC: %s", a, shown)
				}
			} else {
				wait(t, a+" is known", func() bool { return strings.Contains(h.Run("ip neigh show "+a+" dev vb"), mac) })
			}
			h.Run("ip neigh replace " + a + " lladdr " + mac + " nud reachable dev vb")
			h.Run(fmt.Sprintf("timeout 2 bash -c echo>/dev/tcp/%s/%d", a, port))
		}
	}
	for _, mute := range []bool{false, true, false, true} {
		set(mute)
		check(mute)
	}
	release(t, l, all.Addresses)
	set(false)
	check(false)
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What another director sends from the same virtual MAC reaches the device while that is
// up, and the interface while it is down. Either way it is heard once.
func TestAdvertsOfTheSameVirtualMACAreHeardOnce(t *testing.T) {
	h := network(t)
	h.Run("ip link set vb name va")
	h.Run("ip addr add fe80::b/64 dev va nodad")
	l, other := director(t, nil), director(t, h)
	all := vrrp.Holdings{Addresses: slices.Concat(addresses4, addresses6)}
	hold(t, other, all.Addresses, 0)
	wait(t, "the other's devices are up", func() bool {
		return other.Interfaces().ByName["vrrp4-51"].Up && other.Interfaces().ByName["vrrp6-51"].Up
	})
	hears := func(role string) {
		t.Helper()
		for _, from := range []vrrp.Port{device4, device6, port4, port6} {
			src, dst, to := "10.9.0.3", "224.0.0.18", port4
			if from.Family == 6 {
				src, dst, to = "fe80::b", "ff02::12", port6
			}
			payload := string([]byte{0x31, 51}) + role + from.Interface
			if err := other.Send(vrrp.Packet{Port: from, Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst), TTL: vrrp.TTL, Payload: []byte(payload)}); err != nil {
				t.Fatal(err)
			}
			got := collect(t, l, 1)
			time.Sleep(150 * time.Millisecond)
			l.Receive(func(vrrp.Packet) { got = append(got, received{}) })
			if want := []received{{to, src, dst, 255, payload}}; !slices.Equal(got, want) {
				t.Errorf("%s, sent from %s: received %+v, want %+v", role, from.Interface, got, want)
			}
		}
	}
	hears("Backup")
	hold(t, l, all.Addresses, 0)
	hears("Master")
	for _, name := range []string{"vrrp4-51", "vrrp6-51"} { // both say that they have the addresses
		a := addresses4[0].Prefix.Addr()
		if name == "vrrp6-51" {
			a = addresses6[1].Prefix.Addr()
		}
		l.Watch(map[string][]netip.Addr{name: {a}})
		wait(t, "the other director is told of on "+name, func() bool {
			found := false
			_ = l.Ask(vrrp.Ask{Interface: name, Address: a})
			time.Sleep(20 * time.Millisecond)
			l.Claims(func(c vrrp.Claim) { found = found || c.Interface == name && c.Address == a })
			return found
		})
	}
	release(t, l, all.Addresses)
	hears("Backup again")
}

func TestADeviceOfSomebodyElseIsLeftAlone(t *testing.T) {
	network(t)
	ip(t, "link add link va name vrrp4-51 type macvlan mode private")
	l, err := link.Open()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	l.Listen(virtualMAC())
	wait(t, "it is told", func() bool { return l.Interfaces().Ports[device4] != "" })
	const text = "there is a device vrrp4-51 that lvsd has not made: choose another device for the virtual MAC, or remove it (ip link delete vrrp4-51)"
	if got := l.Interfaces().Ports[device4]; got != text {
		t.Errorf("%s, want\n%s", got, text)
	}
	if shown := ip(t, "link show dev vrrp4-51"); strings.Contains(shown, mac51) {
		t.Errorf("it was changed: %s", shown)
	}
	ip(t, "link del vrrp4-51")
	wait(t, "it is made", func() bool {
		why, ok := l.Interfaces().Ports[device4]
		return ok && why == "" && strings.Contains(ip(t, "link show dev vrrp4-51"), mac51)
	})
	ip(t, "link del vrrp4-51")
	wait(t, "its addresses are added", func() bool { // as the worker does, which tries again
		_, _, err := l.Hold(vrrp.Holdings{Addresses: addresses4})
		return err == nil
	})
	if shown := ip(t, "addr show dev vrrp4-51"); !strings.Contains(shown, "10.9.0.200/24") {
		t.Errorf("somebody deleted it, and it did not come back: %s", shown)
	}
}

// A director that has crashed leaves devices. The next one knows them: those that it
// wants are adopted as they are, if they have addresses, and the others removed.
func TestDevicesThatACrashHasLeft(t *testing.T) {
	network(t)
	left := func(name, mac, address string) {
		ip(t, "link add link va address "+mac+" name "+name+" type macvlan mode private")
		if out, err := exec.Command("ip", "link", "set", name, "alias", "lvsd: left", "up").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if address != "" {
			ip(t, "addr add "+address+" dev "+name)
		}
	}
	left("vrrp4-51", mac51, "10.9.0.200/24")
	sysctl(t, "net/ipv6/conf/default/addr_gen_mode", "1")
	left("vrrp6-51", mac51of6, "")
	left("vrrp4-7", "00:00:5e:00:01:07", "10.9.0.7/24")
	l := director(t, nil)
	wait(t, "the one that nobody wants is removed", func() bool { _, ok := l.Interfaces().ByName["vrrp4-7"]; return !ok })
	wait(t, "the one without an address is down", func() bool { return !l.Interfaces().ByName["vrrp6-51"].Up })
	if shown := ip(t, "addr show dev vrrp4-51"); !strings.Contains(shown, "10.9.0.200/24") || !strings.Contains(shown, "state UP") {
		t.Errorf("the address that was found is gone:\n%s", shown)
	}
	if got := readFile(t, "/proc/sys/net/ipv4/conf/vrrp4-51/arp_ignore"); got != "1\n" {
		t.Errorf("arp_ignore of the one that was found is %s", got)
	}
}

// At the end nothing is left, not even a changed parameter, but what has addresses: of
// a Master that nobody took over from.
func TestDevicesAreRemoved(t *testing.T) {
	network(t)
	const ignore = "/proc/sys/net/ipv4/conf/va/arp_ignore"
	before := readFile(t, ignore)
	l := director(t, nil)
	if got := readFile(t, ignore); got != "1\n" {
		t.Errorf("arp_ignore of the interface below is %s", got)
	}
	hold(t, l, addresses4, 0)
	l.Listen(nil)
	l.Listen(map[vrrp.Port][]vrrp.Identity{port4: nil})
	wait(t, "the one without an address is removed", func() bool { _, ok := l.Interfaces().ByName["vrrp6-51"]; return !ok })
	if got := readFile(t, ignore); got != "1\n" {
		t.Errorf("arp_ignore is %s, while there is another device", got)
	}
	release(t, l, addresses4)
	wait(t, "the other one is", func() bool { _, ok := l.Interfaces().ByName["vrrp4-51"]; return !ok })
	if got := readFile(t, ignore); got != before {
		t.Errorf("arp_ignore is %s, and was %s", got, before)
	}
}
