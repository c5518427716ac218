package alike

import (
	"cmp"
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/checker/probe"
	"github.com/lvsd/lvsd/internal/netnstest"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { netnstest.Main(m) }

// A state is one that a server may be in, or the way to it.
type state struct {
	name string
	// addr is a network of such servers, "" for that of the server's host, and port is
	// theirs.
	addr string
	port uint16
	// want is how both ways end, by outcome and reason. Where there are several, it
	// depends on the family, or on how many errors a kernel sends in a second.
	want string
	// engine: it is the engine that finds it out.
	engine bool
}

// The networks of the servers: the host has all addresses of the first, and the routers
// know no way to the others.
const (
	hosts4, hosts6 = "10.96.0.0/16", "fd96::/64"
	beyond         = "10.95.0.0/16" // a router on the way answers
)

var states = []state{
	{"open", "", 80, "passed", true},
	{"closed", "", 81, "failed refused", true},
	{"filtered", "", 82, "failed timeout silent", false},
	{"reset by a firewall", "", 83, "failed refused", true},
	{"prohibited by a firewall", "", 84, "failed unreachable silent|failed answer|failed timeout silent", true},
	{"its host is called unreachable", "", 85, "failed unreachable silent|failed timeout silent", true},
	{"its port is called unreachable", "", 86, "failed refused|failed timeout silent", true},
	{"its accept queue is full", "", 87, "failed timeout silent", false},
	{"a router knows no way", beyond, 80, "failed unreachable silent|failed timeout silent", false},
	{"nobody answers for the address", "10.99.0.0/24", 80, "failed timeout silent|failed unreachable silent", false},
	{"this director has no route", "203.0.113.0/24", 80, "not_run not_run", false},
	{"this director's route refuses", "10.98.0.0/16", 80, "not_run not_run", false},
	{"this director's route prohibits", "10.97.0.0/16", 80, "not_run not_run", false},
	{"this director's own filter drops it", "", 88, "failed timeout silent", false}, // connect(2) tells nothing else
}

// rules are the firewall's of the servers' host, and own those of this director.
const (
	rules = `table inet servers {
chain input {
type filter hook input priority 0;
tcp dport 82 drop
tcp dport 83 reject with tcp reset
meta nfproto ipv4 tcp dport 84 reject with icmp admin-prohibited
meta nfproto ipv6 tcp dport 84 reject with icmpv6 admin-prohibited
tcp dport 85 reject with icmpx host-unreachable
tcp dport 86 reject with icmpx port-unreachable
}
}`
	own = "table inet own {\nchain output {\ntype filter hook output priority 0\ntcp dport 88 drop\n}\n}"
)

// cable connects this namespace, which is the director, with a host of servers.
func cable(t *testing.T) {
	t.Helper()
	for _, program := range []string{"ip", "nft", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs %s", program)
		}
	}
	host := netnstest.NewHost(t)
	netnstest.Run(t, "ip link set lo up")
	netnstest.Run(t, "ip link add eth0 type veth peer name eth0 netns "+host.PID)
	t.Cleanup(func() { netnstest.Run(t, "ip link delete eth0") })
	for _, line := range []string{"addr add 10.99.0.1/24 dev eth0", "addr add fd99::1/64 dev eth0 nodad", "link set eth0 up",
		"route add " + hosts4 + " via 10.99.0.2", "route add " + hosts6 + " via fd99::2", "route add " + beyond + " via 10.99.0.2",
		"route add unreachable 10.98.0.0/16", "route add prohibit 10.97.0.0/16"} {
		netnstest.Run(t, "ip "+line)
	}
	for _, line := range []string{"addr add 10.99.0.2/24 dev eth0", "addr add fd99::2/64 dev eth0 nodad", "link set eth0 up",
		"route add local " + hosts4 + " dev lo", "-6 route add local " + hosts6 + " dev lo", "route add unreachable " + beyond} {
		host.Run("ip " + line)
	}
	// All errors are told, however many there are.
	for _, setting := range []string{"net.ipv4.ip_forward=1", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0", "net.core.somaxconn=4096"} {
		host.Run("sysctl -qw " + setting)
	}
	for _, setting := range []string{"net.ipv4.icmp_msgs_per_sec=1000000", "net.ipv4.icmp_msgs_burst=100000"} {
		_ = exec.Command("nsenter", "-t", host.PID, "-n", "sysctl", "-qw", setting).Run() // an old kernel has it for the machine
	}
	load(t, rules, "nsenter", "-t", host.PID, "-n")
	load(t, own)
	inside(t, host.PID, func() {
		listen(t, 80, 4096)
		full(t, 87)
	})
	// A new link takes up to some seconds until it speaks IPv6.
	for range 100 {
		c, err := net.DialTimeout("tcp", "[fd96::1]:80", 100*time.Millisecond)
		if err == nil {
			c.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the network of the test does not speak IPv6")
}

// load gives rules to a firewall.
func load(t *testing.T, rules string, in ...string) {
	t.Helper()
	words := append(in, "nft", "-f", "-")
	c := exec.Command(words[0], words[1:]...)
	c.Stdin = strings.NewReader(rules)
	if out, err := c.CombinedOutput(); err != nil {
		t.Skipf("nft: %v: %s", err, out)
	}
}

// inside runs f in another process's network namespace.
func inside(t *testing.T, pid string, f func()) {
	t.Helper()
	ns, err := os.Open("/proc/" + pid + "/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// listen has the kernel take connections to all addresses.
func listen(t *testing.T, port, queue int) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = cmp.Or(unix.Bind(fd, &unix.SockaddrInet6{Port: port}), unix.Listen(fd, queue))
	}
	if err != nil {
		t.Error(err)
		return
	}
	t.Cleanup(func() { unix.Close(fd) })
}

// full listens, and fills the queue of those that wait to be accepted.
func full(t *testing.T, port int) {
	t.Helper()
	listen(t, port, 0)
	for range 3 {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { unix.Close(fd) })
		_ = unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{10, 96, 255, 254}})
	}
	time.Sleep(100 * time.Millisecond)
}

