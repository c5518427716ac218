package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A Host is one machine of the cluster: a thread in namespaces of its own, and
// the processes started from it. Its methods may be called by any goroutine.
type Host struct {
	// Name is its host name too.
	Name string
	// Dir is a folder of its own, seen at the same path by all hosts.
	Dir string

	tid   int
	net   netns.NsHandle
	links *netlink.Handle
	work  chan func()
	ports map[string]port // by the name of the host's interface
}

// A port is the switch's end of a cable.
type port struct {
	wire *Host
	link netlink.Link
}

// newHost starts the host's thread.
func newHost(name, dir string) (*Host, error) {
	h := &Host{Name: name, Dir: filepath.Join(dir, name), work: make(chan func()), ports: map[string]port{}}
	if err := os.MkdirAll(h.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of %s: %w", name, err)
	}
	ready := make(chan error)
	go h.thread(ready)
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("making the host %s: %w", name, err)
	}
	return h, nil
}

// thread is the host's thread. It is never unlocked, so that the thread, and
// with it everything that was started from it, ends when the goroutine does.
func (h *Host) thread(ready chan<- error) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// The first thread of a process does not end before the process: it
		// is held here until another goroutine has got another thread.
		other := make(chan error)
		go h.thread(other)
		ready <- <-other
		runtime.UnlockOSThread()
		return
	}
	err := h.enter()
	ready <- err
	if err != nil {
		return
	}
	for f := range h.work {
		f()
	}
}

// enter moves the calling thread into new namespaces and prepares them.
func (h *Host) enter() (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWUTS); err != nil {
		return fmt.Errorf("unsharing namespaces (root is needed): %w", err)
	}
	h.tid = unix.Gettid()
	err = errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"),
		unix.Mount("sysfs", "/sys", "sysfs", 0, ""),
		unix.Sethostname([]byte(h.Name)),
	)
	if err != nil {
		return fmt.Errorf("preparing the namespaces: %w", err)
	}
	if h.net, err = netns.Get(); err != nil {
		return fmt.Errorf("opening the network namespace: %w", err)
	}
	if h.links, err = netlink.NewHandleAt(h.net); err != nil {
		return fmt.Errorf("opening netlink: %w", err)
	}
	lo, err := h.links.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("finding the loopback interface: %w", err)
	}
	// Addresses are usable at once: nobody else has them.
	_ = writeSysctl("net/ipv6/conf/default/accept_dad", "0")
	return h.links.LinkSetUp(lo)
}

// do runs f on the host's thread: in its network, with its mounts.
func (h *Host) do(f func() error) error {
	done := make(chan error, 1)
	h.work <- func() { done <- f() }
	return <-done
}

// home is the network namespace that this process was started in.
var home = sync.OnceValues(func() (netns.NsHandle, error) {
	return netns.GetFromPid(os.Getpid())
})

// In runs f with the calling goroutine's thread in the host's network, and
// there alone: sockets that f opens stay there. f must not start goroutines
// that open some.
func (h *Host) In(f func() error) error {
	home, err := home()
	if err != nil {
		return fmt.Errorf("opening the own network namespace: %w", err)
	}
	runtime.LockOSThread()
	if err := netns.Set(h.net); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("entering the network of %s: %w", h.Name, err)
	}
	err = f()
	if back := netns.Set(home); back != nil {
		return errors.Join(err, fmt.Errorf("leaving the network of %s: %w", h.Name, back)) // the thread stays locked, and ends
	}
	runtime.UnlockOSThread()
	return err
}

// command prepares a command for the host's thread. It dies with that thread.
func (h *Host) command(ctx context.Context, args []string) *exec.Cmd {
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.SysProcAttr = dying()
	return c
}

