package modules

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/rawip"
)

// A patient is the lab's machine itself, which lvsd doctor examines as a director.
type patient struct {
	t                   *testing.T
	binary, config, dir string
}

// byNAT is its configuration, with a scheduler.
const byNAT = `
virtual_service "web" {
  address   = "10.13.0.200"
  port      = 80
  forward   = "nat"
  scheduler = %q
  check "none" {}
  real_server "10.9.9.2" {}
}
`

// TestDoctorOfTheKernel breaks the kernel, whose modules and limits all namespaces share, and
// mends it by what lvsd doctor does or tells.
func TestDoctorOfTheKernel(t *testing.T) {
	if !cluster.OnOwnKernel() {
		t.Skip("needs a kernel of the lab's alone: make integration KERNEL=uml or qemu")
	}
	p := &patient{t: t, binary: cluster.Binary(t), config: t.TempDir(), dir: t.TempDir()}
	p.schedule("wlc")
	p.run("ip address add 10.13.0.200/32 dev lo")
	t.Cleanup(func() { p.run("ip address del 10.13.0.200/32 dev lo") })
	p.testModules()
	p.testOffload()
	p.testTracking()
}

// schedule writes the configuration.
func (p *patient) schedule(scheduler string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.config, "web.hcl"), fmt.Appendf(nil, byNAT, scheduler), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// run runs a command, words between spaces.
func (p *patient) run(line string) {
	p.t.Helper()
	words := strings.Fields(line)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v: %s", line, err, out)
	}
}

