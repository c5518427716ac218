package link_test

import (
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/vrrp/link"
)

// tables are those of nftables.
func tables(t *testing.T) string { return netnstest.Run(t, "nft list ruleset") }

func addrs(texts ...string) (all []netip.Addr) {
	for _, a := range texts {
		all = append(all, netip.MustParseAddr(a))
	}
	return all
}

// refuse waits until what comes for these addresses is dropped.
func refuse(t *testing.T, l *link.Link, addresses ...string) {
	t.Helper()
	l.Refuse(addrs(addresses...))
	wait(t, "the table is as wanted", func() bool {
		got := tables(t)
		for _, a := range addresses {
			if !strings.Contains(got, a) {
				return false
			}
		}
		return strings.Contains(got, "lvsd") == (len(addresses) > 0)
	})
}

// RFC 9568 section 6.1: with Accept_Mode false, nobody talks to the director by the
// virtual address, but everybody finds it.
func TestWhatComesForARefusedAddressIsDropped(t *testing.T) {
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("nft is not installed")
	}
	h := network(t)
	ip(t, "link set lo up")
	for _, a := range []string{"10.9.0.200/24", "fd00::200/64 nodad", "fe80::200/64 nodad"} {
		ip(t, "addr add "+a+" dev va")
	}
	for _, a := range []string{"[::]:7", "0.0.0.0:7"} {
		server, err := net.Listen(map[bool]string{true: "tcp6", false: "tcp4"}[a[0] == '['], a)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
	}
	netnstest.Run(t, "nft add table inet other") // somebody else's
	l := open(t)
	reaches := func(a string, patience string) bool {
		return exec.Command("nsenter", "-t", h.PID, "-n", "timeout", patience, "bash", "-c", "echo >/dev/tcp/"+a+"/7").Run() == nil
	}
	check := func(when string, want map[string]bool) {
		t.Helper()
		h.Run("ip neigh flush dev vb")
		for a, reached := range want {
			patience := map[bool]string{true: "30", false: "0.5"}[reached] // A busy machine takes its time.
			if got := reaches(a, patience); got != reached {
				t.Errorf("%s: the neighbour reaches %s: %v, want %v", when, a, got, reached)
			}
			plain, _, _ := strings.Cut(a, "%")
			wait(t, when+": the neighbour finds "+a, func() bool {
				if strings.Contains(h.Run("ip neigh show "+plain+" dev vb"), "lladdr") {
					return true
				}
				_ = reaches(a, "0.5") // It asks only for whom it wants to talk to.
				return false
			})
		}
	}
	check("at first", map[string]bool{"10.9.0.200": true, "fd00::200": true, "fe80::200%vb": true})
	refuse(t, l, "10.9.0.200", "fd00::200", "fe80::200")
	want := map[string]bool{"10.9.0.200": false, "fd00::200": false, "fe80::200%vb": false, "10.9.0.1": true, "fd00::1": true}
	check("refused", want)
	for _, a := range []string{"10.9.0.200:7", "[fd00::200]:7"} {
		c, err := net.DialTimeout("tcp", a, time.Second)
		if err != nil {
			t.Errorf("the director itself does not reach %s: %v", a, err)
			continue
		}
		_ = c.Close()
	}
	netnstest.Run(t, "nft flush ruleset")
	wait(t, "somebody flushed all tables, and it is back", func() bool { return strings.Contains(tables(t), "fd00::200") })
	check("back", want)
	netnstest.Run(t, "nft add table inet other")
	refuse(t, l, "fd00::200")
	check("one is accepted again", map[string]bool{"10.9.0.200": true, "fd00::200": false})
	refuse(t, l)
	check("all are", map[string]bool{"10.9.0.200": true, "fd00::200": true})
	if got := tables(t); !strings.Contains(got, "table inet other") {
		t.Errorf("somebody else's table is gone: %s", got)
	}
}

func TestATableThatACrashHasLeftIsRemovedOrReplaced(t *testing.T) {
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("nft is not installed")
	}
	t.Cleanup(func() { netnstest.Run(t, "nft flush ruleset") })
	for name, want := range map[string][]string{"nothing is refused": nil, "an address is": {"10.9.0.200"}} {
		// The Link of a subtest ends with it, so none takes away what the next one makes.
		t.Run(name, func(t *testing.T) {
			netnstest.Run(t, "nft add table inet lvsd")
			netnstest.Run(t, "nft add chain inet lvsd left")
			refuse(t, open(t), want...)
			if got := tables(t); strings.Contains(got, "left") {
				t.Errorf("what was left is still there: %s", got)
			}
		})
	}
}
