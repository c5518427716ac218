package link_test

import (
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
	"golang.org/x/sys/unix"
)

func on(name string, prefixes ...string) []vrrp.InterfaceAddress {
	var all []vrrp.InterfaceAddress
	for _, p := range prefixes {
		all = append(all, vrrp.InterfaceAddress{Interface: name, Prefix: netip.MustParsePrefix(p)})
	}
	return all
}

func hold(t *testing.T, l *link.Link, addrs []vrrp.InterfaceAddress, lease time.Duration) int {
	t.Helper()
	added, _, err := l.Hold(vrrp.Holdings{Addresses: addrs, Lease: lease})
	if err != nil {
		t.Fatal(err)
	}
	return len(added.Addresses)
}

func TestHeldAddresses(t *testing.T) {
	cable(t, "va", "vb")
	ip(t, "addr add 10.9.0.1/24 dev va")
	l := open(t, vrrp.Port{Interface: "va", Family: 4})
	addrs := on("va", "10.9.0.200/24", "10.9.1.200/24", "10.9.0.201/32", "fd00::200/128")

	if added := hold(t, l, addrs, 90*time.Second); added != 4 {
		t.Errorf("added %d of 4", added)
	}
	shown := ip(t, "-d addr show dev va")
	if n := strings.Count(shown, "valid_lft 90sec") + strings.Count(shown, "valid_lft 89sec"); n != 4 {
		t.Errorf("%d of 4 addresses have the lifetime:\n%s", n, shown)
	}
	if strings.Contains(shown, "brd 10.") {
		t.Errorf("somebody invented a broadcast address:\n%s", shown)
	}
	v6 := ip(t, "addr show dev va to fd00::200")
	if !strings.Contains(v6, "nodad") || strings.Contains(v6, "tentative") || !strings.Contains(v6, "deprecated") {
		t.Errorf("the IPv6 address may wait for duplicate address detection, or be chosen as a source:\n%s", v6)
	}
	if added := hold(t, l, addrs, 0); added != 0 {
		t.Errorf("added %d although all were there", added)
	}
	shown = ip(t, "addr show dev va")
	if n := strings.Count(shown, "valid_lft forever"); n != 6 { // own, link-local, and four
		t.Errorf("%d of 6 addresses are permanent:\n%s", n, shown)
	}
	ip(t, "addr del 10.9.1.200/24 dev va")
	if added := hold(t, l, addrs, 0); added != 1 {
		t.Errorf("restored %d, one was missing", added)
	}
	for range 2 { // Deleting what is gone is success.
		if _, err := l.Release(vrrp.Holdings{Addresses: addrs}); err != nil {
			t.Error(err)
		}
	}
	if shown = ip(t, "addr show dev va"); strings.Contains(shown, "200") || strings.Contains(shown, "201") || !strings.Contains(shown, "10.9.0.1/24") {
		t.Errorf("not exactly the virtual addresses are gone:\n%s", shown)
	}
}

