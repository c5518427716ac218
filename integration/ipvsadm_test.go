package integration

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/ipvsctl/ipvsadm"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
)

var (
	commandLines = flag.Int("commands", 500, "how many command lines TestIpvsadm gives to both")
	commandSeed  = flag.Uint64("commands-seed", 1, "which ones")
)

// A site is a network namespace of its own, with a table of its own.
type site struct {
	t    *testing.T
	work chan func()
}

func newSite(t *testing.T) *site {
	s := &site{t, make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // and the thread ends with the goroutine, in its namespace
		ready <- unix.Unshare(unix.CLONE_NEWNET)
		for f := range s.work {
			f()
		}
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(s.work) })
	const links = "link set lo up\nlink add d0 type dummy\naddr add 10.13.0.100/16 dev d0\naddr add 2001:db8::100/64 dev d0 nodad\nlink set d0 up\n"
	if got := s.exec(links, "ip", "-batch", "-"); got.status != 0 {
		t.Fatalf("ip -batch: %v", got)
	}
	return s
}

// An outcome is what a command has printed, and its exit status.
type outcome struct {
	out, err string
	status   int
}

// exec runs a program there.
func (s *site) exec(in string, args ...string) (o outcome) {
	done := make(chan bool)
	s.work <- func() {
		defer close(done)
		var out, complaints bytes.Buffer
		c := exec.Command(args[0], args[1:]...)
		c.Stdin, c.Stdout, c.Stderr = strings.NewReader(in), &out, &complaints
		err := c.Run()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			s.t.Errorf("%v: %v", args, err)
		}
		o = outcome{out.String(), complaints.String(), c.ProcessState.ExitCode()}
	}
	<-done
	return o
}

// theirs runs Debian's ipvsadm there, and ours carries the same out in this process.
func (s *site) theirs(in string, args ...string) outcome {
	return s.exec(in, append([]string{"ipvsadm"}, args...)...)
}

func (s *site) ours(in string, args ...string) (o outcome) {
	done := make(chan bool)
	s.work <- func() {
		defer close(done)
		var out, complaints bytes.Buffer
		var open []io.Closer
		session := ipvsadm.Session{
			Program: "ipvsadm", Names: localNames(), In: strings.NewReader(in), Out: bufio.NewWriter(&out), Err: &complaints,
			Open: func() (ipvsadm.Kernel, error) {
				c, err := kernel.Dial()
				if err == nil {
					open = append(open, c)
				}
				return c, err
			},
			Connections: func() (io.ReadCloser, error) { return os.Open("/proc/thread-self/net/ip_vs_conn") },
			Owner:       func(string) (*ipvsadm.Owner, error) { return nil, nil },
		}
		o.status = session.Run(context.Background(), args)
		o.out, o.err = out.String(), complaints.String()
		for _, c := range open {
			_ = c.Close()
		}
	}
	<-done
	return o
}

// localNames are those that ipvsadm finds without a network.
func localNames() ipvsadm.Names {
	services, _ := os.ReadFile("/etc/services")
	return ipvsadm.Names{
		Address: func(host string) (netip.Addr, bool) {
			return netip.AddrFrom4([4]byte{127, 0, 0, 1}), host == "localhost"
		},
		Host:     func(a netip.Addr) (string, bool) { return "localhost", a == netip.AddrFrom4([4]byte{127, 0, 0, 1}) },
		Services: ipvsadm.ParseServices(string(services)),
	}
}

