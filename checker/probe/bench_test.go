package probe

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// serveBench is the other process of the benchmarks: an HTTP server whose CPU
// time does not count. It ends with its standard input.
func serveBench() {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }))
	fmt.Println(l.Addr())
	bufio.NewReader(os.Stdin).ReadByte()
}

// otherProcess starts serveBench.
func otherProcess(b *testing.B) netip.AddrPort {
	b.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "PROBE_TEST_SERVER=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	addr, err := netip.ParseAddrPort(strings.TrimSpace(line))
	if err != nil {
		b.Fatal(line)
	}
	return addr
}

// cpuTime returns the CPU time of this process.
func cpuTime() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		panic(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// benchmarkPaced runs b.N probes at 5,000 a second through a whole checker and
// reports the CPU time of each, schedule and wake-ups included: 500 targets,
// each probed every 100 ms.
func benchmarkPaced(b *testing.B, prober checker.Prober, spec checker.Options) {
	addr := otherProcess(b)
	targets := make([]*checker.Target, 500)
	for i := range targets {
		to := netip.AddrPortFrom(addr.Addr(), addr.Port())
		targets[i] = new(at(to, spec, patience+time.Duration(i))) // distinct by their timeout
		targets[i].Interval = 100 * time.Millisecond
	}
	c := checker.New(prober, checker.DefaultInFlight)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var mu sync.Mutex
	left, failed := b.N, 0
	c.Set(targets)
	before := cpuTime()
	c.Run(ctx, func(all []checker.Observation) {
		mu.Lock()
		defer mu.Unlock()
		for _, o := range all {
			if o.Result.Outcome != checker.Passed {
				if failed++; failed == 1 {
					b.Log(o.Result.Detail)
				}
			}
			if left--; left == 0 {
				cancel()
			}
		}
	})
	b.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(b.N), "cpu-µs/check")
	b.ReportMetric(float64(failed), "failed")
}

// dialerProber is the same TCP check by the standard library.
type dialerProber struct{}

func (dialerProber) Compile(checker.Spec) checker.ProbeFunc { return dialProbe }

func dialProbe(ctx context.Context, t checker.Target) checker.Result {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", netip.AddrPortFrom(t.Addr, t.Port).String())
	if err != nil {
		return checker.Result{Outcome: checker.Failed, Detail: err.Error()}
	}
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
	return checker.Result{Outcome: checker.Passed}
}

func BenchmarkTCP(b *testing.B) { benchmarkPaced(b, New(nil), checker.TCP{}) }

func BenchmarkTCPByNetDialer(b *testing.B) { benchmarkPaced(b, dialerProber{}, checker.TCP{}) }

func BenchmarkHTTP(b *testing.B) { benchmarkPaced(b, New(nil), checker.HTTP{}) }

func BenchmarkHTTPBody(b *testing.B) { benchmarkPaced(b, New(nil), checker.HTTP{Body: "^ok"}) }

func BenchmarkPing(b *testing.B) { benchmarkPaced(b, New(nil), checker.Ping{}) }

// BenchmarkTLSFirstRun probes b.N servers at once, as after a start: how many
// time out although all of them answer?
func BenchmarkTLSFirstRun(b *testing.B) {
	ca := newAuthority(b)
	addr := serveTLS(b, ca.config(b, -1, 1, "a.example"))
	targets := make([]*checker.Target, b.N)
	for i := range targets {
		targets[i] = new(at(addr, checker.HTTP{Secure: true, Host: "a.example", TLS: checker.TLS{CA: ca.file}}, time.Second+time.Duration(i)))
		targets[i].Interval = time.Hour
	}
	c := checker.New(New(nil), checker.DefaultInFlight)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var mu sync.Mutex
	left := len(targets)
	count := make(map[checker.Outcome]int)
	c.Set(targets)
	c.Run(ctx, func(all []checker.Observation) {
		mu.Lock()
		defer mu.Unlock()
		for _, o := range all {
			count[o.Result.Outcome]++
			if left--; left == 0 {
				cancel()
			}
		}
	})
	b.ReportMetric(float64(count[checker.Failed]), "failed")
	b.ReportMetric(float64(count[checker.NotRun]), "not-run")
}

// idle is a prober that does nothing: what remains is the checker.
type idle struct{}

func (idle) Compile(checker.Spec) checker.ProbeFunc {
	return func(context.Context, checker.Target) checker.Result { return checker.Result{Outcome: checker.Passed} }
}

func BenchmarkNothing(b *testing.B) { benchmarkPaced(b, idle{}, checker.TCP{}) }
