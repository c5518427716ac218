package resource_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/resource"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

// roleVar is what this binary is to be, if not the tests in the machine's own view of its
// file systems.
const roleVar = "LVSD_TEST_ROLE"

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "spawn":
		if err := spawn.Main(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case os.Getenv(roleVar) != "" || os.Geteuid() != 0:
		os.Exit(m.Run())
	}
	// What is mounted here is seen by nobody else, and ends with this process.
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), roleVar+"=tests")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A director has a Runner, and a directory in which its commands note what they do.
type director struct {
	t *testing.T
	*resource.Runner
	dir     string
	answers chan vrrp.Answer

	mu     sync.Mutex
	events []string
}

func newDirector(t *testing.T, dir string, resources ...config.Resource) *director {
	d := &director{t: t, dir: dir, answers: make(chan vrrp.Answer, 9)}
	d.Runner = resource.NewRunner(spawn.New("/proc/self/exe", "spawn"), func(a vrrp.Answer) { d.answers <- a }, func(e event.Event) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.events = append(d.events, e.Code)
	})
	d.Configure([]vrrp.Config{{Name: "web"}}, resources)
	return d
}

// command is a resource that notes what is done, and runs while a file of its name exists.
func command(dir, name string) config.Resource {
	do := func(what string) []string {
		return []string{"/bin/sh", "-c", fmt.Sprintf("echo %s %s >>%s/log; %s", what, name, dir, map[string]string{
			"start": "touch " + dir + "/" + name, "stop": "rm -f " + dir + "/" + name, "status": "test -e " + dir + "/" + name}[what])}
	}
	return config.Resource{Owner: config.Owner{Router: "web"}, Kind: "command", Name: name, Start: do("start"), Stop: do("stop"), Status: do("status"), Timeout: 10 * time.Second}
}

// tmpfs is a mount.
func tmpfs(dir string) config.Resource {
	return config.Resource{Owner: config.Owner{Router: "web"}, Kind: "mount", Name: dir, Directory: dir, User: "root", Timeout: 10 * time.Second,
		Start: []string{"/bin/mount", "-t", "tmpfs", "-o", "size=4k,noexec", "--", "lvsd", dir}, Stop: []string{"/bin/umount", "--", dir}}
}

func (d *director) hear(s vrrp.Status) {
	s.Name = "web"
	d.Take([]*vrrp.Status{new(s)}, nil)
}

// until waits for all resources to be in a state.
func (d *director) until(want api.ResourceState) {
	d.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		routers, _ := d.Statuses()
		if !slices.ContainsFunc(routers["web"], func(r api.Resource) bool { return r.State != want }) {
			return
		}
		if time.Now().After(end) {
			d.t.Fatalf("they are not %s: %+v", want, routers["web"])
		}
	}
}

// done are the commands that have run since it was asked last.
func (d *director) done() string {
	text, _ := os.ReadFile(d.dir + "/log")
	_ = os.Remove(d.dir + "/log")
	return strings.Join(strings.Split(strings.TrimSpace(string(text)), "\n"), ", ")
}

func isMounted(t *testing.T, dir string) bool {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), " "+dir+" ")
}

// "A mount, and two programs on it", with real programs and a real mount.
func TestADirectorWithAMountAndPrograms(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root")
	}
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	all := []config.Resource{tmpfs(disk), command(dir, "database"), command(dir, "web")}
	d := newDirector(t, dir, all...)
	d.hear(vrrp.Status{State: vrrp.Master})
	d.until(api.ResourceRunning)
	if got, want := d.done(), "status database, start database, status web, start web"; got != want || !isMounted(t, disk) {
		t.Errorf("as Master: %s, mounted %v", got, isMounted(t, disk))
	}

	// It crashes, and what is started then finds all that runs.
	d = newDirector(t, dir, all...)
	d.hear(vrrp.Status{State: vrrp.Backup})
	d.hear(vrrp.Status{State: vrrp.Master})
	d.until(api.ResourceRunning)
	if got, want := d.done(), "status database, status web"; got != want {
		t.Errorf("after a crash: %s", got)
	}

	d.hear(vrrp.Status{State: vrrp.Master, Question: vrrp.Question{Number: 7, Step: vrrp.Leave}})
	if a := <-d.answers; !a.OK || a.Number != 7 || a.Router != "web" || isMounted(t, disk) {
		t.Errorf("answer %+v, mounted %v", a, isMounted(t, disk))
	}
	if got, want := d.done(), "stop web, stop database"; got != want {
		t.Errorf("before it leaves: %s", got)
	}
	d.Finish(t.Context())
}

