package machine

import (
	"net/netip"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestWaysAndWhatIsHeardOnThem in a network namespace of the test's own, with two interfaces.
func TestWaysAndWhatIsHeardOnThem(t *testing.T) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs a network namespace: %v", err)
	}
	for line := range strings.Lines(`link add outside type veth peer name far
link add inside.7 type veth peer name farther
addr add 10.13.0.200/24 dev outside
addr add 192.168.1.15/24 dev inside.7
addr add 192.168.1.200/32 dev inside.7
link set lo up
link set outside up
link set far up
link set inside.7 up
link set farther up`) {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Skipf("ip %s: %v: %s", line, err, out)
		}
	}
	server, outside, inside, elsewhere := netip.MustParseAddr("192.168.1.4"), netip.MustParseAddr("10.13.0.200"), netip.MustParseAddr("192.168.1.200"), netip.MustParseAddr("192.0.2.1")
	f, err := Read(server, outside, elsewhere)
	if err != nil || len(f.Outgoing) != 1 || f.Outgoing[server] != "inside.7" {
		t.Errorf("ways %v, %v; want that to %v alone, by inside.7", f.Outgoing, err, server)
	}
	if value, known := f.Settings["net.ipv4.conf.inside/7.accept_local"]; !known || value != "0" {
		t.Errorf("settings %v", f.Settings)
	}
	for _, tt := range []struct {
		name              string
		virtual           netip.Addr
		accept, rp, ofAll string
		want              string
	}{
		{"the address is elsewhere", elsewhere, "0", "1", "1", ""},
		{"nothing is accepted", outside, "0", "0", "0", "since net.ipv4.conf.inside/7.accept_local is 0"},
		{"it is accepted", outside, "1", "0", "0", ""},
		{"but not from another interface", outside, "1", "1", "0", "on another interface"},
		{"nor if all are strict", outside, "1", "0", "1", "on another interface"},
		{"it is accepted from the same one", inside, "1", "1", "0", ""},
		{"a loose filter", outside, "1", "2", "1", ""},
		{"IPv6", netip.MustParseAddr("2001:db8::200"), "0", "1", "1", ""},
	} {
		for s, value := range map[Setting]string{AcceptLocal("inside.7"): tt.accept, RPFilter("inside.7"): tt.rp, RPFilter("all"): tt.ofAll} {
			if err := s.Set(value); err != nil {
				t.Fatal(err)
			}
		}
		switch err := Deaf(tt.virtual, server); {
		case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