// What is said of an address in its block is what "ip address" shows of it.
func TestAttributesOfAddresses(t *testing.T) {
	cable(t, "va", "vb")
	ip(t, "addr add 10.9.0.1/24 dev va")
	ip(t, "addr add 10.9.0.201/24 dev va") // by somebody who did not know
	l := open(t, vrrp.Port{Interface: "va", Family: 4})
	h := vrrp.Holdings{Addresses: on("va", "10.9.3.200/24", "10.9.0.201/24", "10.9.0.202/24", "fd00::200/64"), Lease: time.Minute}
	set := func(what string, as map[string]vrrp.Attributes, added int) {
		t.Helper()
		h.Attributes = map[netip.Addr]vrrp.Attributes{}
		for a, v := range as {
			h.Attributes[netip.MustParseAddr(a)] = v
		}
		got, _, err := l.Hold(h)
		if err != nil || len(got.Addresses) != added {
			t.Errorf("%s: added %v, want %d: %v", what, got, added, err)
		}
	}
	shows := func(address string, all ...string) {
		t.Helper()
		shown := ip(t, "addr show dev va to "+address)
		for _, text := range all {
			want, text := !strings.HasPrefix(text, "!"), strings.TrimPrefix(text, "!")
			if strings.Contains(shown, text) != want {
				t.Errorf("%s: shown as %s, want %t: %s", address, text, want, shown)
			}
		}
	}
	as := map[string]vrrp.Attributes{
		"10.9.3.200": {Label: "va:web", Scope: unix.RT_SCOPE_LINK, Broadcast: netip.MustParseAddr("10.9.3.255"), NoPrefixRoute: true},
		"10.9.0.201": {Label: "va:old"},
		"fd00::200":  {Preferred: true},
	}
	set("at first, where one was there in another way", as, 4)
	shows("10.9.3.200", "brd 10.9.3.255 scope link", "noprefixroute", " va:web\n")
	shows("10.9.0.201", "scope global", " va:old\n", "!brd")
	if _, _, err := l.Hold(vrrp.Holdings{Addresses: on("va", "10.9.0.203/24"), Attributes: map[netip.Addr]vrrp.Attributes{
		netip.MustParseAddr("10.9.0.203"): {Scope: unix.RT_SCOPE_LINK}}}); err == nil {
		t.Error("the kernel takes two scopes in one network: say so in the manual")
	}
	shows("10.9.0.202", "scope global secondary ", " va\n")
	shows("fd00::200", "!deprecated")
	set("once more", as, 0)
	delete(as, "fd00::200")
	as["10.9.0.201"] = vrrp.Attributes{Label: "va:new"}
	set("of one the label is changed, and one is not preferred any more", as, 1)
	shows("10.9.0.201", "va:new\n")
	shows("fd00::200", "deprecated")
	set("there is nothing special any more", nil, 2)
	shows("10.9.3.200", "scope global", " va\n", "!brd", "!noprefixroute")
	if _, err := l.Release(h); err != nil || strings.Contains(ip(t, "addr show dev va"), ".20") {
		t.Errorf("not all are gone: %v", err)
	}
}

func TestHoldGoesOnAfterAnError(t *testing.T) {
	cable(t, "va", "vb")
	l := open(t)
	wait(t, "va is seen", func() bool { return l.Interfaces().ByName["va"].Up })
	added, _, err := l.Hold(vrrp.Holdings{Addresses: append(on("nix", "10.9.0.7/32"), on("va", "10.9.0.8/32")...)})
	if len(added.Addresses) != 1 || err == nil || !strings.Contains(err.Error(), "adding 10.9.0.7/32 to nix: the interface does not exist") {
		t.Errorf("added %v, error %v", added, err)
	}
	if _, err := l.Release(vrrp.Holdings{Addresses: on("nix", "10.9.0.7/32")}); err != nil {
		t.Errorf("releasing from an interface that is gone: %v", err)
	}
}

