package kinds

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/checker/probe"
)

var all = flag.Bool("all", false, "ask all servers, not just one of each family")

const (
	// patience is the timeout of checks that pass, and of those whose server answers at
	// once. The machine may be busy.
	patience = 20 * time.Second
	// brief is the timeout of checks that no answer comes to.
	brief = 500 * time.Millisecond
	// startPatience is how long a server may take until a check of it passes.
	startPatience = 90 * time.Second
)

// A server is a program that answers checks.
type server struct {
	name string
	// chosen: it stands for its family in `make test`.
	chosen bool
	// port is where it is asked.
	port uint16
	// start writes what the server needs to its site, and returns the command that runs
	// it in the foreground.
	start func(*site) *exec.Cmd
	// via is the way of all checks.
	via checker.Via
	// ready does what can only be done while the server runs, such as filling a database,
	// when it accepts connections; nil: nothing.
	ready func(*site)
	// passes returns what is asked of a server that is well.
	passes func(*site) checker.Options
	// rows returns what else is asked of it while it is up.
	rows func(*site) []row
	// hung is what is said of a server that is stopped by SIGSTOP; stopped, of one that
	// is not there.
	hung, stopped string
	// complaint matches lines of the server's log that no check may be the cause of.
	// Without it, the log is not read.
	complaint string
}

// A row is a check of a server that is up.
type row struct {
	name    string
	asks    checker.Options
	outcome checker.Outcome
	detail  string // a part of it
}

// proxied are options of a check that begins with the PROXY protocol, at a port where the
// server expects it.
type proxied struct {
	checker.Options
	version checker.ProxyProtocol
	port    uint16
}

var servers []server

func register(s server) { servers = append(servers, s) }

func TestServers(t *testing.T) {
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			if !*all && !s.chosen {
				t.Skip("runs with -all, as by make kinds")
			}
			t.Parallel()
			s.test(t)
		})
	}
}

// test asks a server in each of its states.
func (s server) test(t *testing.T) {
	at := newSite(t)
	command := s.start(at)
	if _, err := exec.LookPath(command.Path); err != nil {
		if *all {
			t.Fatalf("%v: install it by integration/packages kinds", err)
		}
		t.Skip(err)
	}
	process := at.run(command)
	if s.ready != nil {
		s.await(at, checker.TCP{})
		s.ready(at)
	}
	passes := s.passes(at)
	s.await(at, passes)
	for range 5 {
		s.expect(at, row{"a server that is well", passes, checker.Passed, ""}, patience)
	}
	if s.rows != nil {
		for _, r := range s.rows(at) {
			s.expect(at, r, patience)
		}
	}
	at.silent(s.complaint)

	signal(t, process, unix.SIGSTOP)
	awaitStopped(t, process)
	s.expect(at, row{"a server that hangs", passes, checker.Failed, or(s.hung, "timeout after 500ms")}, brief)
	signal(t, process, unix.SIGCONT)
	s.await(at, passes)

	at.end()
	s.expect(at, row{"a server that is stopped", passes, checker.Failed, or(s.stopped, "connection refused")}, patience)
}

// or returns a text, or another one for an empty one.
func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// signal sends a signal to a program's whole process group.
func signal(t *testing.T, p *os.Process, s unix.Signal) {
	t.Helper()
	if err := unix.Kill(-p.Pid, s); err != nil {
		t.Fatal(err)
	}
}

// awaitStopped waits until each thread of a program's process group has stopped: SIGSTOP
// reaches them one after the other, and one that still runs may answer.
func awaitStopped(t *testing.T, p *os.Process) {
	t.Helper()
	// The command's name is in parentheses; its state and its group follow it.
	running := regexp.MustCompile(fmt.Sprintf(`\) [RSD] \d+ %d `, p.Pid))
	runs := func(stat string) bool {
		text, _ := os.ReadFile(stat) // A thread that has ended has none.
		return running.Match(text)
	}
	for began := time.Now(); time.Since(began) < startPatience; time.Sleep(time.Millisecond) {
		stats, _ := filepath.Glob("/proc/[0-9]*/task/*/stat")
		if !slices.ContainsFunc(stats, runs) {
			return
		}
	}
	t.Fatal("the server does not stop")
}

// ask runs a check once, as the checker does.
func (s server) ask(at *site, o checker.Options, timeout time.Duration) checker.Result {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	via, port := s.via, s.port
	if p, ok := o.(proxied); ok {
		o, via.Proxy, port = p.Options, p.version, p.port
	}
	target := checker.Target{Spec: checker.SpecOf(o).By(via), Addr: at.addr, Port: port, Interval: 2 * time.Second, Timeout: timeout}
	return at.prober.Compile(target.Spec)(ctx, target)
}

// expect asks once, and judges the answer.
func (s server) expect(at *site, r row, timeout time.Duration) {
	at.t.Helper()
	began := time.Now()
	got := s.ask(at, r.asks, timeout)
	if got.Outcome != r.outcome || !strings.Contains(got.Detail, r.detail) {
		at.t.Errorf("%s, asked for %s:\n%v: %s\nwant %v: %s", r.name, checker.SpecOf(r.asks), got.Outcome, got.Detail, r.outcome, r.detail)
	}
	if took := time.Since(began); took > timeout+10*time.Second {
		at.t.Errorf("%s: it took %v, and its timeout is %v", r.name, took, timeout)
	}
}

// await waits until a check passes.
func (s server) await(at *site, o checker.Options) {
	at.t.Helper()
	var last checker.Result
	for began := time.Now(); time.Since(began) < startPatience; time.Sleep(50 * time.Millisecond) {
		if last = s.ask(at, o, 5*time.Second); last.Outcome == checker.Passed {
			return
		}
		if at.ended() {
			break
		}
	}
	at.t.Fatalf("no check passes: %v: %s", last.Outcome, last.Detail)
}

// silent reports each line of the server's log that complains.
func (at *site) silent(complaint string) {
	if complaint == "" {
		return
	}
	time.Sleep(200 * time.Millisecond) // it may write after the connection is closed
	bad := regexp.MustCompile(complaint)
	for line := range strings.Lines(at.told()) {
		if bad.MatchString(line) {
			at.t.Errorf("the server complains: %s", line)
		}
	}
}

// newProber returns what asks.
func newProber() *probe.Prober { return probe.New(nil) }
