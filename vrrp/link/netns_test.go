package link_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
)

func TestMain(m *testing.M) { netnstest.Main(m) }

// ip runs an ip command.
func ip(t *testing.T, args string) string {
	t.Helper()
	return netnstest.Run(t, "ip "+args)
}

// cable makes a pair of connected interfaces that are up, without duplicate
// address detection so that tests need not wait for it.
func cable(t *testing.T, a, b string) {
	t.Helper()
	ip(t, "link add "+a+" type veth peer name "+b)
	for _, name := range []string{a, b} {
		sysctl(t, "net/ipv6/conf/"+name+"/accept_dad", "0")
		sysctl(t, "net/ipv4/conf/"+name+"/accept_local", "1")
		sysctl(t, "net/ipv4/conf/"+name+"/rp_filter", "0")
		ip(t, "link set "+name+" up")
	}
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", a).Run() })
	// Before the kernel has seen the carrier, it drops what is sent.
	wait(t, "both ends have a carrier", func() bool {
		return strings.Count(ip(t, "link show "+a)+ip(t, "link show "+b), "state UP") == 2
	})
}

// sysctl sets a parameter of the kernel until the test ends, as t.Setenv does.
func sysctl(t *testing.T, name, value string) {
	t.Helper()
	former, err := os.ReadFile("/proc/sys/" + name)
	if err == nil {
		err = os.WriteFile("/proc/sys/"+name, []byte(value), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.WriteFile("/proc/sys/"+name, former, 0) }) // It fails if the interface is gone.
}

// host makes a namespace with one end of a cable in it.
func host(t *testing.T, end string) *netnstest.Host {
	t.Helper()
	h := netnstest.NewHost(t)
	ip(t, "link set "+end+" netns "+h.PID)
	h.Run("ip link set " + end + " up")
	return h
}

// open returns a Link that runs until the test ends.
func open(t *testing.T, ports ...vrrp.Port) *link.Link {
	t.Helper()
	l, err := link.Open()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	wanted := make(map[vrrp.Port][]vrrp.Identity)
	for _, p := range ports {
		wanted[p] = nil
	}
	l.Listen(wanted)
	wait(t, "the sockets are open", func() bool {
		for _, p := range ports {
			if why, ok := l.Interfaces().Ports[p]; !ok || why != "" {
				return false
			}
		}
		return l.Interfaces().ByName != nil
	})
	return l
}

// patience is for a machine that has much else to do.
const patience = 30 * time.Second

// wait polls until what is told is true.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