// The kernel knows such an address by both ends, and does not remove it by one of them.
func TestAddressesOfPointToPointLinks(t *testing.T) {
	cable(t, "va", "vb")
	ip(t, "addr add 10.9.0.1/24 dev va")
	l := open(t, vrrp.Port{Interface: "va", Family: 4})
	h := vrrp.Holdings{Addresses: on("va", "10.9.1.1/32", "fd09::1/128"), Lease: 30 * time.Second}
	for _, ends := range [][2]string{{"10.9.1.2", "fd09::2"}, {"10.9.1.3", "fd09::3"}} {
		four, six := netip.MustParseAddr(ends[0]), netip.MustParseAddr(ends[1])
		h.Attributes = map[netip.Addr]vrrp.Attributes{netip.MustParseAddr("10.9.1.1"): {Peer: four}, netip.MustParseAddr("fd09::1"): {Peer: six}}
		for _, added := range []int{2, 0} {
			got, missing, err := l.Hold(h)
			if err != nil || len(got.Addresses) != added || missing.String() != "" {
				t.Errorf("with %v: added %s, missing %s: %v", ends, got, missing, err)
			}
		}
		wait(t, "they are seen", func() bool { return has(l, "va", "10.9.1.1/32") && has(l, "va", "fd09::1/128") })
		if missing, err := l.Renew(vrrp.Holdings{Addresses: h.Addresses, Lease: 90 * time.Second}); err != nil || len(missing) > 0 {
			t.Errorf("renewed but for %v: %v", missing, err)
		}
		shown := ip(t, "addr show dev va")
		for _, want := range []string{"inet 10.9.1.1 peer " + ends[0] + "/32", "inet6 fd09::1 peer " + ends[1] + "/128"} {
			if strings.Count(shown, want) != 1 || strings.Count(shown, " peer ") != 2 {
				t.Errorf("want %q, and no peer but two:\n%s", want, shown)
			}
		}
		if route := ip(t, "route get "+ends[0]); !strings.Contains(route, "dev va src 10.9.1.1") {
			t.Errorf("the other end is reached by %s", route)
		}
	}
	if removed, err := l.Release(h); err != nil || len(removed.Addresses) != 2 {
		t.Errorf("removed %s: %v", removed, err)
	}
	// By somebody else. What the link itself removes it is not told of, so another address
	// shows that it has looked since.
	ip(t, "addr add 10.9.1.1 peer 10.9.4.4/30 dev va")
	ip(t, "addr add 10.9.2.2/32 dev va")
	wait(t, "they are seen", func() bool { return has(l, "va", "10.9.1.1/32") && has(l, "va", "10.9.2.2/32") })
	if removed, err := l.Release(vrrp.Holdings{Addresses: on("va", "10.9.1.1/32")}); err != nil || len(removed.Addresses) != 1 {
		t.Errorf("somebody else's was not removed: %s, %v", removed, err)
	}
	if shown := ip(t, "addr show dev va"); strings.Contains(shown, "peer") {
		t.Errorf("left:\n%s", shown)
	}
}

func TestRenewedLeases(t *testing.T) {
	cable(t, "va", "vb")
	ip(t, "addr add 10.9.0.1/24 dev va")
	l := open(t, vrrp.Port{Interface: "va", Family: 4})
	wait(t, "the own address is seen", func() bool { return has(l, "va", "10.9.0.1/24") })
	var many []vrrp.InterfaceAddress
	for i := range 150 {
		many = append(many, on("va", netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, 1, byte(i + 1)}), 32).String())...)
	}
	many = append(many, on("va", "10.9.0.200/24", "fd00::200/64")...)
	hold(t, l, many, 30*time.Second)
	wait(t, "they are seen", func() bool { return has(l, "va", "fd00::200/64") && has(l, "va", "10.9.1.150/32") })
	ip(t, "addr del 10.9.1.7/32 dev va")
	wait(t, "one is gone", func() bool { return !has(l, "va", "10.9.1.7/32") })
	stranger := on("va", "10.9.0.1/24")[0]
	missing, err := l.Renew(vrrp.Holdings{Addresses: append(many, stranger), Lease: 90 * time.Second})
	if want := on("va", "10.9.1.7/32", "10.9.0.1/24"); err != nil || !slices.Equal(missing, want) {
		t.Errorf("missing are %v (%v), want %v: the one that is gone, and the one that was not held", missing, err, want)
	}
	shown := ip(t, "-d addr show dev va")
	if n := strings.Count(shown, "valid_lft 90sec") + strings.Count(shown, "valid_lft 89sec"); n != len(many)-1 {
		t.Errorf("%d of %d addresses have the new lifetime:\n%s", n, len(many)-1, shown)
	}
	if v6 := ip(t, "addr show dev va to fd00::200"); !strings.Contains(v6, "nodad") || !strings.Contains(v6, "deprecated") {
		t.Errorf("the renewal has changed the address of IPv6:\n%s", v6)
	}
	if strings.Contains(ip(t, "addr show dev va"), "10.9.1.7/") {
		t.Error("a renewal has added an address")
	}
}

