package ipvsctl_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A book is a ledger in memory.
type book struct {
	mu    sync.Mutex
	keys  []ipvsctl.ServiceKey
	saved func([]ipvsctl.ServiceKey) // told of each save, where it is set
	full  error                      // the disk is full
}

func (b *book) Load() ([]ipvsctl.ServiceKey, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.keys, b.full
}

func (b *book) fill(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.full = err
}

func (b *book) Save(keys []ipvsctl.ServiceKey) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full != nil {
		return b.full
	}
	if b.saved != nil {
		b.saved(keys)
	}
	b.keys = keys
	return nil
}

var (
	web, mail, dns = service(80), service(25), service(53)

	add = func(k ipvsctl.ServiceKey, vs ipvsctl.VirtualService) []ipvsctl.Op {
		return ipvsctl.Diff(nil, ipvsctl.Table{k: vs}, all)
	}
	reweigh = func(k ipvsctl.ServiceKey, host byte, weight uint32) ipvsctl.Op {
		return ipvsctl.Op{Kind: ipvsctl.SetDestination, Service: k, Destination: server(host), Dest: ipvsctl.Destination{Weight: weight}}
	}
)

// start opens a reconciler and runs it until the test ends.
func start(t *testing.T, k ipvsctl.Kernel, l ipvsctl.Ledger, report func(ipvsctl.Event)) *ipvsctl.Reconciler {
	t.Helper()
	r := open(t, k, l, report)
	run(t, r)
	return r
}

func open(t *testing.T, k ipvsctl.Kernel, l ipvsctl.Ledger, report func(ipvsctl.Event)) *ipvsctl.Reconciler {
	t.Helper()
	r, err := ipvsctl.Open(t.Context(), k, l, report)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// run runs r until the test ends or stop is called.
func run(t *testing.T, r *ipvsctl.Reconciler) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = func() {
		cancel()
		if err, first := <-done; first && err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(cancel)
	return stop
}

// after lets time pass and the loop come to rest.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func wantTable(t *testing.T, k *sim.IPVS, want ipvsctl.Table, when string) {
	t.Helper()
	if diff := cmp.Diff(want.String(), k.String()); diff != "" {
		t.Errorf("%s: the kernel's table (-want +got)\n%s", when, diff)
	}
}

func wantWrites(t *testing.T, k *sim.IPVS, since, want int, what string) {
	t.Helper()
	if got := k.Writes() - since; got != want {
		t.Errorf("%d writes for %s, want %d", got, what, want)
	}
}

func TestNothingIsWrittenBeforeTheFirstSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		_ = k.ByHand(add(web, balanced("rr", weights{4: 1}))...)
		start(t, k, &book{keys: []ipvsctl.ServiceKey{web}}, nil)
		after(time.Minute)
		wantWrites(t, k, 0, 0, "a minute without a table")
	})
}

func TestOnlyWhatChangedIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		r := start(t, k, &book{}, nil)
		want := ipvsctl.Table{web: balanced("wrr", weights{4: 3, 5: 3, 6: 1}), mail: balanced("rr", weights{4: 1})}
		r.Set(ipvsctl.Desired{Table: want})
		<-r.Applied()
		wantTable(t, k, want, "after the first table")

		before := k.Writes()
		r.Set(ipvsctl.Desired{Table: want.Clone()})
		<-r.Applied()
		wantWrites(t, k, before, 0, "the same table again")

		want = want.Clone()
		want[web].Destinations[0].Value.Weight = 2
		r.Set(ipvsctl.Desired{Table: want})
		<-r.Applied()
		wantWrites(t, k, before, 1, "one changed weight")
		wantTable(t, k, want, "after one changed weight")

		after(time.Hour)
		wantWrites(t, k, before, 1, "an hour without a change")
		s := r.Snapshot()
		if !s.Converged || s.Stats.Drift != 0 || s.Stats.Errors != 0 || s.Stats.Operations["set-destination"] != 1 || s.Stats.Operations["add-service"] != 2 {
			t.Errorf("snapshot: converged %v, %+v", s.Converged, s.Stats)
		}
	})
}