// dying makes a process die with the thread that started it.
func dying() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// Run runs a command on the host and returns what it printed.
func (h *Host) Run(ctx context.Context, args ...string) (string, error) {
	var out strings.Builder
	c := h.command(ctx, args)
	c.Stdout, c.Stderr = &out, &out
	err := h.do(c.Start)
	if err == nil {
		err = c.Wait()
	}
	if err != nil {
		return out.String(), fmt.Errorf("%s on %s: %w: %s", strings.Join(args, " "), h.Name, err, strings.TrimSpace(out.String()))
	}
	return out.String(), nil
}

// Enter returns the command line that runs a command on the host from outside
// of this process.
func (h *Host) Enter() []string {
	ns := fmt.Sprintf("/proc/%d/task/%d/ns/", os.Getpid(), h.tid)
	return []string{"nsenter", "--net=" + ns + "net", "--mount=" + ns + "mnt", "--uts=" + ns + "uts", "--wd=" + h.Dir, "--"}
}

// Addresses lists the addresses on the host's interfaces.
func (h *Host) Addresses() ([]netip.Prefix, error) {
	list, err := h.links.AddrList(nil, netlink.FAMILY_ALL)
	for err != nil && errors.Is(err, netlink.ErrDumpInterrupted) {
		list, err = h.links.AddrList(nil, netlink.FAMILY_ALL) // something changed meanwhile
	}
	if err != nil {
		return nil, fmt.Errorf("listing the addresses of %s: %w", h.Name, err)
	}
	var prefixes []netip.Prefix
	for _, a := range list {
		addr, _ := netip.AddrFromSlice(a.IP)
		bits, _ := a.Mask.Size()
		prefixes = append(prefixes, netip.PrefixFrom(addr.Unmap(), bits))
	}
	return prefixes, nil
}

// Holds reports whether the address is on one of the host's interfaces.
func (h *Host) Holds(addr netip.Addr) (bool, error) {
	prefixes, err := h.Addresses()
	for _, p := range prefixes {
		if p.Addr() == addr {
			return true, nil
		}
	}
	return false, err
}

// Accepts reports whether the host's kernel takes packets for an address as its own. One of
// IPv6 it lists before: a thread of the kernel makes it work (addrconf_dad_work in
// net/ipv6/addrconf.c), which waits for its turn like any other.
func (h *Host) Accepts(addr netip.Addr) (bool, error) {
	routes, err := h.links.RouteGet(addr.AsSlice())
	if errors.Is(err, unix.ENETUNREACH) || errors.Is(err, unix.EHOSTUNREACH) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking %s for the way to %v: %w", h.Name, addr, err)
	}
	return len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL, nil
}

// Cut takes the carrier from one of the host's interfaces, as a switch does
// whose port is shut; Restore gives it back.
func (h *Host) Cut(iface string) error     { return h.setPort(iface, false) }
func (h *Host) Restore(iface string) error { return h.setPort(iface, true) }

func (h *Host) setPort(iface string, up bool) error {
	p, ok := h.ports[iface]
	if !ok {
		return fmt.Errorf("%s has no cable at %s", h.Name, iface)
	}
	set := p.wire.links.LinkSetDown
	if up {
		set = p.wire.links.LinkSetUp
	}
	if err := set(p.link); err != nil {
		return fmt.Errorf("setting the port of %s at %s (up: %t): %w", iface, h.Name, up, err)
	}
	return nil
}

// Deafen has the switch forward nothing from or to one of the host's interfaces, whose
// carrier stays, as it does after a link came up, with spanning tree; Hear ends that.
func (h *Host) Deafen(iface string) error { return h.setForwarding(iface, "listening") }
func (h *Host) Hear(iface string) error   { return h.setForwarding(iface, "forwarding") }

// Flood has the switch pass multicast to one of the host's interfaces, or none but what
// somebody has asked who listens to.
func (h *Host) Flood(iface string, multicast bool) error {
	p, ok := h.ports[iface]
	if !ok {
		return fmt.Errorf("%s has no cable at %s", h.Name, iface)
	}
	state := map[bool]string{false: "off", true: "on"}[multicast]
	_, err := p.wire.Run(context.Background(), "bridge", "link", "set", "dev", p.link.Attrs().Name, "mcast_flood", state)
	return err
}

