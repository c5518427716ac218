package filter_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/netlinktest"
	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/filter"
)

// Whatever goes wrong between lvsd and the kernel, and at whichever exchange, either it is
// told with its kind, or the rules are what was wanted; the next pass makes them so, and a
// table of somebody else's stays.
func TestFaults(t *testing.T) {
	needsNft(t)
	netnstest.Run(t, "nft add table inet other")
	for _, f := range netlinktest.Faults {
		t.Run(f.Name, func(t *testing.T) {
			wire := netlinktest.New(t)
			var edge filter.Filter
			edge.DialBy(func() func([]netlink.Message) ([]netlink.Message, error) {
				return wire.Func(t, unix.NETLINK_NETFILTER)
			})
			t.Cleanup(func() { replace(t, &edge, nil) })
			for n, want := range []ipvsctl.Ruleset{plainRules(1), plainRules(3), nil} {
				wire.Arm(f, n)
				err := edge.Replace(want)
				told(t, err)
				intact, lerr := edge.Intact()
				told(t, lerr)
				for !wire.Struck() {
					_, lerr = edge.Intact()
					told(t, lerr)
				}
				marks(t, want, intact && err == nil)
				if err := edge.Replace(want); err != nil {
					t.Fatalf("step %d: the next pass: %v", n, err)
				}
				if is, err := edge.Intact(); err != nil || is != (len(want) > 0) {
					t.Errorf("step %d: after the next pass intact is %v: %v", n, is, err)
				}
				marks(t, want, true)
			}
		})
	}
	if tables := netnstest.Run(t, "nft list tables"); strings.TrimSpace(tables) != "table inet other" {
		t.Errorf("the tables at the end are\n%s", tables)
	}
}

// told checks that an error says what kind it is of.
func told(t *testing.T, err error) {
	t.Helper()
	var known interface{ FaultKind() string }
	if err != nil && !errors.As(err, &known) {
		t.Errorf("%v is of no kind", err)
	}
}

// marks checks how many services have a mark, where that is certain.
func marks(t *testing.T, want ipvsctl.Ruleset, certain bool) {
	t.Helper()
	list, got := netnstest.Run(t, "nft list ruleset"), 0
	for _, m := range plainRules(8) {
		got += strings.Count(list, fmt.Sprintf(" : 0x%08x", m.Mark))
	}
	if certain && got != len(want) {
		t.Errorf("%d marks, want %d", got, len(want))
	}
}

// plainRules mark packets of n services, and need no NAT.
func plainRules(n int) (all ipvsctl.Ruleset) {
	for i := range n {
		a := netip.AddrFrom4([4]byte{10, 13, byte(i >> 8), byte(i)})
		all = append(all, ipvsctl.Marking{Service: fmt.Sprint("service ", i), Mark: uint32(i + 1),
			Selection: ipvsctl.Select([]ipvsctl.AddressRange{{First: a, Last: a}}, []ipvsctl.Protocol{ipvsctl.TCP}, ports(80, 80))})
	}
	return all
}

func needsNft(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("nft", "list", "ruleset").CombinedOutput(); err != nil {
		t.Skipf("nft is not installed, or this kernel has no nftables: %v: %s", err, out)
	}
}

// A kernel before Linux 5.6 refuses a map of ranges: a service with ranges has a rule then.
func TestAKernelWithoutMapsOfRanges(t *testing.T) {
	needsNft(t)
	wire := netlinktest.New(t)
	var f filter.Filter
	f.DialBy(func() func([]netlink.Message) ([]netlink.Message, error) { return wire.Func(t, unix.NETLINK_NETFILTER) })
	t.Cleanup(func() { replace(t, &f, nil) })
	wire.Arm(netlinktest.Fault{Name: "no such map", Refusal: unix.EINVAL}, 0)
	replace(t, &f, append(plainRules(1), ipvsctl.Marking{Service: "rtp", Mark: 7,
		Selection: ipvsctl.Select(addresses("10.13.0.201", "10.13.0.210-10.13.0.219"), []ipvsctl.Protocol{ipvsctl.UDP, ipvsctl.TCP}, ports(5060, 5061, 16384, 65535))}))
	intact(t, &f, true, "after it was made")
	got := netnstest.Run(t, "nft list table inet lvsd-services")
	for _, want := range []string{
		`ip daddr { 10.13.0.201, 10.13.0.210-10.13.0.219 } meta l4proto { tcp, udp } th dport { 5060-5061, 16384-65535 } meta mark set 0x00000007 comment "rtp"`,
		`map { 10.13.0.0 . tcp . 80 comment "service 0" : 0x00000001 }`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the table lacks %s:\n%s", want, got)
		}
	}
}

// The kernel answers each rule, and all answers together before the first is read.
func TestAsManyRulesAsThereAreServices(t *testing.T) {
	needsNft(t)
	var f filter.Filter
	t.Cleanup(func() { replace(t, &f, nil) })
	replace(t, &f, plainRules(1000))
	intact(t, &f, true, "after it was made")
}
