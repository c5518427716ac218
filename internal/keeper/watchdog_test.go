package keeper

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/vrrp"
)

// A kennel is where a feeder finds watchdogs, with a record of what becomes of them.
type kennel struct {
	*feeder
	now     time.Time
	seen    []string
	busy    error // why none can be opened
	ill     error // why none can be fed
	stuck   error // why none can be stopped
	hanging bool  // the loop that keeps the adverts
}

func newKennel() *kennel {
	k := &kennel{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	open := func(w Watchdog) (dog, error) {
		if k.busy != nil {
			return nil, k.busy
		}
		k.note("opened %s", w.Device)
		return terrier{k, w.Timeout}, nil
	}
	k.feeder = newFeeder(open, func() bool { return !k.hanging }, func(e vrrp.Event) { k.note("%s", e.Code) })
	return k
}

func (k *kennel) note(format string, args ...string) {
	for _, a := range args {
		format = strings.Replace(format, "%s", a, 1)
	}
	k.seen = append(k.seen, format)
}

type terrier struct {
	k   *kennel
	has time.Duration
}

func (d terrier) timeout() time.Duration { return d.has }
func (d terrier) feed() error            { d.k.note("fed"); return d.k.ill }
func (d terrier) release() error         { d.k.note("released"); return d.k.stuck }

// pass lets some pulses pass, and expects what happens.
func (k *kennel) pass(t *testing.T, pulses int, want ...string) {
	t.Helper()
	for range pulses {
		k.turn(k.now)
		k.now = k.now.Add(pulse)
	}
	if diff := cmp.Diff(want, k.seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	k.seen = nil
}

var first, another = Watchdog{"/dev/watchdog", 30 * time.Second}, Watchdog{"/dev/watchdog1", 20 * time.Second}

func TestAWatchdogIsFedEachSecondUntilTheEnd(t *testing.T) {
	k := newKennel()
	k.pass(t, 2)
	k.want(first)
	k.pass(t, 3, "opened /dev/watchdog", "fed", "watchdog-fed", "fed", "fed")
	if want, got := (WatchdogStatus{Watchdog: first, Fed: true}), k.status(); got != want {
		t.Errorf("status %+v, want %+v", got, want)
	}
	k.want(another)
	k.pass(t, 2, "released", "watchdog-released", "opened /dev/watchdog1", "fed", "watchdog-fed", "fed")
	k.want(Watchdog{Timeout: 30 * time.Second})
	k.pass(t, 2, "released", "watchdog-released")
	if got := k.status(); got.Device != "" || got.Fed {
		t.Errorf("status %+v", got)
	}
}

// What is left of a loop that hangs must not keep the machine alive.
func TestAWatchdogIsNotFedWhileTheLoopHangs(t *testing.T) {
	k := newKennel()
	k.want(first)
	k.pass(t, 1, "opened /dev/watchdog", "fed", "watchdog-fed")
	k.hanging = true
	k.pass(t, 5, "watchdog-unfed")
	if got := k.status(); got.Fed || got.Why == "" {
		t.Errorf("status %+v", got)
	}
	k.hanging = false
	k.pass(t, 2, "fed", "watchdog-fed", "fed")
}

func TestAWatchdogThatIsBusyIsTriedAgain(t *testing.T) {
	k := newKennel()
	k.busy = errors.New("busy")
	k.want(first)
	k.pass(t, 25, "watchdog-unfed")
	if got := k.status(); got.Fed || got.Why != "busy" || got.Device != "/dev/watchdog" {
		t.Errorf("status %+v", got)
	}
	k.busy = nil
	k.pass(t, 10, "opened /dev/watchdog", "fed", "watchdog-fed", "fed", "fed", "fed", "fed")
}

func TestAWatchdogThatCannotBeFedIsOpenedAgain(t *testing.T) {
	k := newKennel()
	k.want(first)
	k.ill = errors.New("ill")
	k.pass(t, 9, "opened /dev/watchdog", "fed", "released", "watchdog-released", "watchdog-unfed")
	k.ill = nil
	k.pass(t, 2, "opened /dev/watchdog", "fed", "watchdog-fed")
}

func TestAWatchdogThatCannotBeStoppedIsToldOf(t *testing.T) {
	k := newKennel()
	k.want(first)
	k.pass(t, 1, "opened /dev/watchdog", "fed", "watchdog-fed")
	k.stuck = errors.New("stuck")
	k.want(Watchdog{})
	k.pass(t, 2, "released", "watchdog-unfed")
}

func TestTheEndReleasesTheWatchdog(t *testing.T) {
	k := newKennel()
	k.want(first)
	begun := make(chan struct{})
	close(begun)
	go k.run(begun)
	for !k.status().Fed {
		time.Sleep(time.Millisecond)
	}
	k.end(time.After(10 * time.Second))
	if got := strings.Join(k.seen, ", "); got != "opened /dev/watchdog, fed, watchdog-fed, released, watchdog-released" {
		t.Errorf("seen: %s", got)
	}
}

// Whatever the path leads to, nobody waits for it, and nothing is written to it.
func TestWhatIsNoWatchdog(t *testing.T) {
	file, fifo := filepath.Join(t.TempDir(), "file"), filepath.Join(t.TempDir(), "fifo")
	if err := errors.Join(os.WriteFile(file, []byte("text"), 0o600), exec.Command("mkfifo", fifo).Run()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file:                "it is no watchdog",
		fifo:                "opening it: no such device",
		"/dev/null":         "it is no watchdog",
		"/dev/watchdog-not": "modprobe softdog",
	} {
		if _, err := openWatchdog(Watchdog{path, 30 * time.Second}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "text" {
		t.Errorf("the file has %q now (%v)", text, err)
	}
}

// sysfs reads what the kernel says of its first watchdog.
func sysfs(t *testing.T, name string) string {
	text, err := os.ReadFile("/sys/class/watchdog/watchdog0/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// With soft_noboot, softdog only says that it would have reset the machine.
func TestTheKernelsOwnWatchdog(t *testing.T) {
	if os.Getenv("LVSD_LAB") != "qemu" {
		t.Skip("this may reset a machine, and is for one that is emulated: make smp")
	}
	if out, err := exec.Command("modprobe", "softdog", "soft_noboot=1").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	d, err := openWatchdog(Watchdog{"/dev/watchdog", 17 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if d.timeout() != 17*time.Second || sysfs(t, "timeout") != "17" || sysfs(t, "state") != "active" {
		t.Errorf("timeout %v, in the kernel %s, state %s", d.timeout(), sysfs(t, "timeout"), sysfs(t, "state"))
	}
	if err := d.feed(); err != nil {
		t.Error(err)
	}
	if _, err := openWatchdog(first); err == nil || !strings.Contains(err.Error(), "RuntimeWatchdogSec") {
		t.Errorf("while somebody has it: %v", err)
	}
	// A keeper that has crashed releases nothing.
	if err := unix.Close(d.(*device).fd); err != nil {
		t.Fatal(err)
	}
	if state := sysfs(t, "state"); state != "active" {
		t.Errorf("after it was closed: %s", state)
	}
	if d, err = openWatchdog(first); err != nil {
		t.Fatal(err)
	}
	if err := d.release(); err != nil || sysfs(t, "state") != "inactive" {
		t.Errorf("after it was released: %v, %s", err, sysfs(t, "state"))
	}
	if _, err := openWatchdog(Watchdog{"/dev/watchdog", 20 * time.Hour}); err == nil || !strings.Contains(err.Error(), "refuses a timeout of 20h0m0s, and has 30s") {
		t.Errorf("a timeout beyond what it can count: %v", err)
	}
	if state := sysfs(t, "state"); state != "inactive" {
		t.Errorf("after it refused a timeout: %s", state)
	}
}
