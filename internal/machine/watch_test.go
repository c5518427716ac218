package machine

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestAnAddressThatComesIsTold in a network namespace of the test's own.
func TestAnAddressThatComesIsTold(t *testing.T) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs a network namespace: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	changes, err := Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	told := func(wait time.Duration) bool {
		select {
		case <-changes:
			return true
		case <-time.After(wait):
			return false
		}
	}
	if told(2 * changesApart) {
		t.Error("told of a change before any")
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	began, n := time.Now(), 0
	for i := range 200 {
		addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		if err := netlink.AddrAdd(lo, &netlink.Addr{IPNet: &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(32, 32)}}); err != nil {
			t.Fatal(err)
		}
		if told(0) {
			n++
		}
	}
	for told(3 * changesApart) {
		n++
	}
	if most := 2 + int(time.Since(began)/changesApart); n == 0 || n > most {
		t.Errorf("told %d times of 200 addresses, want 1 to %d", n, most)
	}
	cancel()
	if told(2 * changesApart) {
		t.Error("told of a change after the end")
	}
}

// "With 1,000 addresses that are leased, the director reads all addresses each second."
func TestALeaseThatBeginsAnewIsNotTold(t *testing.T) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs a network namespace: %v", err)
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		t.Fatal(err)
	}
	changes, err := Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := func(do func(netlink.Link, *netlink.Addr) error, seconds int) {
		for _, text := range []string{"192.0.2.1/32", "2001:db8::1/128"} {
			p := netip.MustParsePrefix(text)
			addr := &netlink.Addr{IPNet: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Bits())},
				ValidLft: seconds, PreferedLft: seconds, Flags: unix.IFA_F_NODAD | unix.IFA_F_NOPREFIXROUTE}
			if err := do(lo, addr); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, step := range []struct {
		what string
		do   func()
		want bool
	}{
		{"the addresses come", func() { all(netlink.AddrAdd, 60) }, true},
		{"their leases begin anew", func() { all(netlink.AddrReplace, 90) }, false},
		{"they go", func() { all(netlink.AddrDel, 0) }, true},
	} {
		step.do()
		time.Sleep(2 * changesApart) // Both have been told, and the kernel's clock of lifetimes goes on by hundredths.
		told := false
		select {
		case <-changes:
			told = true
		default:
		}
		if told != step.want {
			t.Errorf("%s: told %v, want %v", step.what, told, step.want)
		}
		time.Sleep(changesApart)
	}
}
