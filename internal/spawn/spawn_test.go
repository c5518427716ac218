package spawn_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/spawn"
)

// childArgument makes this test's program be the process between.
const childArgument = "spawn"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArgument {
		if err := spawn.Main(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	_ = flag.Set("test.parallel", "10") // They mostly wait.
	os.Exit(m.Run())
}

func newSpawner() *spawn.Spawner { return spawn.New("/proc/self/exe", childArgument) }

// script is a command that has the shell run a text.
func script(text string, args ...string) spawn.Command {
	return spawn.Command{Args: append([]string{"/bin/sh", "-c", text, "sh"}, args...), Timeout: 30 * time.Second}
}

// run runs a command that can be run.
func run(t *testing.T, c spawn.Command) spawn.Outcome {
	t.Helper()
	o, err := newSpawner().Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// privileged calls f on a thread that has much to give up: ambient capabilities, a
// real-time policy, blocked signals.
func privileged(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with this
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		_ = unix.Capget(&header, &data[0])
		data[0].Inheritable = data[0].Permitted
		_ = unix.Capset(&header, &data[0])
		_ = unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, unix.CAP_NET_RAW, 0, 0)
		_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}, 0)
		var blocked unix.Sigset_t
		blocked.Val[0] = 1<<(unix.SIGUSR2-1) | 1<<(unix.SIGTERM-1)
		_ = unix.PthreadSigmask(unix.SIG_BLOCK, &blocked, nil)
		f()
	}()
	<-done
}

// field returns what a line of /proc/PID/status says.
func field(status, name string) string {
	for line := range strings.Lines(status) {
		if key, value, _ := strings.Cut(line, ":"); key == name {
			return strings.TrimSpace(value)
		}
	}
	return "missing"
}

// states prints what of its own status matters here.
const states = "grep -E '^(Cap|NoNew|Sig[BIC]|Uid|Groups)' /proc/self/status"

const none = "0000000000000000"

func TestAProgramHasNothingOfTheDaemon(t *testing.T) {
	signal.Ignore(unix.SIGHUP, unix.SIGUSR1, unix.SIGTSTP, unix.SIGPIPE)
	defer signal.Reset(unix.SIGHUP, unix.SIGUSR1, unix.SIGTSTP, unix.SIGPIPE)
	var o spawn.Outcome
	var err error
	privileged(t, func() {
		o, err = newSpawner().Run(t.Context(), script(states+`; set -- $(cat /proc/self/stat); echo "Nice: ${19}"; echo "Policy: ${41}"; echo "Points: $(cat /proc/self/oom_score_adj)"`))
	})
	if err != nil || !o.OK() {
		t.Fatal(o, err)
	}
	status := string(o.Output)
	for name, want := range map[string]string{
		"CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none, "NoNewPrivs": "1",
		"SigBlk": none, "SigIgn": none, "Nice": "0", "Policy": "0", "Points": "0",
	} {
		if got := field(status, name); got != want && (name != "CapBnd" || os.Geteuid() == 0) {
			t.Errorf("%s of the program is %s, want %s", name, got, want)
		}
	}
}

func TestStatusOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want string
		ok   bool
	}{
		"success": {"exit 0", "exited with status 0", true},
		"failure": {"exit 3", "exited with status 3", false},
		"signal":  {"kill -9 $$", "was ended by signal 9 (killed)", false},
	} {
		if o := run(t, script(c.text)); o.String() != c.want || o.OK() != c.ok {
			t.Errorf("%s: %s, ok %t", name, o, o.OK())
		}
	}
}

