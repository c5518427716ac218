package keeper_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/keeper"
	"github.com/lvsd/lvsd/vrrp"
)

// Decision 10: what the process is.
func TestKeeperProcess(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := n.host().start(lockFile(t))
	a.desire(n.router(150))
	wait(t, "it is Master", func() bool { return a.state() == vrrp.Master })
	r := a.report()
	if !r.Process.Realtime || !r.Process.Locked {
		t.Skipf("this system does not allow it: %s", r.Process.Why)
	}
	if group, err := syscall.Getpgid(r.PID); err != nil || group != r.PID {
		t.Errorf("its process group is %d (%v), want its own, %d", group, err, r.PID)
	}
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", r.PID))
	if err != nil || len(stats) < 3 {
		t.Fatalf("%d threads: %v", len(stats), err)
	}
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // The thread has ended.
		}
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
		if policy := fields[38]; policy != "2" { // SCHED_RR; field 41 of proc_pid_stat(5).
			t.Errorf("%s: scheduling policy %s", path, policy)
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.PID))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(status); !strings.Contains(text, "Name:\tlvsd-keeper") || strings.Contains(text, "VmLck:\t       0 kB") {
		t.Errorf("name or locked memory:\n%s", text)
	}
}

func TestSignalsToTheKeeper(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	first := a.report().PID
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if err := syscall.Kill(first, s); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(200 * time.Millisecond)
	if ended(first) || a.state() != vrrp.Master {
		t.Fatal("SIGINT or SIGHUP did something")
	}
	if err := syscall.Kill(first, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wait(t, "SIGTERM hands over", func() bool { return b.report().Statuses[0].Counters.PriorityZeroReceived == 1 && b.holds(a.at(200)) })
	wait(t, "it is started again", func() bool { r := a.report(); return r.PID != 0 && r.PID != first && a.state() == vrrp.Master })
}

// without runs a director without some capabilities, and with little memory to
// lock.
func without(t *testing.T, capabilities string) []string {
	t.Helper()
	for _, program := range []string{"setpriv", "prlimit"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("it takes %s (util-linux): %v", program, err)
		}
	}
	return []string{"prlimit", "--memlock=65536", "setpriv", "--bounding-set", capabilities}
}

func TestKeeperThatIsNotGrantedWhatItAsksForWarnsOnce(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := n.host().startUnder(without(t, "-sys_nice,-ipc_lock"), lockFile(t))
	a.desire(n.router(150))
	wait(t, "it is Master nevertheless", func() bool { return a.state() == vrrp.Master })
	if p := a.report().Process; p.Realtime || p.Locked {
		t.Errorf("it was granted what it was to be refused: %+v", p)
	}
	if told := a.told("level=WARN", "SCHED_RR was refused", "its memory may be paged out"); told != 1 || a.told("the keeper is running") != 1 {
		t.Errorf("%d lines tell what is missing, want 1", told)
	}
}

func TestRouterThatCannotStartIsInTheLog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want   string
		capabilities string
		change       func(*vrrp.Config)
	}{
		{"an interface that is missing", "interface eth7 does not exist", "+all", func(c *vrrp.Config) { c.Interface = "eth7" }},
		{"without CAP_NET_RAW", "no VRRP socket on eth0: opening a raw socket (CAP_NET_RAW is needed): operation not permitted", "-net_raw", func(*vrrp.Config) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			a := n.host().startUnder(without(t, c.capabilities), lockFile(t))
			a.desire(n.router(150, c.change))
			wait(t, "the log tells", func() bool { return a.told("level=WARN", "cannot start: "+c.want, "router=outside") > 0 })
			wait(t, "so does the status", func() bool {
				s := a.report().Statuses
				return len(s) == 1 && s[0].Fault == c.want
			})
			time.Sleep(1500 * time.Millisecond) // The socket is tried again every second.
			if told := a.told("cannot start"); told != 1 {
				t.Errorf("told %d times", told)
			}
		})
	}
}

// A keeper that waits for the one before it still shows that it is alive.
func TestKeeperThatWaitsIsAlive(t *testing.T) {
	t.Parallel()
	lock := lockFile(t)
	f, err := os.Create(lock)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	n := newNetwork(t)
	a := n.host().start(lock)
	a.desire(n.router(150))
	// It goes on without the lock after six seconds.
	if took := wait(t, "it tells", func() bool { return a.told("the keeper is running") == 1 }); took > 4*time.Second {
		t.Errorf("it told nothing for %s", took)
	}
	if s := a.report().Statuses; len(s) != 0 {
		t.Errorf("it runs routers before it has the lock: %+v", s)
	}
	_ = f.Close()
	wait(t, "it is Master when the other has ended", func() bool { return a.state() == vrrp.Master })
}

// start starts a client of a command that is no keeper.
func start(t *testing.T, command ...string) (*keeper.Client, func() string) {
	t.Helper()
	var mu sync.Mutex
	var log strings.Builder
	events := event.Log(slog.New(slog.NewTextHandler(lines(func(s string) { mu.Lock(); log.WriteString(s); mu.Unlock() }), nil)))
	c := keeper.Start(t.Context(), events, func([]*vrrp.Status, []vrrp.Event) {}, command[0], command[1:]...)
	return c, func() string { mu.Lock(); defer mu.Unlock(); return log.String() }
}