func TestAMountThatCannotBeMade(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root")
	}
	dir := t.TempDir()
	d := newDirector(t, dir, command(dir, "first"), tmpfs(filepath.Join(dir, "absent")))
	d.hear(vrrp.Status{State: vrrp.Master})
	<-d.Changed()
	why := d.Barred()[config.Owner{Router: "web"}.ResourceCondition()]
	if !strings.Contains(why, `resource "mount"`) || !strings.Contains(why, "could not be started: exited with status") {
		t.Errorf("barred: %q", why)
	}
	d.until(api.ResourceStopped)
	if got, want := d.done(), "status first, start first, stop first"; got != want {
		t.Errorf("done: %s, want %s", got, want)
	}
	d.Finish(t.Context())
}

// programs take a second, or until they are ended.
type programs struct {
	mu   sync.Mutex
	told []string
}

func (p *programs) Run(ctx context.Context, c spawn.Command) (o spawn.Outcome, err error) {
	select {
	case <-time.After(time.Duration(len(c.Args)) * time.Second):
	case <-ctx.Done():
		o.Canceled = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, c.Args[0])
	return o, nil
}

func TestTheEndWaitsForWhatIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &programs{}
		r := resource.NewRunner(p, func(vrrp.Answer) {}, func(event.Event) {})
		r.Configure([]vrrp.Config{{Name: "web"}}, []config.Resource{{Owner: config.Owner{Router: "web"}, Kind: "command", Name: "x", Start: []string{"start"}, Stop: []string{"stop"}}})
		r.Take([]*vrrp.Status{{Name: "web", State: vrrp.Master}}, nil)
		began := time.Now()
		r.Finish(t.Context())
		if want := []string{"start", "stop"}; !slices.Equal(p.told, want) || time.Since(began) != 2*time.Second {
			t.Errorf("told %q in %v, want %q", p.told, time.Since(began), want)
		}
	})
}

func TestTheEndDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &programs{}
		var events []string
		r := resource.NewRunner(p, func(vrrp.Answer) {}, func(e event.Event) { events = append(events, e.Code) })
		r.Configure([]vrrp.Config{{Name: "web"}}, []config.Resource{{Owner: config.Owner{Router: "web"}, Kind: "command", Name: "x", Start: make([]string, 100), Stop: []string{"stop"}}})
		r.Take([]*vrrp.Status{{Name: "web", State: vrrp.Master}}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		began := time.Now()
		r.Finish(ctx)
		if time.Since(began) != 30*time.Second || !slices.Contains(events, "resources-cut-short") {
			t.Errorf("it took %v, events %q", time.Since(began), events)
		}
	})
}

// What could not be stopped is tried again without anything else happening.
func TestWhatIsStuckIsTriedAgainByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &failing{}
		r := resource.NewRunner(p, func(vrrp.Answer) {}, func(event.Event) {})
		r.Configure([]vrrp.Config{{Name: "web"}}, []config.Resource{{Owner: config.Owner{Router: "web"}, Kind: "command", Name: "x", Start: []string{"start"}, Stop: []string{"stop"}}})
		for _, s := range []vrrp.State{vrrp.Master, vrrp.Backup} {
			r.Take([]*vrrp.Status{{Name: "web", State: s}}, nil)
			synctest.Wait()
		}
		time.Sleep(65 * time.Second)
		synctest.Wait()
		if p.stops != 3 {
			t.Errorf("it was stopped %d times in 65 s", p.stops)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r.Finish(ctx)
	})
}

// failing fails to stop anything.
type failing struct{ stops int }

func (p *failing) Run(_ context.Context, c spawn.Command) (o spawn.Outcome, err error) {
	if c.Args[0] == "stop" {
		p.stops++
		o.Status = 1
	}
	return o, nil
}
