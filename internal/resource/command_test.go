package resource

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/spawn"
)

const mounts = `22 27 0:21 / /proc rw,nosuid shared:13 - proc proc rw
35 27 8:1 / /srv/my\040data rw,relatime shared:1 - ext4 /dev/sda1 rw
cut
`

func TestWhatIsMounted(t *testing.T) {
	for directory, want := range map[string]bool{"/proc": true, "/srv/my data": true, "/srv": false, "/srv/my": false, "/": false} {
		if got, err := isMounted(strings.NewReader(mounts), directory); got != want || err != nil {
			t.Errorf("%s: %v, %v", directory, got, err)
		}
	}
	if r := mounted("/proc"); !r.OK || !r.Runs {
		t.Errorf("/proc: %+v", r)
	}
	if r := mounted("/etc/hosts.d"); !r.OK || r.Runs {
		t.Errorf("nothing: %+v", r)
	}
}

func TestHowAProgramEndsAndWhatThatMeans(t *testing.T) {
	for _, c := range []struct {
		a    Action
		o    spawn.Outcome
		err  error
		want Result
	}{
		{Look, spawn.Outcome{}, nil, Result{OK: true, Runs: true}},
		{Look, spawn.Outcome{Status: 3}, nil, Result{OK: true}},
		{Look, spawn.Outcome{TimedOut: true}, nil, Result{}},
		{Look, spawn.Outcome{Signal: syscall.SIGKILL}, nil, Result{}},
		{Look, spawn.Outcome{}, errors.New("/x does not exist"), Result{Text: "/x does not exist"}},
		{Start, spawn.Outcome{}, nil, Result{OK: true}},
		{Start, spawn.Outcome{Status: 32, Output: []byte("mount: \x1b[1m/dev/sdb: no such device\nmore")}, nil, Result{Text: `exited with status 32: mount: \x1b[1m/dev/sdb: no such device`}},
		{Stop, spawn.Outcome{TimedOut: true, Took: time.Second}, nil, Result{Text: "was ended after 1s, which is its timeout"}},
	} {
		if got := outcome(c.a, c.o, c.err); got != c.want {
			t.Errorf("%s %+v %v: %+v, want %+v", c.a, c.o, c.err, got, c.want)
		}
	}
}

// lvsd's unit has a file system of its own, in which nobody sees a mount.
func TestSystemdMountsWhereItIsThere(t *testing.T) {
	r := config.Resource{Kind: "mount", Name: "/srv", Directory: "/srv", Start: []string{"/bin/mount", "/dev/sdb", "/srv"}, Stop: []string{"/bin/umount", "/srv"}, User: "root", Timeout: time.Second}
	if c := command(Start, r, false); !slices.Equal(c.Args, r.Start) || c.User != "root" || c.Timeout != time.Second {
		t.Errorf("%+v", c)
	}
	if c := command(Stop, r, true); c.Args[0] != "/usr/bin/systemd-run" || !slices.Equal(c.Args[len(c.Args)-2:], r.Stop) {
		t.Errorf("%q", c.Args)
	}
	r = config.Resource{Kind: "systemd", Name: "nginx.service", Start: []string{"/bin/systemctl", "start", "nginx.service"}}
	if c := command(Start, r, true); !slices.Equal(c.Args, r.Start) {
		t.Errorf("%q", c.Args)
	}
}
