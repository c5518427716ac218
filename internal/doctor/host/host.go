// Package host gathers what is known of this machine, for package doctor.
package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/doctor"
	"github.com/lvsd/lvsd/internal/machine"
)

// Look returns what is known of this machine, in the network namespace of the process, without
// what other packages know: who answers for addresses, the real server, the daemon.
func Look(ctx context.Context, c *config.Config) (*doctor.Facts, error) {
	servers := doctor.Servers(c)
	m, err := machine.Read(servers...)
	if err != nil {
		return nil, err
	}
	links, err := machine.Links()
	if err != nil {
		return nil, fmt.Errorf("listing this machine's interfaces: %w", err)
	}
	f := &doctor.Facts{
		Machine: m, Settings: make(map[machine.Setting]string), Modules: modules(ctx, doctor.NeededModules(c)), Ways: make(map[netip.Addr]doctor.Way),
		MTU: make(map[string]int), LargeReceive: make(map[string]string), Heard: make(map[netip.Addr][]string),
		Programs: programs(), ClockKept: machine.ClockKept(), Realtime: realtime(),
	}
	for _, s := range doctor.Wanted(c) {
		if value := s.Value(); value != "" {
			f.Settings[s] = value
		}
	}
	for _, a := range servers {
		f.Ways[a] = wayTo(a)
	}
	for _, l := range links {
		f.MTU[l.Name] = l.MTU
		if slices.Contains(traces, l.Name) {
			f.Traces = append(f.Traces, l.Name)
		}
		for _, card := range cardsOf(links, l.Name) {
			if largeReceive(card) {
				f.LargeReceive[l.Name] = card
			}
		}
	}
	f.Buckets, f.Connections = table()
	f.Tracked, f.TrackedMax = number("/proc/sys/net/netfilter/nf_conntrack_count"), number("/proc/sys/net/netfilter/nf_conntrack_max")
	f.Filters, f.Unfiltered = filters(ctx)
	return f, nil
}

func wayTo(a netip.Addr) doctor.Way {
	w, err := machine.WayTo(a)
	if err != nil {
		return doctor.Way{Failure: err.Error()}
	}
	return doctor.Way{Way: w}
}

