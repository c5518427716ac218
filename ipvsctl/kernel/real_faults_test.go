//go:build linux

package kernel_test

import (
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/netlinktest"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
)

// Whatever goes wrong between lvsd and the kernel, and at whichever exchange of a pass, the
// table comes to be what is wanted, a row of somebody else's stays as it is, and the fault
// is counted by its kind. All faults are tried at once: they wait, most of the time.
func TestRealFaults(t *testing.T) {
	_ = dial(t) // or skip
	var all sync.WaitGroup
	for _, f := range netlinktest.Faults {
		all.Go(func() { faulty(t, f) })
	}
	all.Wait()
}

// faulty tries one fault in a network namespace of its own.
func faulty(t *testing.T, f netlinktest.Fault) {
	isolate(t)
	wire := netlinktest.New(t)
	c, err := kernel.DialBy(wire.Generic)
	if err != nil {
		t.Error(err)
		return
	}
	ipvsadm(t, "-A", "-t", "198.51.100.1:25", "-s", "rr")
	theirs := ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: server("198.51.100.1:25").Addr, Port: 25}
	r, stop := reconcile(t, c, t.TempDir())
	defer func() {
		stop()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	exchanges := 3
	if testing.Short() {
		exchanges = 2
	}
	for n := range exchanges {
		wire.Arm(f, n)
		want := few(n)
		r.Set(ipvsctl.Desired{Table: want})
		if err := settled(r, wire); err != nil {
			t.Errorf("%s, after %d exchanges that went well: %v", f.Name, n, err)
			return
		}
		expected := maps.Clone(want)
		expected[theirs] = ipvsctl.VirtualService{Service: ipvsctl.Service{Scheduler: "rr", Netmask: 32}}
		if diff := cmp.Diff(truncated(expected), witness(t), addrs); diff != "" {
			t.Errorf("%s, after %d exchanges that went well (-want +got)\n%s", f.Name, n, diff)
		}
	}
	s := r.Snapshot().Stats
	counted := uint64(0)
	for _, n := range s.Faults {
		counted += n
	}
	if counted != s.Errors || s.Faults["other"] > 0 {
		t.Errorf("%s: %d errors, by kind %v", f.Name, s.Errors, s.Faults)
	}
	t.Logf("%s: counted %v", f.Name, s.Faults)
}

// few is a table whose services and servers are others each time.
func few(n int) ipvsctl.Table {
	t := ipvsctl.Table{}
	for i := range 4 {
		if i == n {
			continue
		}
		vs := ipvsctl.VirtualService{Service: plain}
		for j := range 4 {
			if j != n {
				vs.Destinations.Set(server("192.168.1."+string(rune('1'+j))+":80"), ipvsctl.Destination{Weight: uint32(1 + (n+j)%3)})
			}
		}
		t[ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip4, Port: uint16(80 + i)}] = vs
	}
	return t
}

// settled waits until what was to go wrong has done so, and a look after it has found
// nothing more to do.
func settled(r *ipvsctl.Reconciler, wire *netlinktest.Wire) error {
	var struck time.Time
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if struck.IsZero() && wire.Struck() {
			struck = time.Now()
		}
		s := r.Snapshot()
		if !struck.IsZero() && s.Converged && s.Stats.LastError == "" && s.Stats.Audited.After(struck) {
			return nil
		}
	}
	return errors.New("not settled")
}
