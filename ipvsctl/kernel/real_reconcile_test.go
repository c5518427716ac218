//go:build linux

package kernel_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/state"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
)

// A reconciler on the real table: one write for one changed weight, none for
// the same table, what others did by hand is repaired, and a second one, after
// the first is gone, adopts what it finds.
func TestRealReconciler(t *testing.T) {
	c := &counted{Conn: dial(t)}
	dir := t.TempDir()
	r, stop := reconcile(t, c, dir)
	want := everything()
	r.Set(ipvsctl.Desired{Table: want})
	applied(t, r)
	compareLines(t, "after the start", want.String(), ipvsadm(t, "-S", "-n"))

	writes := c.writes.Load()
	r.Set(ipvsctl.Desired{Table: want.Clone()})
	applied(t, r)
	if got := c.writes.Load() - writes; got != 0 {
		t.Errorf("%d writes for an unchanged table", got)
	}
	want = want.Clone()
	want[tcp4].Destinations[0].Value.Weight = 4
	r.Set(ipvsctl.Desired{Table: want})
	applied(t, r)
	if got := c.writes.Load() - writes; got != 1 {
		t.Errorf("%d writes for one changed weight", got)
	}

	ipvsadm(t, "-A", "-t", "198.51.100.1:25", "-s", "rr")
	both := want.Clone()
	both[ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr("198.51.100.1"), Port: 25}] =
		ipvsctl.VirtualService{Service: ipvsctl.Service{Scheduler: "rr", Netmask: 32}}
	for _, deed := range []string{
		"-D -t 192.0.2.1:443",
		"-E -t 192.0.2.1:80 -s rr",
		"-d -t 192.0.2.1:80 -r 192.168.1.4:80",
		"-e -t 192.0.2.1:80 -r 192.168.1.4:80 -m -w 9",
		"-a -t 192.0.2.1:80 -r 192.168.1.200:80 -m",
		"-e -t 192.0.2.1:80 -r 192.168.1.5:8080 -m -w 70000 -x 9",
	} {
		ipvsadm(t, strings.Fields(deed)...)
		repaired(t, "ipvsadm "+deed, both)
	}
	ipvsadm(t, "-C")
	repaired(t, "ipvsadm -C", want)
	stop()

	writes = c.writes.Load()
	r, _ = reconcile(t, c, dir)
	smaller := want.Clone()
	delete(smaller, tcp4)
	r.Set(ipvsctl.Desired{Table: smaller})
	applied(t, r)
	if got := c.writes.Load() - writes; got != 1 {
		t.Errorf("%d writes to adopt the table and delete one service", got)
	}
	compareLines(t, "after the second start", smaller.String(), ipvsadm(t, "-S", "-n"))
}

// A counted connection counts the operations that it is asked to carry out.
type counted struct {
	*kernel.Conn
	writes atomic.Int64
}

func (c *counted) Apply(ctx context.Context, ops []ipvsctl.Op) ([]ipvsctl.Failure, error) {
	c.writes.Add(int64(len(ops)))
	return c.Conn.Apply(ctx, ops)
}

// reconcile runs a reconciler until it is stopped, or the test ends.
func reconcile(t *testing.T, c ipvsctl.Kernel, dir string) (r *ipvsctl.Reconciler, stop func()) {
	t.Helper()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := store.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	if r, err = ipvsctl.Open(ctx, c, ledger, nil); err != nil {
		t.Fatal(err)
	}
	running, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- r.Run(running) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, store.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return r, stop
}

// repaired waits until the table is as it was, 2 s at most and a margin for
// busy machines. moby/ipvs tells it, because "ipvsadm -S" is silent about
// thresholds.
func repaired(t *testing.T, after string, want ipvsctl.Table) {
	t.Helper()
	want = truncated(want)
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		diff := cmp.Diff(want, witness(t), addrs)
		since := time.Since(start).Round(time.Millisecond)
		if diff == "" {
			t.Logf("%s was repaired after %v", after, since)
			return
		}
		if since > 4*time.Second {
			t.Errorf("%v after %s (-want +got)\n%s", since, after, diff)
			return
		}
	}
}

// applied waits until the table that was set last is in the kernel. The first
// time that loads a dozen schedulers, each by a process, which on a busy
// emulated machine takes longer than an exchange with the kernel may.
func applied(t *testing.T, r *ipvsctl.Reconciler) {
	t.Helper()
	const patience = 30 * time.Second
	for timeout := time.After(patience); ; {
		select {
		case <-r.Applied():
			if r.Snapshot().Converged {
				return
			}
		case <-timeout:
			t.Fatalf("not in the kernel within %v: %+v", patience, r.Snapshot().Stats)
		}
	}
}

// large is a table of 1,000 services with 10 servers each; a third of the
// servers has the weight given.
func large(weight uint32) ipvsctl.Table {
	t := ipvsctl.Table{}
	for i := range 1000 {
		vs := ipvsctl.VirtualService{Service: plain}
		for j := range 10 {
			d := ipvsctl.Destination{Weight: 1}
			if (i*10+j)%3 == 0 {
				d.Weight = weight
			}
			vs.Destinations.Set(ipvsctl.DestinationKey{Addr: netip.AddrFrom4([4]byte{10, 1, byte(i / 4), byte(j + 1)}), Port: 80}, d)
		}
		t[ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip4, Port: uint16(1000 + i)}] = vs
	}
	return t
}

// BenchmarkReal measures the work of one reconciliation of 1,000 services
// with 10 servers each.
func BenchmarkReal(b *testing.B) {
	b.Run("load", func(b *testing.B) {
		table := large(1)
		for b.Loop() {
			b.StopTimer()
			c := dial(b) // a new namespace: a flushed table is slower to fill
			b.StartTimer()
			apply(b, c, nil, table)
			b.StopTimer()
			_ = c.Close()
			b.StartTimer()
		}
	})
	c := dial(b)
	light, heavy := large(1), large(5)
	apply(b, c, nil, light)
	b.Run("a third of the weights", func(b *testing.B) {
		have, want := light, heavy
		for b.Loop() {
			apply(b, c, have, want)
			have, want = want, have
		}
		apply(b, c, have, light)
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			apply(b, c, light, light)
		}
	})
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.List(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("look", func(b *testing.B) {
		for b.Loop() {
			if err := c.Services(ctx, func(ipvsctl.ServiceKey, ipvsctl.Service, uint64) {}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read one", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := c.Read(ctx, ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip4, Port: 1500}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
