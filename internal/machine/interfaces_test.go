package machine

import (
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/vishvananda/netlink"
)

// TestInterfacesAsTheyAre in a network namespace of the test's own.
func TestInterfacesAsTheyAre(t *testing.T) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs a network namespace: %v", err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"eth0", "eth1"} {
		must(netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: "peer-" + name}))
	}
	for _, name := range []string{"eth0", "peer-eth0", "eth1"} {
		link, err := netlink.LinkByName(name)
		must(err)
		must(netlink.LinkSetUp(link))
	}
	for conf, value := range map[string]string{"all": "1", "eth0": "2"} {
		must(os.WriteFile("/proc/sys/net/ipv4/conf/"+conf+"/arp_ignore", []byte(value), 0))
	}
	eth0, err := netlink.LinkByName("eth0")
	must(err)
	addr, err := netlink.ParseAddr("10.9.0.1/24")
	must(err)
	must(netlink.AddrAdd(eth0, addr))
	got, err := interfaces()
	must(err)
	for i := range got { // IPv6 comes by itself.
		var four []netip.Prefix
		for _, p := range got[i].Addresses {
			if p.Addr().Is4() {
				four = append(four, p)
			}
		}
		got[i].Addresses = four
	}
	want := map[string]Interface{
		"lo":        {Name: "lo", MTU: 65536, Down: true, Quiet: true, ARPIgnore: 1},
		"eth0":      {Name: "eth0", MTU: 1500, ARPIgnore: 2, Addresses: []netip.Prefix{netip.MustParsePrefix("10.9.0.1/24")}},
		"eth1":      {Name: "eth1", MTU: 1500, Down: true, ARPIgnore: 1},
		"peer-eth1": {Name: "peer-eth1", MTU: 1500, Down: true, ARPIgnore: 1},
	}
	for _, i := range got {
		w, known := want[i.Name]
		if diff := cmp.Diff(w, i, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); known && diff != "" {
			t.Errorf("%s (-want +got):\n%s", i.Name, diff)
		}
		delete(want, i.Name)
	}
	for name := range want {
		t.Errorf("%s is not there", name)
	}
}
