package keeper_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/keeper"
	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
)

// roleVar is what this binary is to be, if not the tests: the director, which
// is told on its standard input what to desire; or the keeper.
const (
	roleVar   = "LVSD_TEST_ROLE"
	lockVar   = "LVSD_TEST_LOCK"
	heapVar   = "LVSD_TEST_HEAP"
	pinnedVar = "LVSD_TEST_PINNED" // the processor that the keeper is to run on
	signedVar = "LVSD_TEST_SIGNED" // what was signed before it
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "director":
		director()
		os.Exit(0)
	case "keeper":
		err := keeper.Main(os.Getenv(lockVar), func(func(vrrp.Event)) (keeper.Edge, error) { return link.Open() })
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	_ = flag.Set("test.parallel", "5") // They mostly wait.
	netnstest.Main(m)
}

// A report is what the director tells on its standard output.
type report struct {
	Statuses []*vrrp.Status
	PID      int
	Restarts uint64
	Process  keeper.Process
	Others   int
	Log      string
	Affinity keeper.Affinity
	Static   *vrrp.StaticStatus
}

// director is a director that does nothing but run a keeper. A line of its
// input is a vrrp.Desired, or "stop".
func director() {
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	tell := func(r report) { mu.Lock(); defer mu.Unlock(); _ = out.Encode(r) }
	_ = os.Setenv(roleVar, "keeper")
	keeper.GoFirst()
	c := keeper.Start(context.Background(),
		event.Log(slog.New(slog.NewTextHandler(lines(func(s string) { tell(report{Log: s}) }), nil))),
		func([]*vrrp.Status, []vrrp.Event) {}, "/proc/self/exe")
	signed, _ := strconv.ParseUint(os.Getenv(signedVar), 10, 64)
	c.SignAfter(vrrp.Sequence(signed))
	if pinned, err := strconv.Atoi(os.Getenv(pinnedVar)); err == nil {
		c.Pin([]int{pinned})
	}
	go burn()
	go func() {
		for range c.Changed() {
			s := c.Status()
			tell(report{Statuses: c.Statuses(), PID: s.PID, Restarts: s.Restarts, Process: s.Process, Others: s.Others, Affinity: s.Affinity, Static: s.Static})
		}
	}()
	go func() {
		for range time.Tick(200 * time.Millisecond) {
			c.Heartbeat()
		}
	}()
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		if in.Text() == "stop" {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := c.Stop(ctx); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			return
		}
		var d vrrp.Desired
		if err := json.Unmarshal(in.Bytes(), &d); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		c.Set(d)
	}
	select {}
}

// burn makes the director a busy one, with a heap of as many megabytes.
func burn() {
	n, _ := strconv.Atoi(os.Getenv(heapVar))
	if n == 0 {
		return
	}
	keep := make([]map[int]*[64]byte, n)
	for i := 0; ; i++ {
		m := make(map[int]*[64]byte)
		for j := range 8 << 10 {
			m[j] = new([64]byte)
		}
		keep[i%n] = m
	}
}

// lines is a writer of whole lines.
type lines func(string)

func (l lines) Write(b []byte) (int, error) { l(string(b)); return len(b), nil }

// A network is a bridge in the test's namespace, with the address 10.9.N.254.
type network struct {
	t      testing.TB
	number int32
	hosts  int
}

var networks atomic.Int32

// at is an address on the network.
func (n *network) at(last int) string { return fmt.Sprintf("10.9.%d.%d", n.number, last) }

// A host is a namespace on the network.
type host struct {
	*network
	*netnstest.Host
	name string // of its port on the bridge
}

// A node is a director on a host.
type node struct {
	*host
	cmd *exec.Cmd
	in  io.WriteCloser

	mu   sync.Mutex
	last report
	log  []string
}

func newNetwork(t testing.TB) *network {
	t.Helper()
	n := &network{t: t, number: networks.Add(1)}
	bridge := n.bridge()
	netnstest.Run(t, "ip link add "+bridge+" type bridge")
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", bridge).Run() })
	netnstest.Run(t, "ip addr add "+n.at(254)+"/24 dev "+bridge)
	netnstest.Run(t, "ip link set "+bridge+" up")
	return n
}

func (n *network) bridge() string { return fmt.Sprintf("kbr%d", n.number) }

// host makes a namespace with eth0 on the bridge.
func (n *network) host() *host {
	n.t.Helper()
	n.hosts++
	h := &host{network: n, Host: netnstest.NewHost(n.t), name: fmt.Sprintf("kp%d-%d", n.number, n.hosts)}
	n.t.Cleanup(func() { _ = exec.Command("ip", "link", "del", h.name).Run() })
	netnstest.Run(n.t, "ip link add "+h.name+" master "+n.bridge()+" type veth peer name eth0 netns "+h.PID)
	h.setPort("up")
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+h.name+"/disable_ipv6", []byte("1"), 0)
	h.Run("sysctl -qw net.ipv6.conf.eth0.accept_dad=0")
	h.Run("ip addr add " + n.at(n.hosts) + "/24 dev eth0")
	h.Run("ip link set eth0 up")
	// The kernel says so a moment after the carrier is there.
	wait(n.t, "eth0 runs", func() bool { return strings.Contains(h.Run("ip link show eth0"), "state UP") })
	return h
}

// setPort sets the bridge's end of the host's cable "up" or "down", as a switch
// does with a port.
func (h *host) setPort(state string) {
	h.t.Helper()
	netnstest.Run(h.t, "ip link set "+h.name+" "+state)
}

// holds reports whether an address is on the host.
func (h *host) holds(addr string) bool {
	h.t.Helper()
	return strings.Contains(h.Run("ip addr show"), " "+addr+"/")
}