// TestIpvsadm gives the same command lines to Debian's ipvsadm in one network namespace and
// to lvsd ipvs in another one: exit statuses, tables and lists are the same. The lines that
// ipvsadm -R can have go to it together, since a process is dear in user-mode Linux; those
// which end it, each alone.
func TestIpvsadm(t *testing.T) {
	cluster.NeedLab(t)
	a, b := newSite(t), newSite(t)
	g := newCommandLines(*commandSeed)
	var lines []string
	for i := range *commandLines {
		args := g.next()
		c, err := ipvsadm.Parse(args, localNames())
		ends := errors.As(err, new(*ipvsadm.Error)) || c.Verb == ipvsadm.Help
		switch {
		case !ends && c.Verb == ipvsadm.List && c.Listing.Subject <= ipvsadm.Connections:
			compareLists(t, a, args) // Only one of the tables has connections.
		case !ends && !slices.ContainsFunc(args, unfit):
			lines = append(lines, strings.Join(args, " "))
		case ends:
			compareStatus(t, args, a.theirs("", args...), b.ours("", args...))
		}
		if len(lines) == 40 || i == *commandLines-1 {
			compareRestored(t, a, b, lines)
			lines = nil
			a.sendPackets()
			compareLists(t, a, g.list())
		}
		if t.Failed() {
			t.Fatalf("after %d lines, with -commands-seed %d", i+1, *commandSeed)
		}
	}
	compareSaved(t, a, b)
}

// unfit reports whether -R cannot have a word.
func unfit(word string) bool { return word == "" || strings.ContainsAny(word, " \t\n#") }

func compareStatus(t *testing.T, args []string, theirs, ours outcome) {
	t.Helper()
	if theirs.status < 0 {
		return // It has crashed, by "-b ,".
	}
	if theirs.status != ours.status || theirs.status != 0 && ours.err == "" {
		t.Errorf("%q:\nipvsadm    %d %s\nlvsd ipvs  %d %s", args, theirs.status, theirs.err, ours.status, ours.err)
	}
}

// compareRestored has both carry out lines, and compares what they say and have done.
func compareRestored(t *testing.T, a, b *site, lines []string) {
	t.Helper()
	text := strings.Join(lines, "\n") + "\n"
	theirs, ours := a.theirs(text, "-R"), b.ours(text, "-R")
	if theirs.out != ours.out || theirs.status != ours.status || strings.Count(theirs.err, "\n") != strings.Count(ours.err, "\n") {
		t.Errorf("after\n%sipvsadm has status %d and said\n%s%slvsd ipvs %d and\n%s%s", text, theirs.status, theirs.out, theirs.err, ours.status, ours.out, ours.err)
	}
	if want, got := a.theirs("", "-Sn"), b.theirs("", "-Sn"); want != got {
		t.Errorf("after\n%sthe table is, by ipvsadm,\n%s\nand by lvsd ipvs\n%s", text, want.out, got.out)
	}
}

// compareLists compares lists of one table.
func compareLists(t *testing.T, a *site, args []string) {
	t.Helper()
	var theirs, ours outcome
	for range 5 { // Rates may be estimated anew in between, and connections end.
		theirs, ours = a.theirs("", args...), a.ours("", args...)
		if withoutSeconds(theirs.out) == withoutSeconds(ours.out) && theirs.status == ours.status {
			return
		}
	}
	t.Errorf("%q:\nipvsadm has %d and\n%s%slvsd ipvs %d and\n%s%s", args, theirs.status, theirs.err, theirs.out, ours.status, ours.err, ours.out)
}

// ending are connections that are over in a moment, and expiry how long others still last.
var (
	ending = regexp.MustCompile(`(?m)^\w+ +00:0[0-2] .*\n`)
	expiry = regexp.MustCompile(`(?m)^(\w+ +)\d+:\d\d +`)
)

// withoutSeconds is a list without the seconds that pass.
func withoutSeconds(list string) string {
	return expiry.ReplaceAllString(ending.ReplaceAllString(list, ""), "${1}mm:ss ")
}

// sendPackets gives some services connections.
func (s *site) sendPackets() {
	done := make(chan bool)
	s.work <- func() {
		defer close(done)
		for _, to := range []string{"10.13.0.1:53", "10.13.0.2:5060", "[2001:db8::1]:53"} {
			if c, err := net.Dial("udp", to); err == nil {
				_, _ = c.Write([]byte("?")) // Nobody answers, or there is no such service.
				_ = c.Close()
			}
		}
	}
	<-done
}