func TestWhatOthersDoByHandIsRepairedWithinTwoSeconds(t *testing.T) {
	want := ipvsctl.Table{web: balanced("wrr", weights{4: 3, 5: 3}), mail: balanced("rr", weights{4: 1})}
	foreign := balanced("lc", weights{9: 9})
	tests := []struct {
		name  string
		deed  func(k *sim.IPVS) error
		drift uint64
	}{
		{"ipvsadm -C", func(k *sim.IPVS) error { k.Flush(); return nil }, 5},
		{"ipvsadm -D", func(k *sim.IPVS) error { return k.ByHand(ipvsctl.Op{Kind: ipvsctl.DeleteService, Service: web}) }, 3},
		{"ipvsadm -E", func(k *sim.IPVS) error {
			return k.ByHand(ipvsctl.Op{Kind: ipvsctl.SetService, Service: web, Config: ipvsctl.Service{Scheduler: "sh", Netmask: 32}})
		}, 1},
		{"ipvsadm -e", func(k *sim.IPVS) error { return k.ByHand(reweigh(web, 4, 0)) }, 1},
		{"ipvsadm -d", func(k *sim.IPVS) error {
			return k.ByHand(ipvsctl.Op{Kind: ipvsctl.DeleteDestination, Service: web, Destination: server(5)})
		}, 1},
		{"ipvsadm -a", func(k *sim.IPVS) error {
			return k.ByHand(ipvsctl.Op{Kind: ipvsctl.AddDestination, Service: mail, Destination: server(7)})
		}, 1},
		{"ipvsadm -A of a service of theirs", func(k *sim.IPVS) error { return k.ByHand(add(service(110), foreign)...) }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := sim.NewIPVS()
				_ = k.ByHand(add(dns, foreign)...)
				r := start(t, k, &book{}, nil)
				r.Set(ipvsctl.Desired{Table: want})
				<-r.Applied()
				if err := tt.deed(k); err != nil {
					t.Fatal(err)
				}
				theirs := k.Table()
				after(2 * time.Second)
				goal := want.Clone()
				for _, key := range []ipvsctl.ServiceKey{dns, service(110)} {
					if vs, there := theirs[key]; there {
						goal[key] = vs
					}
				}
				wantTable(t, k, goal, "2 s later")
				if s := r.Snapshot(); s.Stats.Drift != tt.drift || s.Stats.Foreign != len(goal)-len(want) || s.Stats.Errors != 0 {
					t.Errorf("stats %+v, want drift %d", s.Stats, tt.drift)
				}
			})
		})
	}
}

func TestAnExclusiveTableIsRidOfTheRowsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		_ = k.ByHand(add(dns, balanced("rr", weights{9: 9}))...)
		r := start(t, k, &book{}, nil)
		want := ipvsctl.Table{web: balanced("wrr", weights{4: 3})}
		r.Set(ipvsctl.Desired{Table: want, Exclusive: true})
		<-r.Applied()
		wantTable(t, k, want, "after the start")
		_ = k.ByHand(add(dns, balanced("rr", weights{9: 9}))...)
		after(2 * time.Second)
		wantTable(t, k, want, "2 s after somebody added a service")
		if drift := r.Snapshot().Stats.Drift; drift != 2 {
			t.Errorf("drift of %d rows, want 2: the service and its server", drift)
		}
	})
}

// Whether the table is exclusive is part of what is desired, and may change.
func TestATableThatBecomesExclusive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		others := balanced("rr", weights{9: 9})
		_ = k.ByHand(add(dns, others)...)
		r := start(t, k, &book{}, nil)
		want := ipvsctl.Table{web: balanced("wrr", weights{4: 3})}
		both := ipvsctl.Table{web: want[web], dns: others}
		r.Set(ipvsctl.Desired{Table: want})
		<-r.Applied()
		wantTable(t, k, both, "shared with others")
		r.Set(ipvsctl.Desired{Table: want, Exclusive: true})
		synctest.Wait()
		wantTable(t, k, want, "exclusive")
		if s := r.Snapshot(); !s.Converged || s.Stats.Foreign != 0 || s.Stats.Drift != 0 {
			t.Errorf("exclusive: %+v", s)
		}
		r.Set(ipvsctl.Desired{Table: want})
		_ = k.ByHand(add(dns, others)...)
		after(time.Minute)
		wantTable(t, k, both, "shared again")
		if s := r.Snapshot(); !s.Converged || s.Stats.Foreign != 1 || s.Stats.Drift != 0 {
			t.Errorf("shared again: %+v", s)
		}
	})
}

// While the kernel does not answer, Set returns, and of the tables that were
// set meanwhile only the newest is written.
func TestTheNewestTableWinsAndSetWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, stuck := sim.NewIPVS(), make(chan struct{})
		var added []ipvsctl.ServiceKey
		k.Refuse = func(op ipvsctl.Op) error {
			<-stuck
			if op.Kind == ipvsctl.AddService {
				added = append(added, op.Service)
			}
			return nil
		}
		r := start(t, k, &book{}, nil)
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("rr", nil)}})
		synctest.Wait()
		for port := range uint16(100) {
			r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("rr", nil), service(1000 + port): balanced("rr", nil)}})
		}
		if r.Snapshot().Converged {
			t.Error("converged while the kernel is stuck")
		}
		close(stuck)
		synctest.Wait()
		if want := []ipvsctl.ServiceKey{web, service(1099)}; !slices.Equal(added, want) {
			t.Errorf("added %v, want %v", added, want)
		}
		<-r.Applied()
		if !r.Snapshot().Converged {
			t.Error("not converged after the notice")
		}
	})
}