// within returns one of the first hosts of a network, but for ten that have names.
func within(network string, n uint32) netip.Addr {
	p := netip.MustParsePrefix(network)
	hosts := uint32(1)<<min(p.Addr().BitLen()-p.Bits(), 16) - 20
	raw, host := p.Addr().AsSlice(), n%hosts+10
	raw[len(raw)-2], raw[len(raw)-1] = byte(host>>8), byte(host)
	addr, _ := netip.AddrFromSlice(raw)
	return addr
}

// servers are so many in random states, by the way that each is to be found.
func servers(n int, random *rand.Rand) map[checker.Target]*state {
	all := make(map[checker.Target]*state, n)
	for len(all) < n {
		s := &states[random.IntN(len(states))]
		network := s.addr
		if network == "" {
			network = [...]string{hosts4, hosts6}[random.IntN(2)]
		}
		t := checker.Target{Spec: checker.SpecOf(checker.TCP{}), Addr: within(network, random.Uint32()), Port: s.port, Interval: time.Hour, Timeout: 2 * time.Second}
		if strings.Contains(s.want, "timeout") {
			t.Timeout = 400*time.Millisecond + time.Duration(len(all)) // another target each
		}
		all[t] = s
	}
	return all
}

// A counter is a Prober whose Engine's decisions are counted.
type counter struct {
	*probe.Prober
	mu      sync.Mutex
	decided map[checker.Target]bool
}

func (c *counter) Begin(deliver func([]checker.Answer)) {
	c.Prober.Begin(func(answers []checker.Answer) {
		c.mu.Lock()
		for _, a := range answers {
			if a.Result.Outcome != 0 {
				c.decided[*a.Target] = true
			}
		}
		c.mu.Unlock()
		deliver(answers)
	})
}

// byEngine returns the results of a checker.
func byEngine(t *testing.T, p checker.Prober, all map[checker.Target]*state) map[checker.Target]checker.Result {
	t.Helper()
	var targets []*checker.Target
	for target := range all {
		targets = append(targets, &target)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	results := make(map[checker.Target]checker.Result, len(all))
	var mu sync.Mutex
	c := checker.New(p, checker.DefaultInFlight)
	c.Set(targets)
	_ = c.Run(ctx, func(observed []checker.Observation) {
		mu.Lock()
		defer mu.Unlock()
		for _, o := range observed {
			if _, again := results[*o.Target]; !again {
				results[*o.Target] = o.Result
			}
		}
		if len(results) == len(all) {
			cancel()
		}
	})
	return results
}

// byConnect returns the results of a connection each.
func byConnect(t *testing.T, p checker.Prober, all map[checker.Target]*state) map[checker.Target]checker.Result {
	t.Helper()
	run := p.Compile(checker.SpecOf(checker.TCP{}))
	results := make(map[checker.Target]checker.Result, len(all))
	places := make(chan struct{}, 1000)
	var mu sync.Mutex
	var running sync.WaitGroup
	for target := range all {
		places <- struct{}{}
		running.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), target.Timeout)
			defer cancel()
			r := run(ctx, target)
			mu.Lock()
			results[target] = r
			mu.Unlock()
			<-places
		})
	}
	running.Wait()
	return results
}

// text is what counts of a result.
func text(r checker.Result) string {
	words := []string{r.Outcome.String(), r.Reason.String()}
	if r.Silent {
		words = append(words, "silent")
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

// "A server is in the table if clients reach it": so both ways must say the same.
func TestBothWaysEndAlike(t *testing.T) {
	cable(t)
	all := servers(10_000, rand.New(rand.NewPCG(1, 2)))
	p := &counter{Prober: probe.New(nil), decided: make(map[checker.Target]bool)}
	engine, connect := byEngine(t, p, all), byConnect(t, probe.New(nil), all)
	if err := p.Unusable(); err != nil {
		t.Fatal(err)
	}
	differ, decided, asked := 0, 0, 0
	for target, s := range all {
		e, c := engine[target], connect[target]
		if stalled(e) || stalled(c) {
			continue
		}
		if s.engine {
			asked++
			if p.decided[target] {
				decided++
			}
		}
		wants := strings.Split(s.want, "|")
		alike := text(e) == text(c) || len(wants) > 1
		if alike && slices.Contains(wants, text(e)) && slices.Contains(wants, text(c)) {
			continue
		}
		if differ++; differ <= 20 {
			t.Errorf("%s (%v): %q (%s) by the engine, %q (%s) by connect, want %q", s.name, target.Addr, text(e), e.Detail, text(c), c.Detail, s.want)
		}
	}
	if differ > 0 {
		t.Errorf("%d of %d differ", differ, len(all))
	}
	if decided < asked*9/10 {
		t.Errorf("the engine decided about %d of %d servers that answer, want all but a few", decided, asked)
	}
	t.Logf("the engine decided about %d of %d servers that answer", decided, asked)
}

// stalled reports whether the machine was too busy for a result.
func stalled(r checker.Result) bool { return strings.Contains(r.Detail, "overloaded") }
