package machine

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestASettingIsSet in a network namespace of the test's own.
func TestASettingIsSet(t *testing.T) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs a network namespace: %v", err)
	}
	const forward Setting = "net.ipv4.ip_forward"
	for _, want := range []string{"1", "0"} {
		if err := forward.Set(want); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(forward.path()); err != nil || string(text) != want+"\n" {
			t.Errorf("set to %s, and it is %q: %v", want, text, err)
		}
	}
	const want = "open /proc/sys/net/ipv4/no_such: "
	if err := Setting("net.ipv4.no_such").Set("1"); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s…", err, want)
	}
}