// start starts a director on the host.
func (h *host) start(lock string, env ...string) *node {
	h.t.Helper()
	return h.startUnder(nil, lock, env...)
}

// startUnder starts a director by way of a command that takes something from it.
func (h *host) startUnder(wrapper []string, lock string, env ...string) *node {
	h.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	args := append(append([]string{"-t", h.PID, "-n"}, wrapper...), exe)
	n := &node{host: h, cmd: exec.Command("nsenter", args...)}
	n.cmd.Env = append(append(os.Environ(), roleVar+"=director", lockVar+"="+lock), env...)
	n.cmd.Stderr = os.Stderr
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if n.in, err = n.cmd.StdinPipe(); err != nil {
		h.t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	go n.read(out)
	h.t.Cleanup(func() {
		n.kill(syscall.SIGKILL)
		if pid := n.report().PID; pid != 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if h.t.Failed() {
			n.mu.Lock()
			h.t.Logf("%s:\n%s", h.name, strings.Join(n.log, ""))
			n.mu.Unlock()
		}
	})
	return n
}

func (n *node) read(r io.Reader) {
	for d := json.NewDecoder(r); ; {
		var rep report
		if d.Decode(&rep) != nil {
			return
		}
		n.mu.Lock()
		if rep.Log != "" {
			n.log = append(n.log, rep.Log)
		} else {
			n.last = rep
		}
		n.mu.Unlock()
	}
}

func (n *node) report() report {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last
}

// told counts the lines of the director's log that contain all the words.
func (n *node) told(words ...string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := 0
	for _, line := range n.log {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			count++
		}
	}
	return count
}

func (n *node) kill(s syscall.Signal) {
	if n.cmd.ProcessState == nil {
		_ = n.cmd.Process.Signal(s)
		if s == syscall.SIGKILL {
			_ = n.cmd.Wait()
		}
	}
}

func (n *node) desire(d vrrp.Desired) {
	n.t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		n.t.Fatal(err)
	}
	if _, err := n.in.Write(append(b, '\n')); err != nil {
		n.t.Fatal(err)
	}
}

// stop stops the director properly, and waits for its end.
func (n *node) stop() {
	n.t.Helper()
	if _, err := io.WriteString(n.in, "stop\n"); err != nil {
		n.t.Fatal(err)
	}
	if err := n.cmd.Wait(); err != nil {
		n.t.Errorf("the director's end: %v", err)
	}
}

// state is the state of the only router.
func (n *node) state() vrrp.State {
	if s := n.report().Statuses; len(s) == 1 {
		return s[0].State
	}
	return vrrp.Initialize
}

// wait polls until what is told is true, and returns how long that took.
func wait(t testing.TB, what string, ok func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for ; !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 15*time.Second {
			t.Fatalf("not within 15 s: %s", what)
		}
	}
	return time.Since(begin)
}

// An echo asks an address every 2 ms and knows which questions were answered.
type echo struct {
	mu       sync.Mutex
	sent     []time.Time
	answered map[int]bool
	late     time.Duration // at most, with a question: this machine is so busy
	stop     chan struct{}
	done     sync.WaitGroup
}

func newEcho(n *network) *echo {
	t, addr := n.t, n.at(200)
	t.Helper()
	c, err := icmp.ListenPacket("ip4:icmp", n.at(254))
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{answered: make(map[int]bool), stop: make(chan struct{})}
	e.done.Go(func() { e.ask(c, &net.IPAddr{IP: net.ParseIP(addr)}) })
	e.done.Go(func() { e.listen(c) })
	t.Cleanup(func() { _ = c.Close(); e.done.Wait() })
	t.Cleanup(e.end)
	return e
}

func (e *echo) ask(c *icmp.PacketConn, to net.Addr) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for seq := 0; ; seq++ {
		var at time.Time
		select {
		case <-e.stop:
			return
		case at = <-tick.C:
		}
		m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 7, Seq: seq}}
		b, _ := m.Marshal(nil)
		e.mu.Lock()
		e.sent = append(e.sent, time.Now())
		e.late = max(e.late, time.Since(at))
		e.mu.Unlock()
		_, _ = c.WriteTo(b, to)
	}
}

func (e *echo) listen(c *icmp.PacketConn) {
	b := make([]byte, 1500)
	for {
		n, _, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		m, err := icmp.ParseMessage(1, b[:n])
		if body, ok := m.Body.(*icmp.Echo); err == nil && ok && m.Type == ipv4.ICMPTypeEchoReply {
			e.mu.Lock()
			e.answered[body.Seq] = true
			e.mu.Unlock()
		}
	}
}

func (e *echo) end() {
	select {
	case <-e.stop:
	default:
		close(e.stop)
	}
}

// gap ends the questions and tells the longest time without an answer, and
// how many questions had none. Where none was lost there is no gap: this
// machine may have been too busy to ask. How late it was counts for nobody.
func (e *echo) gap() (longest time.Duration, lost int) {
	e.end()
	time.Sleep(50 * time.Millisecond) // For the last answers.
	e.mu.Lock()
	defer e.mu.Unlock()
	var last time.Time
	missing := 0
	for seq, at := range e.sent {
		if !e.answered[seq&0xffff] {
			missing++
			continue
		}
		if missing > 0 && !last.IsZero() {
			longest = max(longest, at.Sub(last))
		}
		lost += missing
		last, missing = at, 0
	}
	return max(0, longest-e.late), lost + missing
}

// ended reports whether a process has ended, whether or not anybody asked.
func ended(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(b), ") Z ")
}

func lockFile(t testing.TB) string { return filepath.Join(t.TempDir(), "keeper.lock") }