// compareSaved restores what each has saved by the other.
func compareSaved(t *testing.T, a, b *site) {
	t.Helper()
	for _, how := range []string{"-S", "-Sn"} {
		theirs, ours := a.theirs("", how), b.ours("", how)
		if theirs.out != ours.out {
			t.Errorf("%s prints, by ipvsadm,\n%s\nand by lvsd ipvs\n%s", how, theirs.out, ours.out)
		}
		a.theirs("", "-C")
		b.ours("", "-C")
		restored, again := a.theirs(ours.out, "-R"), b.ours(theirs.out, "-R")
		if restored.status != 0 || restored.err != "" || again.status != 0 || again.err != "" {
			t.Errorf("%s restored by the other: ipvsadm %d %s, lvsd ipvs %d %s", how, restored.status, restored.err, again.status, again.err)
		}
		if got, want := a.theirs("", how), b.theirs("", how); got.out != theirs.out || want.out != theirs.out {
			t.Errorf("%s was\n%s\nand restored\n%s\nand\n%s", how, theirs.out, got.out, want.out)
		}
	}
}

// Sync daemons are compared apart: one that is stopped as soon as it was started makes
// ipvsadm wait for ever.
func TestIpvsadmSyncDaemons(t *testing.T) {
	cluster.NeedLab(t)
	a, b := newSite(t), newSite(t)
	for _, line := range []string{
		"--start-daemon master --mcast-interface d0 --syncid 7",
		"--start-daemon=backup --mcast-interface=d0 --syncid 300",
		"--start-daemon backup --mcast-interface d0 --mcast-group 224.0.0.99 --mcast-port 9000 --mcast-ttl 3 --sync-maxlen 1000",
		"--start-daemon master --mcast-interface d0",
		"-L --daemon",
		"--stop-daemon backup --syncid 1",
		"--start-daemon backup --mcast-interface d0 --mcast-group ff02::99",
		"-L --daemon -n",
		"--stop-daemon master",
		"--stop-daemon master",
		"--stop-daemon nobody",
		"--start-daemon master --mcast-interface nosuch0",
		"--start-daemon master --mcast-group 10.0.0.1",
		"-l --daemon --timeout",
		"--stop-daemon backup",
	} {
		args := strings.Fields(line)
		theirs, ours := a.theirs("", args...), b.ours("", args...)
		compareStatus(t, args, theirs, ours)
		if theirs.out != ours.out {
			t.Errorf("%s: ipvsadm %s, lvsd ipvs %s", line, theirs.out, ours.out)
		}
	}
}

