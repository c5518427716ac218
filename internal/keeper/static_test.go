package keeper_test

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/vrrp"
)

// What is static needs no virtual router, and the keeper runs on the processor that it was
// told, also one that has replaced another.
func TestAKeeperWithoutARouter(t *testing.T) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		t.Fatal(err)
	}
	first := 0
	for !set.IsSet(first) {
		first++
	}
	h := newNetwork(t).host()
	n := h.start(lockFile(t), fmt.Sprint(pinnedVar, "=", first))
	n.desire(vrrp.Desired{Static: vrrp.Holdings{Addresses: []vrrp.InterfaceAddress{{Interface: "eth0", Prefix: netip.MustParsePrefix("10.14.0.15/24")}}}})
	holds := func() bool {
		s := n.report().Static
		return s != nil && s.Held == 1 && h.holds("10.14.0.15")
	}
	wait(t, "the address is there", holds)
	pinned := func() bool {
		r := n.report()
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.PID))
		return fmt.Sprint(r.Affinity.Processors) == fmt.Sprintf("[%d]", first) && strings.Contains(string(status), fmt.Sprintf("Cpus_allowed_list:\t%d\n", first))
	}
	wait(t, "it is pinned", pinned)
	before := n.report().PID
	if err := unix.Kill(before, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wait(t, "another keeper is pinned, and has adopted the address", func() bool { return n.report().PID != before && pinned() && holds() })
	n.stop()
	if h.holds("10.14.0.15") {
		t.Error("the address is left after a proper stop")
	}
}
