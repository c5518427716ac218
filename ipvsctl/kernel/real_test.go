//go:build linux

package kernel_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
)

// The tests of this file need root and a kernel with IPVS. Each works in a
// network namespace of its own, so that the table of the machine that they run
// on is not touched.

var (
	addrs  = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}
	ours   = func(ipvsctl.ServiceKey) bool { return true }
	ctx    = context.Background()
	vip4   = netip.MustParseAddr("192.0.2.1")
	vip6   = netip.MustParseAddr("2001:db8::1")
	tcp4   = ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip4, Port: 80}
	plain  = ipvsctl.Service{Scheduler: "wrr", Netmask: 32}
	plain6 = ipvsctl.Service{Scheduler: "wrr", Netmask: 128}
)

// isolate puts the test into a network namespace of its own: the thread stays
// there, and ends with the test. Its loopback interface must be up: where no
// IPv4 address is, the kernel takes none for unicast and refuses all real
// servers.
func isolate(tb testing.TB) {
	tb.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		tb.Skipf("a network namespace cannot be made, which needs root: %v", err)
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		tb.Skipf("the loopback interface cannot be set up, is iproute2 installed? %v: %s", err, out)
	}
}

func dial(tb testing.TB) *kernel.Conn {
	tb.Helper()
	isolate(tb)
	c, err := kernel.Dial()
	if errors.Is(err, ipvsctl.ErrNoIPVS) {
		tb.Skipf("run this in the lab: %v", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func server(s string) ipvsctl.DestinationKey {
	ap := netip.MustParseAddrPort(s)
	return ipvsctl.DestinationKey{Addr: ap.Addr(), Port: ap.Port()}
}

type servers map[ipvsctl.DestinationKey]ipvsctl.Destination

// rows are these servers as a virtual service has them.
func (s servers) rows() ipvsctl.Rows[ipvsctl.Destination] {
	var all ipvsctl.Rows[ipvsctl.Destination]
	for k, d := range s {
		all.Set(k, d)
	}
	return all
}

// everything is a table with each feature that the kernel has.
func everything() ipvsctl.Table {
	key := func(p ipvsctl.Protocol, a netip.Addr, port uint16) ipvsctl.ServiceKey {
		return ipvsctl.ServiceKey{Protocol: p, Addr: a, Port: port}
	}
	mark := func(m uint32, a netip.Addr) ipvsctl.ServiceKey { return ipvsctl.ServiceKey{Mark: m, Addr: a} }
	return ipvsctl.Table{
		tcp4: {Service: plain, Destinations: servers{
			server("192.168.1.4:80"):   {Weight: 3},
			server("192.168.1.5:8080"): {Weight: 70000, Upper: 500, Lower: 400},
			server("192.168.1.6:80"):   {Weight: 0, Upper: 70000},
			server("192.168.1.7:80"):   {Weight: 1<<31 - 1},
		}.rows()},
		key(ipvsctl.TCP, vip4, 443): {
			Service:      ipvsctl.Service{Scheduler: "sh", Netmask: 24, Timeout: 300, Flags: ipvsctl.Persistent | ipvsctl.Sched1 | ipvsctl.Sched2},
			Destinations: servers{server("192.168.1.4:443"): {Forward: ipvsctl.Direct, Weight: 1}}.rows(),
		},
		key(ipvsctl.TCP, vip4, 8443): {
			Service: ipvsctl.Service{Scheduler: "mh", Netmask: 32, Flags: ipvsctl.Sched1},
			Destinations: servers{
				server("192.168.1.4:8443"):   {Forward: ipvsctl.Tunnel, Weight: 1},
				server("192.168.1.5:8443"):   {Forward: ipvsctl.Tunnel, Weight: 2, TunnelType: ipvsctl.TunnelGUE, TunnelPort: 6080},
				server("192.168.1.6:8443"):   {Forward: ipvsctl.Tunnel, Weight: 3, TunnelType: ipvsctl.TunnelGUE, TunnelPort: 6080, TunnelFlags: ipvsctl.TunnelRemoteChecksum},
				server("192.168.1.7:8443"):   {Forward: ipvsctl.Tunnel, Weight: 4, TunnelType: ipvsctl.TunnelGRE, TunnelFlags: ipvsctl.TunnelChecksum},
				server("[2001:db8::8]:8443"): {Forward: ipvsctl.Tunnel, Weight: 5},
			}.rows(),
		},
		key(ipvsctl.UDP, vip4, 53):   {Service: ipvsctl.Service{Scheduler: "rr", Netmask: 32, Flags: ipvsctl.OnePacket}, Destinations: nil},
		key(ipvsctl.UDP, vip4, 5060): {Service: ipvsctl.Service{Scheduler: "rr", Netmask: 32, Timeout: 60, Flags: ipvsctl.Persistent, Engine: "sip"}, Destinations: servers{server("192.168.1.4:5060"): {Weight: 1}}.rows()},
		key(ipvsctl.SCTP, vip4, 36412): {Service: ipvsctl.Service{Scheduler: "wlc", Netmask: 32, Flags: ipvsctl.Sched3},
			Destinations: servers{server("192.168.1.4:36412"): {Weight: 1}}.rows()},
		mark(7, netip.IPv4Unspecified()): {Service: plain, Destinations: servers{server("192.168.1.4:0"): {Forward: ipvsctl.Direct, Weight: 1}}.rows()},
		mark(7, netip.IPv6Unspecified()): {Service: plain6, Destinations: servers{server("[2001:db8::4]:0"): {Forward: ipvsctl.Direct, Weight: 1}}.rows()},
		key(ipvsctl.TCP, vip6, 80): {
			Service:      ipvsctl.Service{Scheduler: "wlc", Netmask: 64, Timeout: 360, Flags: ipvsctl.Persistent},
			Destinations: servers{server("[2001:db8::4]:80"): {Weight: 1}, server("[2001:db8::5]:80"): {Weight: 2}}.rows(),
		},
	}
}

// edited is everything with each value changed that may change in place.
func edited() ipvsctl.Table {
	t := everything()
	for key, vs := range t {
		vs.Scheduler, vs.Flags, vs.Timeout, vs.Engine = "lc", 0, 0, ""
		vs.Netmask = uint8(key.Addr.BitLen())
		for i := range vs.Destinations {
			d := &vs.Destinations[i].Value
			*d = ipvsctl.Destination{
				Forward: d.Forward, Weight: d.Weight/2 + 7, Upper: d.Upper + 9, Lower: d.Lower + 1,
			}
		}
		t[key] = vs
	}
	return t
}

func apply(tb testing.TB, c *kernel.Conn, have, want ipvsctl.Table) {
	tb.Helper()
	ops := ipvsctl.Diff(have, want, ours)
	failures, err := c.Apply(ctx, ops)
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range failures {
		tb.Errorf("refused: %v: %v", ops[f.Index], f.Err)
	}
}

// Everything that can be written is read back as it was written, by us, by
// ipvsadm and by moby/ipvs.
func TestRealRoundTrip(t *testing.T) {
	c := dial(t)
	last := ipvsctl.Table{}
	for _, step := range []struct {
		name string
		want ipvsctl.Table
	}{
		{"every feature", everything()},
		{"every value edited in place", edited()},
		{"and back", everything()},
		{"nothing", ipvsctl.Table{}},
	} {
		apply(t, c, last, step.want)
		got, err := c.List(ctx)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, got, addrs); diff != "" {
			t.Errorf("%s: listed (-want +got)\n%s", step.name, diff)
		}
		readEach(t, c, step.want)
		compareLines(t, step.name+", by ipvsadm", step.want.String(), ipvsadm(t, "-S", "-n"))
		if diff := cmp.Diff(truncated(step.want), witness(t), addrs); diff != "" {
			t.Errorf("%s: by moby/ipvs (-want +got)\n%s", step.name, diff)
		}
		last = step.want
	}
}

func readEach(t *testing.T, c *kernel.Conn, want ipvsctl.Table) {
	t.Helper()
	services := map[ipvsctl.ServiceKey]ipvsctl.Service{}
	if err := c.Services(ctx, func(key ipvsctl.ServiceKey, svc ipvsctl.Service, _ uint64) { services[key] = svc }); err != nil {
		t.Fatal(err)
	}
	if len(services) != len(want) {
		t.Errorf("%d services, want %d", len(services), len(want))
	}
	for key, vs := range want {
		got, counters, err := c.Read(ctx, key)
		if err != nil {
			t.Errorf("reading %v: %v", key, err)
		}
		if diff := cmp.Diff(vs, got, addrs); diff != "" {
			t.Errorf("%v read (-want +got)\n%s", key, diff)
		}
		if want := len(vs.Destinations) + 1; len(counters) != want {
			t.Errorf("%v: %d counters, want %d: the service's and those of its servers", key, len(counters), want)
		}
		if services[key] != vs.Service {
			t.Errorf("%v: service %+v, want %+v", key, services[key], vs.Service)
		}
	}
}

func ipvsadm(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("ipvsadm", args...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("ipvsadm is not installed")
	}
	if err != nil {
		t.Fatalf("ipvsadm %v: %v: %s", args, err, out)
	}
	return string(out)
}

// compareLines compares regardless of order: the kernel lists by its hash.
func compareLines(t *testing.T, what, want, got string) {
	t.Helper()
	lines := func(s string) []string {
		l := strings.Split(strings.TrimSpace(s), "\n")
		for i := range l {
			l[i] = strings.TrimSpace(l[i])
		}
		slices.Sort(l)
		return l
	}
	if diff := cmp.Diff(lines(want), lines(got)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

// The kernel's refusals reach the caller with the operation that was refused,
// also in the middle of a batch, and stop nothing else.
func TestRealRefusals(t *testing.T) {
	c := dial(t)
	good, bad := server("192.168.1.4:80"), server("192.168.1.99:80")
	elsewhere := ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip4, Port: 81}
	add := func(dk ipvsctl.DestinationKey, d ipvsctl.Destination) ipvsctl.Op {
		return ipvsctl.Op{Kind: ipvsctl.AddDestination, Service: tcp4, Destination: dk, Dest: d}
	}
	ops := []struct {
		op   ipvsctl.Op
		want error // nil: accepted
		text string
	}{
		{op: ipvsctl.Op{Kind: ipvsctl.AddService, Service: tcp4, Config: plain}},
		{ipvsctl.Op{Kind: ipvsctl.AddService, Service: tcp4, Config: plain}, fs.ErrExist, "already"},
		{op: add(good, ipvsctl.Destination{Weight: 1})},
		{add(good, ipvsctl.Destination{Weight: 1}), fs.ErrExist, "already"},
		{add(bad, ipvsctl.Destination{Weight: 1 << 31}), syscall.ERANGE, "weight"},
		{add(bad, ipvsctl.Destination{Weight: 1, Upper: 1, Lower: 2}), syscall.ERANGE, "threshold"},
		{add(server("[2001:db8::4]:80"), ipvsctl.Destination{Weight: 1}), syscall.EINVAL, "family"},
		{add(server("224.0.0.18:80"), ipvsctl.Destination{Weight: 1}), syscall.EINVAL, "unicast"},
		{add(bad, ipvsctl.Destination{Forward: ipvsctl.Tunnel, TunnelType: ipvsctl.TunnelGUE}), syscall.EINVAL, "GUE"},
		{ipvsctl.Op{Kind: ipvsctl.SetDestination, Service: tcp4, Destination: bad}, fs.ErrNotExist, "no such real server"},
		{ipvsctl.Op{Kind: ipvsctl.DeleteDestination, Service: tcp4, Destination: bad}, fs.ErrNotExist, "no such real server"},
		{ipvsctl.Op{Kind: ipvsctl.AddDestination, Service: elsewhere, Destination: good}, fs.ErrNotExist, "no such virtual service"},
		{ipvsctl.Op{Kind: ipvsctl.SetService, Service: elsewhere, Config: plain}, fs.ErrNotExist, "no such virtual service"},
		{ipvsctl.Op{Kind: ipvsctl.DeleteService, Service: elsewhere}, fs.ErrNotExist, "no such virtual service"},
		{ipvsctl.Op{Kind: ipvsctl.AddService, Service: elsewhere, Config: ipvsctl.Service{Scheduler: "nosuch", Netmask: 32}}, nil, "ip_vs_nosuch"},
		{op: add(server("192.168.1.5:80"), ipvsctl.Destination{Weight: 2})},
	}
	batch := make([]ipvsctl.Op, len(ops))
	for i := range ops {
		batch[i] = ops[i].op
	}
	failures, err := c.Apply(ctx, batch)
	if err != nil {
		t.Fatal(err)
	}
	failed := map[int]error{}
	for _, f := range failures {
		failed[f.Index] = f.Err
	}
	for i, tt := range ops {
		err := failed[i]
		switch {
		case tt.text == "" && err != nil:
			t.Errorf("%v: %v", tt.op, err)
		case tt.text != "" && (err == nil || !strings.Contains(err.Error(), tt.text)):
			t.Errorf("%v: error %v, want one that says %q", tt.op, err, tt.text)
		case tt.want != nil && !errors.Is(err, tt.want):
			t.Errorf("%v: error %v, want %v", tt.op, err, tt.want)
		case tt.want == nil && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist)):
			t.Errorf("%v: %v must not look like the absence of a row", tt.op, err)
		}
	}
	want := ipvsctl.Table{tcp4: {Service: plain, Destinations: servers{good: {Weight: 1}, server("192.168.1.5:80"): {Weight: 2}}.rows()}}
	if got, err := c.List(ctx); err != nil || !cmp.Equal(want, got, addrs) {
		t.Errorf("the table after it: %v\n%v", err, got)
	}
	if _, _, err := c.Read(ctx, elsewhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading a service that does not exist: %v", err)
	}
}

// A thousand refusals fit into the socket's buffer.
func TestRealManyRefusals(t *testing.T) {
	c := dial(t)
	ops := make([]ipvsctl.Op, 2*500)
	for i := range ops {
		ops[i] = ipvsctl.Op{Kind: ipvsctl.DeleteService, Service: ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip4, Port: uint16(i + 1)}}
	}
	failures, err := c.Apply(ctx, ops)
	if err != nil || len(failures) != len(ops) {
		t.Fatalf("%d refusals of %d, error %v", len(failures), len(ops), err)
	}
	for i, f := range failures {
		if f.Index != i {
			t.Fatalf("refusal %d is of operation %d", i, f.Index)
		}
	}
}