// Decision 11: the kernel takes the addresses back from the dead. The own
// address and its route outlive the virtual one of the same network.
func TestLeaseEnds(t *testing.T) {
	t.Parallel()
	cable(t, "va", "vb")
	ip(t, "addr add 10.9.0.1/24 dev va")
	ip(t, "addr add fd00::1/64 dev va nodad")
	ip(t, "addr add fd00::200/64 dev va nodad") // left, permanent, by an earlier process
	l := open(t)
	wait(t, "the own addresses are seen", func() bool { return has(l, "va", "fd00::1/64") && has(l, "va", "fd00::200/64") })
	hold(t, l, on("va", "10.9.0.200/24"), 0)
	hold(t, l, on("va", "10.9.0.200/24", "fd00::200/64"), 2*time.Second)
	time.Sleep(1200 * time.Millisecond)
	hold(t, l, on("va", "10.9.0.200/24", "fd00::200/64"), 2*time.Second) // renewed
	renewed := time.Now()
	if route := ip(t, "-6 route show fd00::/64"); strings.Contains(route, "expires") {
		t.Errorf("the own network's route has got a lifetime: %s", route)
	}
	for time.Since(renewed) < 1500*time.Millisecond {
		if !strings.Contains(ip(t, "addr show dev va"), "10.9.0.200") {
			t.Fatalf("it is gone %s after the renewal", time.Since(renewed))
		}
		time.Sleep(100 * time.Millisecond)
	}
	wait(t, "the kernel took them", func() bool {
		shown := ip(t, "addr show dev va")
		return !strings.Contains(shown, "10.9.0.200") && !strings.Contains(shown, "fd00::200")
	})
	t.Logf("gone %s after the renewal", time.Since(renewed).Round(100*time.Millisecond))
	shown := ip(t, "addr show dev va") + ip(t, "-6 route show fd00::/64")
	if !strings.Contains(shown, "10.9.0.1/24") || !strings.Contains(shown, "fd00::1/64") || !strings.Contains(shown, "fd00::/64 dev va") {
		t.Errorf("own addresses or their route went along:\n%s", shown)
	}
}

// A virtual address that was there before the interface's own one (late DHCP)
// is the primary, and takes the own one along when it is removed.
func TestReleaseSparesTheOwnAddress(t *testing.T) {
	cable(t, "va", "vb")
	sysctl(t, "net/ipv4/conf/all/promote_secondaries", "0")
	sysctl(t, "net/ipv4/conf/va/promote_secondaries", "0")
	l := open(t)
	wait(t, "va is seen", func() bool { return l.Interfaces().ByName["va"].Up })
	hold(t, l, on("va", "10.9.0.200/24"), 0)
	ip(t, "addr add 10.9.0.1/24 dev va")
	if _, err := l.Release(vrrp.Holdings{Addresses: on("va", "10.9.0.200/24")}); err != nil {
		t.Error(err)
	}
	if shown := ip(t, "addr show dev va"); strings.Contains(shown, "10.9.0.200") || !strings.Contains(shown, "10.9.0.1/24") {
		t.Errorf("want only the own address:\n%s", shown)
	}
}

// A container whose /proc/sys is read-only.
func TestAnAddressThatWouldTakeTheOwnOneAlongIsNotRemovable(t *testing.T) {
	cable(t, "va", "vb")
	sysctl(t, "net/ipv4/conf/all/promote_secondaries", "0")
	sysctl(t, "net/ipv4/conf/va/promote_secondaries", "0")
	l := open(t)
	wait(t, "va is seen", func() bool { return l.Interfaces().ByName["va"].Up })
	readOnly(t, "/proc/sys")
	vip, single, six := on("va", "10.9.0.200/24"), on("va", "10.9.0.200/32"), on("va", "fd00::200/64")
	removable := func(what string, want bool, addrs []vrrp.InterfaceAddress) {
		t.Helper()
		err := l.Unremovable(vrrp.Holdings{Addresses: addrs})[addrs[0]]
		if (err == nil) != want {
			t.Errorf("%s: %v", what, err)
		}
		const text = "10.9.0.200/24 could not be removed from va again without addresses of its network that come later, since promote_secondaries cannot be set " +
			"(open /proc/sys/net/ipv4/conf/va/promote_secondaries: read-only file system): " +
			"set net.ipv4.conf.all.promote_secondaries=1 (for a container, where it is created), or give va an address in 10.9.0.0/24 first"
		if err != nil && err.Error() != text {
			t.Errorf("%s:\n%v, want\n%s", what, err, text)
		}
	}
	removable("nothing else is in its network", false, vip)
	removable("its network is the address alone", true, single)
	removable("IPv6 knows no such thing", true, six)
	removable("there is no such interface", true, on("nix", "10.9.0.200/24"))
	ip(t, "addr add 10.9.0.1/24 dev va")
	wait(t, "the own address is seen", func() bool { return has(l, "va", "10.9.0.1/24") })
	removable("the own address was first", true, vip)
	ip(t, "addr add 10.9.0.200/24 dev va")
	wait(t, "the virtual address is seen", func() bool { return has(l, "va", "10.9.0.200/24") })
	removable("it is held", true, vip)
	ip(t, "addr del 10.9.0.1/24 dev va")
	wait(t, "the kernel took both", func() bool { return !has(l, "va", "10.9.0.1/24") && !has(l, "va", "10.9.0.200/24") })
	ip(t, "addr add 10.9.0.200/24 dev va")
	ip(t, "addr add 10.9.0.1/24 dev va")
	wait(t, "both are seen", func() bool { return has(l, "va", "10.9.0.1/24") && has(l, "va", "10.9.0.200/24") })
	removable("the own address came later", false, vip)
}