// examined is what lvsd doctor says, by the codes of examinations.
func (p *patient) examined(flags ...string) map[string]api.Examination {
	p.t.Helper()
	args := append([]string{"doctor", "-o", "json", "--director", "--config", p.config, "--state-dir", p.dir, "--socket", p.dir + "/none"}, flags...)
	out, err := exec.CommandContext(p.t.Context(), p.binary, args...).Output()
	all, err := cluster.Examinations(string(out), err)
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

// wantWrong fails the test unless an examination says something wrong with a text, and returns
// what it tells to do.
func (p *patient) wantWrong(all map[string]api.Examination, code, text string) (remedy string) {
	p.t.Helper()
	e := all[code]
	if e.State != api.Wrong || !strings.Contains(e.Findings[0].Text, text) {
		p.t.Fatalf("%s is %s %q %+v, want %q", code, e.State, e.Why, e.Findings, text)
	}
	return e.Findings[0].Remedy
}

// wantFine fails the test unless examinations find nothing.
func (p *patient) wantFine(all map[string]api.Examination, codes ...string) {
	p.t.Helper()
	for _, code := range codes {
		if e := all[code]; e.State != api.Fine {
			p.t.Errorf("%s is %s %q %+v", code, e.State, e.Why, e.Findings)
		}
	}
}

// unload removes IPVS from the kernel, once the namespaces of other tests are gone.
func (p *patient) unload() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // also while the test is cleaned up
	defer cancel()
	err := cluster.Until(ctx, "IPVS to leave the kernel", func() (bool, error) {
		users, _ := filepath.Glob("/sys/module/ip_vs/holders/*")
		for _, path := range append(users, "ip_vs") {
			_ = exec.Command("modprobe", "-r", filepath.Base(path)).Run()
		}
		_, err := os.Stat("/sys/module/ip_vs")
		return os.IsNotExist(err), nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// testModules has a small table full of connections and a scheduler that no kernel of Debian's
// has; then the kernel has no IPVS, which --fix loads with a table as it was told.
func (p *patient) testModules() {
	const options, many = "/run/modprobe.d/lvsd-test.conf", 8*256 + 50
	p.t.Cleanup(func() {
		_ = os.Remove(options)
		p.run("ipvsadm -C")
		p.unload()
		p.run("modprobe ip_vs")
	})
	p.unload()
	p.run("modprobe ip_vs conn_tab_bits=8")
	p.knock(many)
	p.schedule("twos")
	all := p.examined()
	p.wantWrong(all, "scheduler", "this kernel has no module ip_vs_twos")
	told := regexp.MustCompile(`options ip_vs \S+`).FindString(p.wantWrong(all, "table-size", "are in a table of 256 buckets"))
	if err := os.MkdirAll(filepath.Dir(options), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(options, []byte(told+"\n"), 0o644); err != nil {
		p.t.Fatal(err)
	}
	p.schedule("wlc")
	p.run("ipvsadm -C")
	p.unload()
	all = p.examined("--fix")
	p.wantFine(all, "ipvs", "scheduler")
	if done := all["ipvs"].Done; len(done) != 1 || done[0] != "modprobe ip_vs" {
		p.t.Errorf("where the kernel had no IPVS, --fix did %q", done)
	}
	p.knock(many)
	p.wantFine(p.examined(), "table-size")
}

// testOffload has a bond, which always says that it puts packets together, and in it a card
// whose driver does, which only Debian's kernel has. A kernel that forwards switches it off.
func (p *patient) testOffload() {
	if !cluster.InQEMU() {
		return
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("0"), 0); err != nil {
		p.t.Fatal(err)
	}
	p.run("modprobe bonding")
	p.run("modprobe vmxnet3")
	p.t.Cleanup(func() { p.run("modprobe -r vmxnet3") })
	cards, _ := filepath.Glob("/sys/bus/pci/drivers/vmxnet3/*/net/*")
	if len(cards) != 1 {
		p.t.Fatalf("the machine has cards %q", cards)
	}
	card := filepath.Base(cards[0])
	p.run("ip link add inside0 type bond")
	p.t.Cleanup(func() { p.run("ip link del inside0") })
	p.run("ip link set inside0 up")
	p.run("ip address add 10.9.9.1/24 dev inside0")
	p.wantFine(p.examined(), "offload")
	p.run("ip link set " + card + " master inside0")
	remedy := p.wantWrong(p.examined(), "offload", card+", whose packets are those of inside0, puts packets together")
	told, _, _ := strings.Cut(strings.TrimPrefix(remedy, "switch it off: "), ",")
	p.run(told)
	p.wantFine(p.examined(), "offload")
}

// knock has IPVS begin so many connections.
func (p *patient) knock(n int) {
	p.t.Helper()
	p.run("ipvsadm -A -t 10.13.0.200:80 -s wlc")
	p.run("ipvsadm -a -t 10.13.0.200:80 -r 10.9.9.2 -m")
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		p.t.Fatal(err)
	}
	defer unix.Close(fd)
	virtual := netip.MustParseAddr("10.13.0.200")
	for i := range n {
		b := make([]byte, rawip.HeaderLen)
		rawip.Segment{From: uint16(10_000 + i), To: 80, Seq: 1, Flags: rawip.SYN}.Put(b)
		rawip.Seal(b, virtual, virtual)
		if err := unix.Sendto(fd, b, 0, &unix.SockaddrInet4{Addr: virtual.As4()}); err != nil && err != unix.EHOSTUNREACH {
			p.t.Fatal(err)
		}
	}
}

// testTracking has the kernel track connections, nearly as many as it may.
func (p *patient) testTracking() {
	if !cluster.InQEMU() {
		return // user-mode Linux has no rules that track
	}
	const limit = "/proc/sys/net/netfilter/nf_conntrack_max"
	before, err := os.ReadFile(limit)
	if err != nil {
		p.t.Fatal(err)
	}
	set := func(value string) {
		if err := os.WriteFile(limit, []byte(value), 0); err != nil {
			p.t.Fatal(err)
		}
	}
	p.t.Cleanup(func() { set(string(before)) })
	p.run("nft add table ip doctor")
	p.t.Cleanup(func() { p.run("nft delete table ip doctor") })
	p.run("nft add chain ip doctor input { type filter hook input priority 0; }")
	p.run("nft add rule ip doctor input ct state new counter")
	p.wantFine(p.examined(), "tracking")
	set("50")
	for range 45 {
		c, err := net.Dial("udp4", "10.13.0.200:9")
		if err != nil {
			p.t.Fatal(err)
		}
		_, _ = c.Write([]byte("x")) // It is refused, as nobody listens.
		_ = c.Close()
	}
	p.wantWrong(p.examined(), "tracking", "of at most 50 connections are tracked")
	set(string(before))
	p.wantFine(p.examined(), "tracking")
}