// Ten thousand real servers are in memory once: what was wanted, what is in
// the kernel, and what is shown are the same maps while they are equal, and
// what one service does copies no other.
func TestEqualTablesAreOneCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		var full atomic.Bool
		k.Refuse = func(ipvsctl.Op) error {
			if full.Load() {
				return syscall.ENOMEM
			}
			return nil
		}
		r := start(t, k, &book{}, nil)
		want := ipvsctl.Table{web: balanced("wrr", weights{4: 3}), mail: balanced("rr", weights{4: 1})}
		r.Set(ipvsctl.Desired{Table: want})
		<-r.Applied()
		after(time.Hour)
		same := func(a, b any) bool { return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer() }
		if !same(r.Snapshot().Table, want) {
			t.Error("the table as last seen is a copy of the one that is wanted")
		}
		full.Store(true)
		_ = k.ByHand(reweigh(web, 4, 9))
		after(2 * time.Second)
		s := r.Snapshot()
		if weight(s.Table[web], 4) != 9 || weight(want[web], 4) != 3 {
			t.Errorf("seen %v, wanted %v", s.Table[web], want[web])
		}
		if !same(s.Table[mail].Destinations, want[mail].Destinations) {
			t.Error("a service that did not change was copied")
		}
	})
}

// A table that is no longer wanted is not written to its end.
func TestANewerTableInterruptsALongWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		r := open(t, k, &book{}, nil)
		long := ipvsctl.Table{}
		for port := range uint16(5000) {
			long[service(port+1)] = balanced("rr", nil)
		}
		want := ipvsctl.Table{web: balanced("wrr", weights{4: 1})}
		interrupted := false
		k.Refuse = func(ipvsctl.Op) error {
			if !interrupted {
				interrupted = true
				r.Set(ipvsctl.Desired{Table: want})
			}
			return nil
		}
		run(t, r)
		r.Set(ipvsctl.Desired{Table: long})
		synctest.Wait()
		wantTable(t, k, want, "at once")
		if got := r.Snapshot().Stats.Operations["add-service"]; got != 4096 {
			t.Errorf("%d services were added, want one slice of 4,096", got)
		}
	})
}

// What was counted for a service goes with it, and what was counted for others
// stays.
// weight returns the weight of one server; 0 where it is not in the service.
func weight(vs ipvsctl.VirtualService, host byte) uint32 {
	d, _ := vs.Destinations.Get(server(host))
	return d.Weight
}

// connections returns what was counted for the first server.
func connections(counters ipvsctl.Rows[ipvsctl.Counters]) uint64 {
	c, _ := counters.Get(server(4))
	return c.Connections
}

func TestCountersOfADeletedServiceAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		r := start(t, k, &book{}, nil)
		want := ipvsctl.Table{web: balanced("rr", weights{4: 1}), mail: balanced("rr", weights{4: 1})}
		r.Set(ipvsctl.Desired{Table: want})
		<-r.Applied()
		k.Count(web, server(4), ipvsctl.Counters{Connections: 70})
		k.Count(mail, server(4), ipvsctl.Counters{Connections: 25})
		after(2 * time.Second)
		if c := r.Snapshot().Counters; connections(c[web]) != 70 || connections(c[mail]) != 25 {
			t.Fatalf("counters %v", c)
		}
		for _, table := range []ipvsctl.Table{{web: want[web]}, want, {web: balanced("rr", weights{4: 2})}} {
			r.Set(ipvsctl.Desired{Table: table})
			synctest.Wait()
			if c := r.Snapshot().Counters; connections(c[web]) != 70 || c[mail] != nil {
				t.Errorf("counters %v of %v", c, table)
			}
		}
	})
}

// A snapshot stays what it was, whatever the loop does later.
func TestASnapshotNeverChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		r := start(t, k, &book{}, nil)
		var snaps []ipvsctl.Snapshot
		var copies []string
		for i := range 20 {
			table := ipvsctl.Table{web: balanced("rr", weights{4: uint32(i), byte(i + 5): 1})}
			if i%2 == 0 {
				table[mail] = balanced("wrr", weights{4: 1})
			}
			r.Set(ipvsctl.Desired{Table: table})
			after(time.Duration(i) * 300 * time.Millisecond)
			s := r.Snapshot()
			snaps, copies = append(snaps, s), append(copies, fmt.Sprint(s.Table, s.Counters, s.Foreign, s.Stats))
		}
		for i, s := range snaps {
			if got := fmt.Sprint(s.Table, s.Counters, s.Foreign, s.Stats); got != copies[i] {
				t.Errorf("snapshot %d became\n%s\nit was\n%s", i, got, copies[i])
			}
		}
	})
}

func TestOpenTellsWhatTheKernelLacks(t *testing.T) {
	k := sim.NewIPVS()
	k.Break = func(string) error { return fmt.Errorf("%w: load its module", ipvsctl.ErrNoIPVS) }
	if _, err := ipvsctl.Open(t.Context(), k, &book{}, nil); !errors.Is(err, ipvsctl.ErrNoIPVS) {
		t.Errorf("error %v, want ErrNoIPVS", err)
	}
}