// The built program does the same under its other names.
func TestIpvsadmIsWhatTheProgramIsCalled(t *testing.T) {
	cluster.NeedLab(t)
	a := newSite(t)
	dir := t.TempDir()
	for _, name := range []string{"ipvsadm", "ipvsadm-save", "ipvsadm-restore"} {
		if err := os.Symlink(cluster.Binary(t), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	table := "-A -t 10.13.0.1:80 -s wrr -p 60 -M 255.255.255.0\n-a -t 10.13.0.1:80 -r 10.13.1.1:8080 -m -w 3\n-A -f 7 -6 -s rr\n"
	if got := a.exec("# a comment\n"+table, dir+"/ipvsadm-restore"); got.status != 0 || got.err != "" {
		t.Errorf("ipvsadm-restore: %+v", got)
	}
	for want, args := range map[string][]string{
		a.theirs("", "-Sn").out: {dir + "/ipvsadm-save", "-n"},
		a.theirs("").out:        {dir + "/ipvsadm"},
		a.theirs("", "-Ln").out: {cluster.Binary(t), "ipvs", "-Ln"},
	} {
		if got := a.exec("", args...); got.out != want || got.status != 0 {
			t.Errorf("%v: %+v, want %s", args, got, want)
		}
	}
	if got := a.exec("-A -t 10.13.0.2:80\n-A -t nonsense\n", dir+"/ipvsadm-restore"); got.status != 2 || !strings.Contains(got.err, "line 2: ") {
		t.Errorf("a table with a mistake: %+v", got)
	}
	if got := a.theirs("", "-Sn").out; got != table {
		t.Errorf("after a table with a mistake there is\n%s, want\n%s", got, table)
	}
}

// A commandLineMaker makes command lines that meet: over few addresses.
type commandLineMaker struct {
	*rand.Rand
	lists int
}

func newCommandLines(seed uint64) *commandLineMaker {
	return &commandLineMaker{Rand: rand.New(rand.NewPCG(seed, 9))}
}

func (g *commandLineMaker) one(of ...string) string { return of[g.IntN(len(of))] }

func (g *commandLineMaker) maybe(percent int, words ...string) []string {
	if g.IntN(100) < percent {
		return words
	}
	return nil
}

// next is a command line, one in ten with a mistake that was made on purpose.
func (g *commandLineMaker) next() []string {
	args := g.command()
	if g.IntN(10) == 0 {
		args = g.spoil(args)
	}
	return args
}

func (g *commandLineMaker) command() []string {
	switch n := g.IntN(100); {
	case n < 22:
		return slices.Concat([]string{g.one("-A", "-A", "-A", "--add-service")}, g.service(), g.serviceOptions())
	case n < 32:
		return slices.Concat([]string{g.one("-E", "--edit-service")}, g.service(), g.serviceOptions())
	case n < 37:
		return append([]string{g.one("-D", "--delete-service")}, g.service()...)
	case n < 70:
		return slices.Concat([]string{g.one("-a", "-a", "--add-server")}, g.service(), g.server(), g.serverOptions())
	case n < 80:
		return slices.Concat([]string{g.one("-e", "--edit-server")}, g.service(), g.server(), g.serverOptions())
	case n < 88:
		return slices.Concat([]string{g.one("-d", "--delete-server")}, g.service(), g.server())
	case n < 91:
		return append([]string{g.one("-Z", "--zero")}, g.maybe(70, g.service()...)...)
	case n < 94:
		return []string{"--set", g.number(), g.number(), g.number()}
	case n < 95:
		return []string{g.one("-C", "--clear")}
	default:
		// No list with connections, which only one of the tables has.
		return strings.Fields(g.one("-Sn", "-S", "-nS", "-L --timeout", "-l --timeout -n", "-L --daemon", "--save --numeric"))
	}
}

func (g *commandLineMaker) service() []string {
	switch g.IntN(8) {
	case 0:
		return append([]string{"-f", g.one("1", "7", "4000")}, g.maybe(40, g.one("-6", "--ipv6"))...)
	case 1:
		return []string{g.one("-t", "--tcp-service", "-u"), g.one("[2001:db8::1]:80", "[2001:db8::1]:53", "[::ffff:10.13.0.9]:80")}
	case 2:
		return []string{"--fwmark-service=" + g.one("3", "2147483647")}
	case 3:
		return []string{g.one("-u10.13.0.1:53", "-u=10.13.0.2:5060", "--udp-service=10.13.0.1:domain")}
	case 4:
		return []string{"--sctp-service", g.one("10.13.0.1:36412", "10.13.0.2:80")}
	default:
		return []string{g.one("-t", "-t", "-u"), g.one("10.13.0.1:80", "10.13.0.1:http", "10.13.0.2:443", "10.13.0.1:80", "10.13.0.2:0", "10.13.5:80", "0x0a0d0001:80", "localhost:80")}
	}
}

func (g *commandLineMaker) serviceOptions() []string {
	return slices.Concat(
		g.maybe(60, g.one("-s", "--scheduler"), g.one("rr", "wrr", "lc", "wlc", "sh", "mh", "dh", "sed", "nq", "fo", "ovf", "lblc", "lblcr", g.one("rr", "nosuch"))),
		g.maybe(25, g.one("-p", "--persistent")), g.maybe(4, "-p"+g.one("60", "=1", "2678400")),
		g.maybe(15, "-M", g.one("255.255.255.0", "255.0.255.0", "24", "64", "0.0.0.0", "128")),
		g.maybe(10, "--pe", g.one("sip", "sip", "sip", "nosuch")),
		g.maybe(5, g.one("-o", "--ops")),
		g.maybe(6, "-b", g.one("sh-port", "mh-fallback,mh-port", "flag-1,flag-2", "flag-1", "flag-2", "sh-port,sh-fallback")),
		g.maybe(3, "--sort"))
}

func (g *commandLineMaker) server() []string {
	return []string{g.one("-r", "-r", "--real-server"),
		g.one("10.13.1.1", "10.13.1.1:80", "10.13.1.1:8080", "10.13.1.2:80", "10.13.1.3:http", "10.13.1.2:0", "10.13.0.100:80", "10.13.1.4", g.one("[2001:db8::4]:80", "2001:db8::5"))}
}

func (g *commandLineMaker) serverOptions() []string {
	options := g.maybe(75, g.one("-g", "-i", "-i", "-m", "-m", "--masquerading", "--ipip", "--gatewaying"))
	if slices.Contains(options, "-i") || g.IntN(20) == 0 {
		options = append(options, strings.Fields(g.one("", "--tun-type ipip", "--tun-type gre", "--tun-type=gre --tun-csum", "--tun-type gue --tun-port 6080",
			"--tun-type gue --tun-remcsum --tun-port=1", "--tun-port 65535 --tun-csum --tun-type gue", "--tun-type gre --tun-remcsum", "--tun-type gue"))...)
	}
	return slices.Concat(options,
		g.maybe(60, g.one("-w", "--weight"), g.number()),
		g.maybe(15, g.one("-x", "--u-threshold"), g.number()), g.maybe(15, "-y", g.number()))
}

func (g *commandLineMaker) number() string {
	return g.one("0", "1", "3", "100", "65535", "65536", "70000", "+5", "007", "2147483647")
}

// spoil makes a mistake, or not quite.
func (g *commandLineMaker) spoil(args []string) []string {
	args = slices.Clone(args)
	i := g.IntN(len(args))
	switch g.IntN(5) {
	case 0:
		return slices.Delete(args, i, i+1)
	case 1:
		return slices.Insert(args, i, args[i])
	case 2:
		args[i] = g.one("", "x", "99999999999", "-1", "+5", " 7", "0x10", "1.2.3.4.5", "[::1", "::1", "10.13.0.1:99999", "80", "ipip", "2147483648", "-", "--", "é")
		return args
	case 3:
		j := g.IntN(len(args))
		args[i], args[j] = args[j], args[i]
		return args
	default:
		return slices.Insert(args, g.IntN(len(args)+1), g.one("-n", "-6", "-m", "-o", "-X", "--stats", "-c", "-w", "-p", "--nosuch", "-Q", "extra", "--numeric=1", "-L", "--tun-csum", "-n=", "--sort"))
	}
}

// list is a list, each option in turn.
func (g *commandLineMaker) list() []string {
	forms := []string{"", "--stats", "--rate", "--thresholds", "--persistent-conn", "--tun-info", "-c", "--timeout", "--daemon", "--stats --exact", "-c --persistent-conn", "--rate -X", "--nosort"}
	g.lists++
	args := append([]string{g.one("-L", "-l", "--list")}, strings.Fields(forms[g.lists%len(forms)])...)
	args = append(args, g.maybe(70, "-n")...)
	if g.lists%len(forms) < 6 {
		args = append(args, g.maybe(20, "--nosort")...)
		args = append(args, g.maybe(20, g.service()...)...)
	}
	return args
}

func (o outcome) String() string { return fmt.Sprintf("status %d, %s%s", o.status, o.out, o.err) }