// What the kernel counts for a server is read in 64 bits, and survives edits.
func TestRealCounters(t *testing.T) {
	c := dial(t)
	l, err := net.Listen("tcp4", "0.0.0.0:8080")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	key := ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr("127.0.0.2"), Port: 8080}
	dk := server("127.0.0.1:8080")
	want := ipvsctl.Table{key: {Service: plain, Destinations: servers{dk: {Forward: ipvsctl.Direct, Weight: 1}}.rows()}}
	apply(t, c, nil, want)
	const connections = 5
	for range connections {
		conn, err := net.Dial("tcp4", "127.0.0.2:8080")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	heavier := ipvsctl.Table{key: {Service: plain, Destinations: servers{dk: {Forward: ipvsctl.Direct, Weight: 2}}.rows()}}
	apply(t, c, want, heavier)
	var got, total ipvsctl.Counters
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		_, counters, err := c.Read(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		// The kernel's estimators sum up each row at a time of its own, every 2 s.
		total, _ = counters.Get(ipvsctl.DestinationKey{})
		got, _ = counters.Get(dk)
		if got.Connections == connections && got.Active == connections && total.Connections == connections {
			break
		}
	}
	if got.Connections != connections || got.Active != connections || got.BytesIn == 0 || got.PacketsIn == 0 {
		t.Errorf("counters after %d connections: %+v", connections, got)
	}
	if got.Active, got.Inactive = 0, 0; total != got {
		t.Errorf("the service counts %+v, its only server %+v", total, got)
	}
	listed := uint64(0)
	if err := c.Services(ctx, func(k ipvsctl.ServiceKey, _ ipvsctl.Service, packets uint64) {
		if k == key {
			listed = packets
		}
	}); err != nil || listed < got.PacketsIn {
		t.Errorf("the list of services tells of %d packets, want %d or more: %v", listed, got.PacketsIn, err)
	}
}