func (h *Host) setForwarding(iface, state string) error {
	p, ok := h.ports[iface]
	if !ok {
		return fmt.Errorf("%s has no cable at %s", h.Name, iface)
	}
	_, err := p.wire.Run(context.Background(), "bridge", "link", "set", "dev", p.link.Attrs().Name, "state", state)
	return err
}

// Sysctl sets a kernel parameter of the host's network: "net/ipv4/ip_forward".
func (h *Host) Sysctl(name, value string) error {
	return h.do(func() error { return writeSysctl(name, value) })
}

func writeSysctl(name, value string) error {
	if err := os.WriteFile("/proc/sys/"+name, []byte(value), 0); err != nil {
		return fmt.Errorf("setting %s to %s: %w", name, value, err)
	}
	return nil
}

// PIDs lists the processes on the host.
func (h *Host) PIDs() ([]int, error) { return pids(h) }

// pids lists the processes on the hosts, by their network namespaces.
func pids(hosts ...*Host) ([]int, error) {
	spaces := map[uint64]bool{}
	for _, h := range hosts {
		var s unix.Stat_t
		if err := unix.Fstat(int(h.net), &s); err != nil {
			return nil, fmt.Errorf("reading the network namespace of %s: %w", h.Name, err)
		}
		spaces[s.Ino] = true
	}
	folders, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing the processes: %w", err)
	}
	var found []int
	for _, f := range folders {
		pid, err := strconv.Atoi(f.Name())
		if err != nil {
			continue
		}
		var s unix.Stat_t
		if unix.Stat("/proc/"+f.Name()+"/ns/net", &s) == nil && spaces[s.Ino] {
			found = append(found, pid)
		}
	}
	return found, nil
}

// SignalAll sends a signal to every process on the host, those of which no
// Process tells included.
func (h *Host) SignalAll(s syscall.Signal) error { return signalAll(s, h) }

func signalAll(s syscall.Signal, hosts ...*Host) error {
	found, err := pids(hosts...)
	for _, pid := range found {
		if e := syscall.Kill(pid, s); e != nil && !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, fmt.Errorf("sending %v to process %d: %w", s, pid, e))
		}
	}
	return err
}

// close ends the host, whose processes have ended.
func (h *Host) close() error {
	h.links.Close()
	close(h.work)
	return h.net.Close()
}

// addAddress gives an interface of the host an address, without asking the
// network whether somebody has it.
func (h *Host) addAddress(iface, prefix string) error {
	link, err := h.links.LinkByName(iface)
	if err != nil {
		return fmt.Errorf("finding %s of %s: %w", iface, h.Name, err)
	}
	p, err := netip.ParsePrefix(prefix)
	if err != nil {
		return err
	}
	addr := &netlink.Addr{IPNet: &net.IPNet{
		IP:   p.Addr().AsSlice(),
		Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
	}}
	if p.Addr().Is6() {
		addr.Flags = unix.IFA_F_NODAD
	}
	if err := h.links.AddrAdd(link, addr); err != nil {
		return fmt.Errorf("adding %s to %s of %s: %w", prefix, iface, h.Name, err)
	}
	return nil
}

// addDefaultRoute sends what is for elsewhere to the gateway.
func (h *Host) addDefaultRoute(gateway string) error {
	link, err := h.links.LinkByName("eth0")
	if err != nil {
		return fmt.Errorf("finding eth0 of %s: %w", h.Name, err)
	}
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Gw: net.ParseIP(gateway)}
	if err := h.links.RouteAdd(route); err != nil {
		return fmt.Errorf("adding the default route of %s by %s: %w", h.Name, gateway, err)
	}
	return nil
}