// Load loads a module.
func Load(ctx context.Context, module string) error {
	out, err := modprobe(ctx, module).CombinedOutput()
	if err != nil {
		return fmt.Errorf("modprobe %s: %w: %s", module, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// modprobe is the program by which the kernel loads modules, or of that name if it is not seen
// here.
func modprobe(ctx context.Context, args ...string) *exec.Cmd {
	name := "modprobe"
	if text, err := os.ReadFile("/proc/sys/kernel/modprobe"); err == nil {
		if path := strings.TrimSpace(string(text)); path != "" {
			if _, err := os.Stat(path); err == nil {
				name = path
			}
		}
	}
	return exec.CommandContext(ctx, name, args...)
}

// modules tells of some modules whether the kernel has or could load them; nil: modprobe does
// not find IPVS itself either, so that it has no list of this kernel's.
func modules(ctx context.Context, names []string) map[string]bool {
	found := func(name string) bool { return modprobe(ctx, "-n", "-q", name).Run() == nil }
	if len(names) == 0 || !found("ip_vs") {
		return nil
	}
	all := make(map[string]bool)
	for _, name := range names {
		_, err := os.Stat("/sys/module/" + name)
		all[name] = err == nil || found(name)
	}
	return all
}

// cardsOf are the interfaces by which an interface's packets arrive: itself, or those that are
// its ports or below it. A bond has large-receive-offload always, whatever its ports do.
func cardsOf(links []machine.Link, name string) (cards []string) {
	virtual := false
	for i := range links {
		l := &links[i]
		switch {
		case l.Name == name && slices.Contains([]string{"bond", "team", "bridge", "vlan", "macvlan"}, l.Kind):
			virtual = true
			if l.Below != "" {
				cards = append(cards, cardsOf(links, l.Below)...)
			}
		case l.Master == name:
			cards = append(cards, cardsOf(links, l.Name)...)
		}
	}
	if virtual {
		return cards
	}
	return []string{name}
}

// rivals do what lvsd does, by the names of their processes.
var rivals = []string{"keepalived", "ldirectord", "heartbeat", "kube-proxy", "kube-router", "vrrpd", "ucarp"}

// traces are the interfaces that kube-proxy and kube-router give the addresses of their
// services, by the names that are fixed in them.
var traces = []string{"kube-ipvs0", "kube-dummy-if"}

// programs are the rivals that run in the network namespace of this process: one of each name.
func programs() (all []doctor.Program) {
	const folder = "/proc"
	ours, err := os.Readlink(folder + "/self/ns/net")
	if err != nil {
		return nil
	}
	processes, _ := os.ReadDir(folder)
	for _, p := range processes {
		pid, err := strconv.Atoi(p.Name())
		if err != nil {
			continue
		}
		name, _ := os.ReadFile(filepath.Join(folder, p.Name(), "comm"))
		rival := strings.TrimSpace(string(name))
		known := slices.ContainsFunc(all, func(p doctor.Program) bool { return p.Name == rival })
		if !known && slices.Contains(rivals, rival) {
			if theirs, err := os.Readlink(filepath.Join(folder, p.Name(), "ns/net")); err == nil && theirs == ours {
				all = append(all, doctor.Program{Name: rival, PID: pid})
			}
		}
	}
	return all
}

// realtime tries to give this thread a real-time priority for a moment, and returns why it may
// not have one. The thread goes on: with it would end the processes that it has started and
// that are to die with their parent.
func realtime() string {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		return "" // It cannot be told.
	}
	err = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}, 0)
	switch {
	case errors.Is(err, unix.EPERM) && os.Geteuid() != 0:
		return "" // That says nothing of the daemon.
	case err != nil:
		return err.Error()
	}
	_ = unix.SchedSetAttr(0, before, 0) // Less is always granted.
	return ""
}

// table is the size of IPVS's table of connections, and how many there are.
func table() (buckets, connections int) {
	text, err := os.ReadFile("/proc/net/ip_vs")
	if err != nil {
		return 0, 0
	}
	_, after, _ := strings.Cut(string(text), "size=")
	size, _, _ := strings.Cut(after, ")")
	buckets, _ = strconv.Atoi(size)
	file, err := os.Open("/proc/net/ip_vs_conn")
	if err != nil {
		return buckets, 0
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		connections++
	}
	return buckets, max(0, connections-1) // the head
}

// largeReceive reports whether an interface puts packets together in its hardware or driver
// (ETH_FLAG_LRO of ETHTOOL_GFLAGS in linux/ethtool.h).
func largeReceive(name string) bool {
	const getFlags, lro = 0x25, 1 << 15
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	value := struct{ command, data uint32 }{command: getFlags}
	request := struct { // struct ifreq (netdevice(7))
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}{data: unsafe.Pointer(&value)}
	copy(request.name[:unix.IFNAMSIZ-1], name)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	return errno == 0 && value.data&lro > 0
}

// filters asks nft(8) for what packet filters let in.
func filters(ctx context.Context) (chains []doctor.Chain, why string) {
	if text, err := os.ReadFile("/proc/net/ip_tables_names"); err == nil && strings.Contains(string(text), "filter") {
		return nil, "there are rules of the older iptables (iptables-legacy), which are not read"
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "nft", "-j", "list", "ruleset").Output()
	if err != nil {
		return nil, "nft cannot be asked for the packet filters (nft -j list ruleset: " + err.Error() + ")"
	}
	if chains, err = doctor.ParseFilters(out); err != nil {
		return nil, err.Error()
	}
	return chains, ""
}

// number reads a file with a number; 0: there is none.
func number(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return n
}
