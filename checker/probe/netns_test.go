package probe

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A netns is a network namespace without a name, held by one thread: it is
// gone when its test ends, however that ends.
type netns struct {
	tid  int
	work chan func()
}

// newNetns returns a namespace with a loopback interface; the test is skipped
// where it may not make one.
func newNetns(t *testing.T) *netns {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for a network namespace")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip from iproute2")
	}
	n := &netns{work: make(chan func())}
	ready := make(chan error)
	go func() {
		// Never unlocked: the thread ends with this goroutine, and the
		// namespace with the thread.
		runtime.LockOSThread()
		n.tid = unix.Gettid()
		ready <- unix.Unshare(unix.CLONE_NEWNET)
		for f := range n.work {
			f()
		}
	}()
	if err := <-ready; err != nil {
		t.Skipf("no network namespace here: %v", err)
	}
	t.Cleanup(func() { close(n.work) })
	n.ip(t, "link set lo up")
	return n
}

// do runs f on the namespace's thread.
func (n *netns) do(f func()) {
	done := make(chan struct{})
	n.work <- func() {
		defer close(done)
		f()
	}
	<-done
}

// ip runs ip(8) in the namespace, one command a line.
func (n *netns) ip(t *testing.T, commands string) {
	t.Helper()
	for line := range strings.Lines(commands) {
		var out []byte
		var err error
		n.do(func() { out, err = exec.Command("ip", strings.Fields(line)...).CombinedOutput() })
		if err != nil {
			t.Fatalf("ip %s: %v: %s", strings.TrimSpace(line), err, out)
		}
	}
}

// sysctl sets a value of the namespace's network.
func (n *netns) sysctl(t *testing.T, name, value string) {
	t.Helper()
	var err error
	n.do(func() { err = os.WriteFile("/proc/sys/"+name, []byte(value), 0) })
	if err != nil {
		t.Fatal(err)
	}
}

// newLAN returns a director, 10.99.0.1, and a server, 10.99.0.2, on one
// network; their IPv6 addresses are fd99::1 and fd99::2.
func newLAN(t *testing.T) (director, server *netns) {
	t.Helper()
	director, server = newNetns(t), newNetns(t)
	director.ip(t, fmt.Sprintf("link add eth0 type veth peer name eth0 netns %d", server.tid))
	for i, n := range []*netns{director, server} {
		n.ip(t, fmt.Sprintf(`addr add 10.99.0.%[1]d/24 dev eth0
addr add fd99::%[1]d/64 dev eth0 nodad
link set eth0 up`, i+1))
		// Nobody answers for an address after 3 tries of 500 ms, not 1 s.
		n.sysctl(t, "net/ipv4/neigh/eth0/retrans_time_ms", "500")
		n.sysctl(t, "net/ipv6/neigh/eth0/retrans_time_ms", "500")
	}
	// A new link takes up to a second until it speaks IPv6.
	var err error
	for range 50 {
		director.do(func() { _, err = dial(t.Context(), netip.MustParseAddrPort("[fd99::2]:9"), true) })
		if errors.Is(err, unix.ECONNREFUSED) {
			return director, server
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("the network of the test does not work: %v", err)
	return nil, nil
}