func TestKeeperThatKeepsDying(t *testing.T) {
	t.Parallel()
	c, log := start(t, "/bin/sh", "-c", "echo boom >&2; exit 3")
	n := &network{t: t}
	c.Set(n.router(150))
	time.Sleep(time.Second) // At once, then after 0.1, 0.2 and 0.4 s.
	restarts := c.Status().Restarts
	if restarts < 2 || restarts > 4 {
		t.Errorf("started again %d times in a second, want 3 or 4", restarts)
	}
	if text := log(); !strings.Contains(text, "exit status 3: boom") {
		t.Errorf("the log does not tell what it said:\n%s", text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := c.Stop(ctx); err != nil {
		t.Errorf("stopping: %v", err)
	}
}

func TestTheLogSaysHowTheKeeperHasEnded(t *testing.T) {
	for _, tt := range []struct{ name, script, want string }{
		{"by itself", "exit 0", `restarted at once" event=keeper-ended why="it ended by itself, without an error`},
		{"by itself, with last words", "echo bye >&2; exit 0", `somebody may have sent it SIGTERM: bye`},
		{"with a status", "exit 3", `restarted at once" event=keeper-ended why="exit status 3" lived=`},
		{"by a signal", "kill -9 $$", `restarted at once" event=keeper-ended why="signal: killed" lived=`},
		{"after it had lost the director", `echo '{"events":[{"code":"director-lost"}]}' >&3`, `keeper-ended why="it handed over, because lvsd did not respond for 10s" lived=`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, log := start(t, "/bin/sh", "-c", tt.script)
			n := &network{t: t}
			c.Set(n.router(150))
			wait(t, "the end is told", func() bool { return strings.Contains(log(), tt.want) })
			wait(t, "the next one is told with its pause", func() bool { return strings.Contains(log(), "after a pause") && strings.Contains(log(), "pause=100ms") })
			if text := log(); strings.Contains(text, "nil") || strings.Contains(text, "pause=0s") {
				t.Errorf("the log speaks of what is not:\n%s", text)
			}
		})
	}
}

// One line, and not that it was killed after one that says that it has ended.
func TestTheLogSaysThatTheKeeperHung(t *testing.T) {
	t.Parallel()
	c, log := start(t, "/bin/sleep", "60")
	n := &network{t: t}
	c.Set(n.router(150))
	wait(t, "it is killed", func() bool { return strings.Contains(log(), "keeper-ended") })
	if text := log(); !strings.Contains(text, `why="it showed no sign of life for 10s and was killed"`) || strings.Count(text, "\n") != 1 {
		t.Errorf("the log says:\n%s", text)
	}
	wait(t, "the next one runs", func() bool { return c.Status().PID != 0 })
	if s := c.Status(); s.Restarts != 1 || time.Since(s.Restarted) > 5*time.Second {
		t.Errorf("status %+v", s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_ = c.Stop(ctx)
	_ = syscall.Kill(c.Status().PID, syscall.SIGKILL)
}

func TestCommandThatIsNotThere(t *testing.T) {
	t.Parallel()
	c, log := start(t, "/nowhere/lvsd")
	n := &network{t: t}
	c.Set(n.router(150))
	wait(t, "the log tells", func() bool {
		return strings.Contains(log(), "starting the keeper: fork/exec /nowhere/lvsd: no such file or directory")
	})
	wait(t, "what could not be started counts", func() bool { return c.Status().Restarts > 0 })
}

// Where memory ran out the kernel ended the keeper, again and again, and not the
// director.
func TestTheKernelEndsTheDirectorBeforeTheKeeper(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := n.host().start(lockFile(t))
	a.desire(n.router(150))
	wait(t, "it is Master", func() bool { return a.state() == vrrp.Master })
	own, director, keeper := oomPoints(t, os.Getpid()), oomPoints(t, a.cmd.Process.Pid), oomPoints(t, a.report().PID)
	if director != own+100 || keeper != own {
		t.Errorf("the director has %d points, and the keeper %d; want %d and %d", director, keeper, own+100, own)
	}
}

func oomPoints(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid))
	if err != nil {
		t.Fatal(err)
	}
	points, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return points
}

func TestNoRouterNoProcess(t *testing.T) {
	t.Parallel()
	c, log := start(t, "/bin/false")
	c.Heartbeat()
	c.Set(vrrp.Desired{})
	time.Sleep(50 * time.Millisecond)
	if s := c.Status(); !reflect.DeepEqual(s, keeper.Status{}) || log() != "" {
		t.Errorf("status %+v, log %q", s, log())
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Errorf("stopping what never ran: %v", err)
	}
}

// A keeper that reads nothing and says nothing: nobody waits for it.
func TestDeafKeeper(t *testing.T) {
	t.Parallel()
	c, _ := start(t, "/bin/sleep", "60")
	n := &network{t: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2000 {
			c.Set(n.router(150))
			c.Heartbeat()
			time.Sleep(100 * time.Microsecond)
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Minute): // 2000 short pauses last 5 s on a busy machine
		t.Fatal("Set or Heartbeat waits for the keeper")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := c.Stop(ctx); err == nil || !strings.Contains(err.Error(), "waiting for the keeper to hand over") {
		t.Errorf("stopping: %v", err)
	}
	if pid := c.Status().PID; pid != 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
