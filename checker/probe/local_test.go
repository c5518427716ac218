package probe

import (
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// locally probes this machine.
func locally(t *testing.T, p *Prober, o checker.Options) checker.Result {
	t.Helper()
	return probeOnce(t, p, checker.Target{Spec: checker.SpecOf(o), Timeout: patience})
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{"flag": "", "three": "3\n", "minus": " -40 ", "word": "three", "empty": "",
		"large": "10001", "most": "10000\n", "long": strings.Repeat(" ", 100) + "3", "padded": strings.Repeat("0", 63) + "7"} {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"link": "three", "dangling": "nowhere", "loop": "loop"} {
		if err := os.Symlink(to, path(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(path("fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newProber(t)
	for _, tt := range []struct {
		name    string
		number  bool
		outcome checker.Outcome
		n       int
		detail  string
	}{
		{"flag", false, checker.Passed, 0, ""},
		{"nothing", false, checker.Failed, 0, "there is no file"},
		{"flag/below", false, checker.Failed, 0, "there is no file"},
		{"dangling", false, checker.Passed, 0, ""},
		{"fifo", false, checker.Passed, 0, ""},
		{"three", true, checker.Passed, 3, ""},
		{"minus", true, checker.Passed, -40, ""},
		{"padded", true, checker.Passed, 7, ""},
		{"nothing", true, checker.Failed, 0, "there is no file"},
		{"word", true, checker.Failed, 0, `/word holds no whole number`},
		{"empty", true, checker.Failed, 0, `holds no whole number`},
		{"large", true, checker.Failed, 0, "holds 10001, which is not from -10000 to 10000"},
		{"long", true, checker.Failed, 0, "holds no whole number"},
		{"link", true, checker.Failed, 0, "is a symbolic link, which is not followed"},
		{"loop", true, checker.Failed, 0, "is a symbolic link, which is not followed"},
		{"fifo", true, checker.Failed, 0, "is not a regular file"},
		{".", true, checker.Failed, 0, "is not a regular file"},
	} {
		r := locally(t, p, checker.File{Path: path(tt.name), Number: tt.number})
		expect(t, r, tt.outcome, tt.detail)
		if r.Number != tt.n {
			t.Errorf("%s: %d, want %d", tt.name, r.Number, tt.n)
		}
		if strings.Contains(r.Detail, "three") {
			t.Errorf("%q tells everybody who may see the status what a file holds that is no number, such as a key", r.Detail)
		}
	}
	for _, tt := range []struct {
		o       checker.File
		outcome checker.Outcome
		detail  string
		advice  checker.Advice
	}{
		{checker.File{Path: path("three"), Weight: checker.Percent}, checker.Passed, "", checker.Advice{Weight: 3, Measure: checker.Percent}},
		{checker.File{Path: path("three"), Weight: checker.Absolute}, checker.Passed, "", checker.Advice{Weight: 3, Measure: checker.Absolute}},
		{checker.File{Path: path("most"), Weight: checker.Absolute}, checker.Passed, "", checker.Advice{Weight: 10_000, Measure: checker.Absolute}},
		{checker.File{Path: path("large"), Weight: checker.Absolute}, checker.Failed, "holds 10001, which is not from 0 to 10000", checker.Advice{}},
		{checker.File{Path: path("most"), Weight: checker.Percent}, checker.Failed, "holds 10000, which is not from 0 to 100", checker.Advice{}},
		{checker.File{Path: path("minus"), Weight: checker.Percent}, checker.Failed, "holds -40, which is not from 0 to 100", checker.Advice{}},
		{checker.File{Path: path("word"), Weight: checker.Percent}, checker.Failed, "holds no whole number", checker.Advice{}},
		{checker.File{Path: path("nothing"), Weight: checker.Percent}, checker.Failed, "there is no file", checker.Advice{}},
		{checker.File{Path: path("flag"), Absent: true}, checker.Failed, "there is a file", checker.Advice{}},
		{checker.File{Path: path("dangling"), Absent: true}, checker.Failed, "there is a file", checker.Advice{}},
		{checker.File{Path: path("nothing"), Absent: true}, checker.Passed, "", checker.Advice{}},
		{checker.File{Path: path("flag/below"), Absent: true}, checker.Passed, "", checker.Advice{}},
	} {
		r := locally(t, p, tt.o)
		expect(t, r, tt.outcome, tt.detail)
		if r.Advice != tt.advice {
			t.Errorf("%+v: %+v, want %+v", tt.o, r.Advice, tt.advice)
		}
	}
	if r := locally(t, p, checker.File{Path: "/dev/zero", Number: true}); r.Outcome != checker.Failed {
		t.Errorf("a device: %+v", r)
	}
}

// A file system that hangs costs one goroutine, and says nothing of the file.
func TestAFileOnADiskThatHangs(t *testing.T) {
	hangs, looks := make(chan struct{}), make(chan struct{}, 9)
	m := unhurried("/mnt/load", func() (found, error) { looks <- struct{}{}; <-hangs; return found{number: 7}, nil })
	probe := func(timeout time.Duration) checker.Result {
		target := checker.Target{Timeout: timeout}
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		f, err := m(ctx, target)
		r := verdict(ctx, target, err)
		r.Number = f.number
		return r
	}
	for range 3 {
		expect(t, probe(20*time.Millisecond), checker.NotRun, "looking at /mnt/load takes too long")
	}
	if len(looks) != 1 {
		t.Errorf("%d looks at once", len(looks))
	}
	close(hangs)
	for r := probe(patience); r.Number != 7; r = probe(patience) { // The first look is just ending.
		expect(t, r, checker.NotRun, "takes too long")
	}
}

func TestWhichProcessIsMeant(t *testing.T) {
	as := func(name string, arguments ...string) process {
		return process{[]byte(name), []byte(strings.Join(append(arguments, ""), "\x00"))}
	}
	script := as("failover.py", "/usr/bin/python3", "/usr/local/bin/failover.py", "-c", "a.conf", "-v")
	nginx := as("nginx", "nginx: master process /usr/sbin/nginx")
	long := as("a-daemon-with-a", "/sbin/a-daemon-with-a-long-name")
	thread := as("nfsd")
	for _, tt := range []struct {
		name      string
		p         process
		program   string
		arguments []string
		want      bool
	}{
		{"a script by its name", script, "failover.py", nil, true},
		{"by its interpreter", script, "python3", nil, true},
		{"by its path", script, "/usr/local/bin/failover.py", nil, true},
		{"by another path", script, "/usr/bin/failover.py", nil, false},
		{"with its arguments", script, "failover.py", []string{"-c", "a.conf"}, true},
		{"with others between", script, "failover.py", []string{"-c", "-v"}, true},
		{"in another order", script, "failover.py", []string{"a.conf", "-c"}, false},
		{"with one that it does not have", script, "failover.py", []string{"-c", "b.conf"}, false},
		{"one that has changed its arguments", nginx, "nginx", nil, true},
		{"a name that is longer than the kernel's", long, "a-daemon-with-a-long-name", nil, true},
		{"a part of a name", script, "failover", nil, false},
		{"a thread of the kernel", thread, "nfsd", nil, true},
		{"nothing", process{}, "nfsd", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.p.runs(tt.program) && tt.p.has(tt.arguments); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// A process that is there, that has ended, and that is a zombie.
func TestProcess(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	own := checker.Process{Program: "sleep", Arguments: []string{"86399.25"}, Minimum: 1}
	p := newProber(t)
	count := func(o checker.Process) checker.Result {
		p.processes.at = time.Time{} // Look again.
		return locally(t, p, o)
	}
	expect(t, count(own), checker.Failed, "no process of sleep runs")
	begin := func() *exec.Cmd {
		c := exec.Command(sleep, "86399.25")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if t.Failed() {
				out, _ := exec.Command("ps", "-o", "pid,ppid,stat,lstart,args", "-p", strconv.Itoa(c.Process.Pid)).CombinedOutput()
				t.Logf("%s", out)
			}
			c.Process.Kill()
			c.Wait()
		})
		return c
	}
	first := begin()
	expect(t, count(own), checker.Passed, "")
	own.Minimum, own.Maximum = 2, 2
	expect(t, count(own), checker.Failed, "processes of sleep that run: 1, and at least 2 must")
	begin()
	expect(t, count(own), checker.Passed, "")
	begin()
	expect(t, count(own), checker.Failed, "processes of sleep that run: 3, and at most 2 may")
	first.Process.Kill()
	zombie := func() bool {
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(first.Process.Pid) + "/stat")
		return strings.Contains(string(text), ") Z ")
	}
	for end := time.Now().Add(patience); !zombie() && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	expect(t, count(own), checker.Passed, "")
}

// "Anybody can call a process haproxy."
func TestProcessesOfAUser(t *testing.T) {
	p := newProber(t)
	me, other := strconv.Itoa(os.Getuid()), strconv.Itoa(os.Getuid()+1)
	o := checker.Process{Program: filepath.Base(os.Args[0]), Minimum: 1}
	for _, tt := range []struct {
		user    string
		outcome checker.Outcome
		detail  string
	}{
		{"", checker.Passed, ""},
		{me, checker.Passed, ""},
		{other, checker.Failed, "no process of probe.test runs as user " + other},
		{"no-such-user", checker.NotRun, `there is no user "no-such-user" on this machine`},
	} {
		o.Owner = tt.user
		expect(t, locally(t, p, o), tt.outcome, tt.detail)
	}
	if u, err := user.LookupId(me); err == nil {
		o.Owner = u.Username
		expect(t, locally(t, p, o), checker.Passed, "")
	}
}

// "The process died, and the director noticed when its next probe was due."
func TestTheKernelTellsOfProcesses(t *testing.T) {
	if e, err := listenToKernel(); err != nil {
		t.Skip(err)
	} else {
		e.socket.Close()
	}
	p := newProber(t)
	news := make(chan struct{}, 100)
	p.OnProcesses(func() { news <- struct{}{} })
	o := checker.Process{Program: "sleep", Arguments: []string{"86399.5"}, Minimum: 1}
	expect(t, locally(t, p, o), checker.Failed, "no process of sleep runs")
	told := func(what string, outcome checker.Outcome) {
		t.Helper()
		select {
		case <-news:
		case <-time.After(patience):
			t.Fatalf("%s, and nobody was told", what)
		}
		expect(t, locally(t, p, o), outcome, "")
	}
	if err := exec.Command("sleep", "0").Run(); err != nil { // Another one, which is nobody's business.
		t.Skip(err)
	}
	c := exec.Command("sleep", "86399.5")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	told("it has begun", checker.Passed)
	c.Process.Kill()
	c.Wait()
	told("it has ended", checker.Failed)
	if len(news) > 0 {
		t.Errorf("told %d times more", len(news))
	}
}

// A process that waits for a dead disk can hold up whoever reads its command line.
func TestAProcessThatHangsHoldsNoProbeUp(t *testing.T) {
	p := newProber(t)
	p.processes.mu.Lock() // as if a look had not ended
	defer p.processes.mu.Unlock()
	r := probeOnce(t, p, checker.Target{Spec: checker.SpecOf(checker.Process{Program: "ntpd", Minimum: 1}), Timeout: 20 * time.Millisecond})
	expect(t, r, checker.NotRun, "looking at /proc takes too long")
}

// "ProtectProc= hides the processes of others, and the director stood back."
func TestProcessesThatAreHidden(t *testing.T) {
	root := t.TempDir()
	p := newProber(t)
	p.processes.root = root
	add := func(pid, name string) {
		dir := filepath.Join(root, pid)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"comm": name + "\n", "cmdline": name + "\x00-D\x00"} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	add("4711", "haproxy")
	add("self", "haproxy")
	for _, tt := range []struct {
		o       checker.Process
		outcome checker.Outcome
		detail  string
	}{
		{checker.Process{Program: "haproxy", Minimum: 1}, checker.Passed, ""}, // it is lvsd's own
		{checker.Process{Program: "haproxy", Minimum: 2}, checker.NotRun, "ProtectProc=default"},
		{checker.Process{Program: "ntpd", Minimum: 1}, checker.NotRun, "ProtectProc=default"},
		{checker.Process{Program: "ntpd", Maximum: 1}, checker.NotRun, "ProtectProc=default"},
	} {
		expect(t, locally(t, p, tt.o), tt.outcome, tt.detail)
	}
	add("1", "systemd")
	p.processes.at = time.Time{}
	expect(t, locally(t, p, checker.Process{Program: "ntpd", Minimum: 1}), checker.Failed, "no process of ntpd runs")
	p.processes.root, p.processes.at = "/nonexistent", time.Time{}
	expect(t, locally(t, p, checker.Process{Program: "ntpd", Minimum: 1}), checker.NotRun, "listing the processes")
}