func TestSurroundings(t *testing.T) {
	defer unix.Umask(unix.Umask(0o077))
	t.Setenv("NOTIFY_SOCKET", "/run/systemd/notify")
	inherited, err := unix.Open("/etc/hostname", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(inherited)
	for name, c := range map[string]struct{ text, want string }{
		"umask":       {"umask", "0022"},
		"directory":   {"pwd", "/"},
		"input":       {"cat; echo end", "end"},
		"descriptors": {"exec ls -1 /proc/self/fd", "0\n1\n2\n3"}, // the last one is the directory
		"environment": {"env | grep -v -e ^HOME= -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort | tr '\\n' ' '", "LOGNAME=root LVSD_ROUTER=web PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin USER=root "},
		"session":     {"set -- $(cat /proc/$$/stat); test $6 = $$ && test $5 = $$ && echo own", "own"},
		"arguments":   {`printf '%s|' "$@"`, "a b|$HOME|"},
	} {
		s := script(c.text, "a b", "$HOME")
		s.Env = []string{"LVSD_ROUTER=web"}
		o := run(t, s)
		want := c.want
		if os.Geteuid() != 0 {
			want = strings.ReplaceAll(want, "root", os.Getenv("USER"))
		}
		if got := strings.TrimSuffix(string(o.Output), "\n"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestAProgramThatPrintsForEverNeitherBlocksNorGrows(t *testing.T) {
	t.Parallel()
	c := script("yes a line of no interest")
	c.Timeout = 300 * time.Millisecond
	o := run(t, c)
	if !o.TimedOut || len(o.Output) > spawn.MaxOutput || len(o.Lines()) != spawn.MaxLines || o.Cut < 256<<10 {
		t.Errorf("%s, kept %d bytes in %d lines, cut %d", o, len(o.Output), len(o.Lines()), o.Cut)
	}
	o = run(t, script("yes | tr -d '\\n' | head -c 1000000"))
	if !o.OK() || len(o.Output) != spawn.MaxOutput || int(o.Cut) != 1000000-spawn.MaxOutput {
		t.Errorf("%s, kept %d bytes, cut %d", o, len(o.Output), o.Cut)
	}
}

// mark is a file to which the processes of a test write their ids.
func mark(t *testing.T) string { return filepath.Join(t.TempDir(), "pids") }

// alive returns the processes of a mark that have not ended. A zombie has not.
func alive(t *testing.T, mark string, want int) (pids []int) {
	t.Helper()
	text, err := os.ReadFile(mark)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(text))
	if len(words) < want {
		t.Fatalf("%d processes said that they had started, want %d: the test shows nothing", len(words), want)
	}
	for _, w := range words {
		if pid, err := strconv.Atoi(w); err == nil && syscall.Kill(pid, 0) == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// patience is time enough for a program to start what it starts, on a busy machine.
const patience = 2 * time.Second

// Each of these leaves processes that must be gone when the run is over.
func TestTheWholeDescentIsKilledAfterTheTimeout(t *testing.T) {
	for name, text := range map[string]string{
		"ignores SIGTERM":            `trap '' TERM; echo $$ >>$1; while :; do sleep 1; done`,
		"stopped":                    `echo $$ >>$1; kill -STOP $$`,
		"child":                      `sh -c 'echo $$ >>$0; sleep 1000' $1 & wait`,
		"session of its own":         `setsid sh -c 'echo $$ >>$0; sleep 1000' $1 & wait`,
		"forked twice":               `(setsid sh -c 'trap "" TERM HUP; echo $$ >>$0; while :; do sleep 1; done' $1 &) & sleep 1000`,
		"grandchildren in sessions":  `setsid sh -c 'trap "" TERM; echo $$ >>$0; setsid sh -c "trap \"\" TERM; echo \$\$ >>$0; setsid sleep 1000 & while :; do sleep 1; done" & while :; do sleep 1; done' $1 & wait`,
		"stopped in its own session": `setsid sh -c 'echo $$ >>$0; kill -STOP $$' $1 & wait`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := mark(t)
			c := script(text, m)
			c.Timeout = patience
			o := run(t, c)
			if !o.TimedOut || o.Survived > 0 {
				t.Errorf("%s, %d survived", o, o.Survived)
			}
			if left := alive(t, m, 1); len(left) > 0 {
				t.Errorf("processes %v are alive", left)
			}
		})
	}
}

func TestAForkBombIsEnded(t *testing.T) {
	t.Parallel()
	m := mark(t)
	// Five lines of descent, each process in a session of its own and followed by another,
	// until the fuse is gone or a thousand have been.
	bomb, fuse := filepath.Join(t.TempDir(), "bomb"), filepath.Join(t.TempDir(), "fuse")
	t.Cleanup(func() { _ = os.Remove(fuse) })
	text := "#!/bin/sh\ntest -e $2 && test $3 -lt 1000 || exit\necho $$ >>$1\nsetsid $0 $1 $2 $(($3+1)) &\n"
	if err := errors.Join(os.WriteFile(bomb, []byte(text), 0o755), os.WriteFile(fuse, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	c := script(`for i in 1 2 3 4 5; do $2 $1 $3 0 & done; sleep 1000`, m, bomb, fuse)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // ends it when there have been some
		for text := []byte(nil); bytes.Count(text, []byte("\n")) < 50 && ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
			text, _ = os.ReadFile(m)
		}
		cancel()
	}()
	o, err := newSpawner().Run(ctx, c)
	if left := alive(t, m, 50); err != nil || !o.Canceled || o.Survived > 0 || len(left) > 0 {
		t.Errorf("%s (%v), %d ended, %d survived, alive %v", o, err, o.Ended, o.Survived, left)
	}
}

func TestWhatAProgramLeaves(t *testing.T) {
	const background = `sh -c 'echo $$ >>$0; exec sleep 1000' $1 & while ! test -s $1; do sleep 0.01; done`
	const apart = `setsid sh -c 'echo $$ >>$0; exec sleep 1000' $1 & while ! test -s $1; do sleep 0.01; done`
	for name, c := range map[string]struct {
		text         string
		killChildren bool
		ended, stays int
	}{
		"in its session is ended":                    {background, false, 1, 0},
		"in a session of its own stays":              {apart, false, 0, 1},
		"in a session of its own with kill_children": {apart, true, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := mark(t)
			s := script(c.text, m)
			s.KillChildren = c.killChildren
			o := run(t, s)
			left := alive(t, m, 1)
			for _, pid := range left {
				defer syscall.Kill(pid, syscall.SIGKILL)
			}
			if !o.OK() || o.Ended != c.ended || o.Staying != c.stays || len(left) != c.stays {
				t.Errorf("%s, ended %d, stays %d, alive %v", o, o.Ended, o.Staying, left)
			}
		})
	}
}

// What stays may still write, and becomes nobody's zombie.
func TestWhatStaysIsWaitedFor(t *testing.T) {
	t.Parallel()
	m := mark(t)
	o := run(t, script(`setsid sh -c 'echo $$ >>$0; while ! test -e $0.go; do sleep 0.01; done; yes | head -c 300000 && echo $? >$0.wrote' $1 & while ! test -s $1; do sleep 0.01; done`, m))
	if !o.OK() || o.Staying != 1 {
		t.Fatal(o, o.Staying)
	}
	if len(alive(t, m, 1)) != 1 {
		t.Fatal("it did not stay")
	}
	if err := os.WriteFile(m+".go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it ends and is waited for", func() bool { return len(alive(t, m, 1)) == 0 })
	if text, err := os.ReadFile(m + ".wrote"); err != nil || strings.TrimSpace(string(text)) != "0" {
		t.Errorf("writing ended with %q, %v", text, err)
	}
}

func TestARunIsCanceled(t *testing.T) {
	t.Parallel()
	m := mark(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if text, _ := os.ReadFile(m); len(text) > 0 {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	o, err := newSpawner().Run(ctx, script(`setsid sh -c 'echo $$ >>$0; sleep 1000' $1 & wait`, m))
	if err != nil || !o.Canceled || len(alive(t, m, 1)) > 0 {
		t.Errorf("%s, %v, alive %v", o, err, alive(t, m, 1))
	}
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 1000 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("not within ten seconds: %s", what)
}

func TestAUserOfItsOwn(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can change the user")
	}
	const nobody = "nobody"
	c := script(states + "; id -un; echo $HOME")
	c.User = nobody
	o := run(t, c)
	status := string(o.Output)
	for name, want := range map[string]string{
		"Uid": "65534\t65534\t65534\t65534", "Groups": "65534", "CapPrm": "0000000000000000", "CapEff": "0000000000000000", "CapInh": "0000000000000000", "CapAmb": "0000000000000000", "NoNewPrivs": "1",
	} {
		if got := field(status, name); got != want {
			t.Errorf("as nobody, %s is %q, want %q", name, got, want)
		}
	}
	if lines := o.Lines(); !slices.Contains(lines, nobody) && o.Cut == 0 {
		t.Errorf("id says %q", lines[len(lines)-2:])
	}
	m := mark(t)
	for _, dir := range []string{filepath.Dir(m), filepath.Dir(filepath.Dir(m))} {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	c = script(`setsid sh -c 'trap "" TERM; echo $$ >>$0; while :; do sleep 1; done' $1 & wait`, m)
	c.User, c.Timeout = nobody, patience
	if o := run(t, c); !o.TimedOut || o.Survived > 0 || len(alive(t, m, 1)) > 0 {
		t.Errorf("as nobody: %s, alive %v", o, alive(t, m, 1))
	}
	c = script("exit 0")
	c.User = "no-such-user"
	if _, err := newSpawner().Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), `no user "no-such-user"`) {
		t.Errorf("an unknown user: %v", err)
	}
}

func TestARootProgramHasItsCapabilities(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can run as root")
	}
	own, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	c := script(states)
	c.User = "root"
	status := string(run(t, c).Output)
	for name, want := range map[string]string{"CapEff": field(string(own), "CapBnd"), "CapAmb": "0000000000000000", "NoNewPrivs": field(string(own), "NoNewPrivs")} {
		if got := field(status, name); got != want {
			t.Errorf("as root, %s is %s, want %s", name, got, want)
		}
	}
}

func TestAProgramThatCannotBeRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct{ path, want string }{
		"relative":        {"hook.sh", "is not an absolute path"},
		"missing":         {filepath.Join(dir, "missing"), "does not exist: create it"},
		"directory":       {dir, "is a directory"},
		"not executable":  {file("plain", "#!/bin/sh\n", 0o644), "is not executable: run \"chmod +x"},
		"no interpreter":  {file("bare", "exit 0\n", 0o755), "must begin with a line such as #!/bin/sh"},
		"bad interpreter": {file("lost", "#!/no/such/shell\n", 0o755), "interpreter"},
		"writable":        {file("open", "#!/bin/sh\n", 0o757), "is writable by everybody, who could change what lvsd starts: run \"chmod o-w"},
		"nothing":         {"", "there is no program to run"},
	} {
		_, err := newSpawner().Run(t.Context(), spawn.Command{Args: []string{c.path}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestTheProcessBetweenIsKilled(t *testing.T) {
	t.Parallel()
	m := mark(t)
	go func() {
		for {
			if text, _ := os.ReadFile(m); len(text) > 0 {
				if parent, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
					_ = syscall.Kill(parent, syscall.SIGKILL)
				}
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	_, err := newSpawner().Run(t.Context(), script(`echo $PPID >$1.new; mv $1.new $1; sleep 1000`, m))
	if err == nil || !strings.Contains(err.Error(), "ended without an answer") {
		t.Errorf("error %v", err)
	}
}
