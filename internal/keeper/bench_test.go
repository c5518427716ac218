package keeper_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"golang.org/x/sys/unix"
)

// BenchmarkLateness tells how late adverts are, with 10 ms between them, beside
// a director that keeps both processors and its garbage collector busy. Run it
// with -benchtime=3000x.
func BenchmarkLateness(b *testing.B) {
	for _, routers := range []int{1, 100} {
		b.Run(fmt.Sprintf("routers=%d", routers), func(b *testing.B) {
			n := newNetwork(b)
			d := n.many(routers, 10*time.Millisecond)
			h := n.host()
			fd := tap(b, h)
			a := h.start(lockFile(b), heapVar+"=64")
			a.desire(d)
			wait(b, "all are Master", func() bool { return a.masters() == routers })
			late := arrivals(b, fd, b.N, 10*time.Millisecond)
			for _, p := range []struct {
				name string
				at   float64
			}{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}} {
				i := min(int(float64(len(late))*p.at), len(late)-1)
				b.ReportMetric(float64(late[i].Microseconds())/1000, p.name+"-ms")
			}
			b.ReportMetric(0, "ns/op")
			b.Logf("keeper: %+v", a.report().Process)
		})
	}
}

// BenchmarkMemory tells the keeper's share of the memory.
func BenchmarkMemory(b *testing.B) {
	for _, routers := range []int{1, 1000} {
		b.Run(fmt.Sprintf("routers=%d", routers), func(b *testing.B) {
			n := newNetwork(b)
			h := n.host()
			for i := 1; i < (routers+249)/250; i++ { // 250 ids on each interface
				h.Run(fmt.Sprintf("ip link add eth0.%d type veth peer name peer%d", i, i))
				h.Run(fmt.Sprintf("ip addr add 10.78.%d.1/24 dev eth0.%d", i, i))
				h.Run(fmt.Sprintf("ip link set eth0.%d up", i))
				h.Run(fmt.Sprintf("ip link set peer%d up", i))
			}
			a := h.start(lockFile(b))
			d := n.many(routers, time.Second)
			begin := time.Now()
			a.desire(d)
			wait(b, "all are Master", func() bool { return a.masters() == routers })
			wait(b, "all hold their address", func() bool { return a.held() == routers })
			b.Logf("all hold their address after %s", time.Since(begin))
			cpu := cpuTime(b, a.report().PID)
			time.Sleep(5 * time.Second)
			b.ReportMetric(float64(cpuTime(b, a.report().PID)-cpu)/5, "ms-CPU/s")
			b.ReportMetric(pss(b, a.report().PID), "keeper-PSS-MB")
			b.ReportMetric(pss(b, a.cmd.Process.Pid), "director-PSS-MB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// many desires routers with one address each.
func (n *network) many(routers int, interval time.Duration) vrrp.Desired {
	var d vrrp.Desired
	for i := range routers {
		c := n.router(150).Routers[0]
		c.Name, c.VRID, c.Interval = fmt.Sprintf("r%d", i), uint8(i%250+1), interval
		c.Interface = fmt.Sprintf("eth0.%d", i/250)
		if i < 250 {
			c.Interface = "eth0"
		}
		c.Addresses = []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 77, byte(i / 250), byte(i%250 + 1)}), 32)}
		d.Routers = append(d.Routers, c)
	}
	return d
}

func (n *node) masters() (count int) {
	for _, s := range n.report().Statuses {
		if s.State == vrrp.Master {
			count++
		}
	}
	return count
}

func (n *node) held() (count int) {
	for _, s := range n.report().Statuses {
		count += s.Held
	}
	return count
}

// tap opens a socket that sees what a host sends, with the time at which its
// kernel gave it to the interface: what happens to it later, in a bridge and
// under load, is not the keeper's.
func tap(b *testing.B, h *host) int {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		b.Fatal(err)
	}
	defer home.Close()
	there, err := os.Open("/proc/" + h.PID + "/ns/net")
	if err != nil {
		b.Fatal(err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		b.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.ETH_P_ALL<<8)
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil || back != nil {
		b.Fatal(err, back)
	}
	b.Cleanup(func() { _ = unix.Close(fd) })
	for _, err := range []error{
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	return fd
}

// arrivals receives n adverts of router 1, and returns how much longer than
// the interval each was in coming after the one before, sorted.
func arrivals(b *testing.B, fd, n int, interval time.Duration) []time.Duration {
	buf, oob := make([]byte, 2000), make([]byte, 200)
	var last time.Time
	var late []time.Duration
	for len(late) < n {
		size, oobn, _, _, err := unix.Recvmsg(fd, buf, oob, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			b.Fatal(err)
		}
		if size < 28 || buf[9] != vrrp.Protocol || buf[21] != 1 {
			continue
		}
		messages, err := unix.ParseSocketControlMessage(oob[:oobn])
		if err != nil || len(messages) == 0 {
			b.Fatalf("no time stamp: %v", err)
		}
		at := time.Unix(int64(binary.NativeEndian.Uint64(messages[0].Data)), int64(binary.NativeEndian.Uint64(messages[0].Data[8:])))
		if !last.IsZero() {
			late = append(late, at.Sub(last)-interval)
		}
		last = at
	}
	slices.Sort(late)
	return late
}

// pss is the proportional share of memory in megabytes.
func pss(b *testing.B, pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kb float64
		if n, _ := fmt.Sscanf(line, "Pss: %f kB", &kb); n == 1 {
			return kb / 1024
		}
	}
	b.Fatal("no Pss line")
	return 0
}

// cpuTime is the processor time of a process in milliseconds.
func cpuTime(b *testing.B, pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+2:]))
	var user, system int
	fmt.Sscan(fields[11], &user)
	fmt.Sscan(fields[12], &system)
	return (user + system) * 10
}