// readOnly makes a folder read-only for the test's goroutine.
func readOnly(t *testing.T, path string) {
	t.Helper()
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	for _, err := range []error{
		unix.Unshare(unix.CLONE_NEWNS),
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount(path, path, "", unix.MS_BIND, ""),
		unix.Mount("", path, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestNeighboursLearnWhoHasTheAddress(t *testing.T) {
	cable(t, "va", "vb")
	neighbour := host(t, "vb")
	neighbour.Run("ip addr add 10.9.0.9/24 dev vb")
	neighbour.Run("ip addr add fd00::9/64 dev vb nodad")
	neighbour.Run("ip neigh replace 10.9.0.200 lladdr 02:00:00:00:00:99 nud stale dev vb")
	neighbour.Run("ip neigh replace fd00::200 lladdr 02:00:00:00:00:99 nud stale dev vb")
	l := open(t)
	wait(t, "va is up", func() bool { return l.Interfaces().ByName["va"].Up })
	addrs := on("va", "10.9.0.200/24", "fd00::200/64")
	hold(t, l, addrs, 0)
	if err := l.Announce(vrrp.Holdings{Addresses: addrs}); err != nil {
		t.Fatal(err)
	}
	wait(t, "the neighbour has forgotten the former holder", func() bool {
		return !strings.Contains(neighbour.Run("ip neigh show dev vb"), "02:00:00:00:00:99")
	})
	if shown := neighbour.Run("ip -6 neigh show dev vb"); !strings.Contains(shown, "router") {
		t.Errorf("the Router flag did not arrive: %s", shown)
	}
	// Neither loopback nor an interface that is gone can announce.
	if err := l.Announce(vrrp.Holdings{Addresses: append(on("lo", "10.9.0.201/32"), on("nix", "10.9.0.202/32")...)}); err != nil {
		t.Errorf("announcing where nobody listens: %v", err)
	}
}

// The same after its lifetime, when nobody of us is left. The own address came
// late, or was removed by hand and added again.
func TestLeaseEndsAndSparesTheOwnAddress(t *testing.T) {
	t.Parallel()
	cable(t, "vc", "vd")
	sysctl(t, "net/ipv4/conf/all/promote_secondaries", "0")
	sysctl(t, "net/ipv4/conf/vc/promote_secondaries", "0")
	l := open(t)
	wait(t, "vc is seen", func() bool { return l.Interfaces().ByName["vc"].Up })
	hold(t, l, on("vc", "10.9.3.200/24", "10.9.3.201/24"), 2*time.Second)
	ip(t, "addr add 10.9.3.1/24 dev vc")
	if shown := ip(t, "addr show dev vc to 10.9.3.1"); !strings.Contains(shown, "secondary") {
		t.Fatalf("the own address is not what this test is about:\n%s", shown)
	}
	wait(t, "the kernel took the virtual ones", func() bool {
		shown := ip(t, "addr show dev vc")
		return !strings.Contains(shown, "10.9.3.200") && !strings.Contains(shown, "10.9.3.201")
	})
	if shown := ip(t, "addr show dev vc"); !strings.Contains(shown, "10.9.3.1/24") {
		t.Errorf("the own address went along:\n%s", shown)
	}
}
