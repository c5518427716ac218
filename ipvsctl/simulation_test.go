package ipvsctl_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/ipvsctl"
)

var (
	simSeed = flag.Uint64("seed", 0, "run the simulation with this seed alone")
	simRuns = flag.Uint64("runs", 50, "how many seeds the simulation runs")
)

// A director is told random tables while the kernel refuses operations and
// breaks exchanges, the process is killed and started again, and an
// administrator edits and flushes the table. When that ends, the table must
// come to be what was wanted last, the rows of others as their owners left
// them, and then nothing more be written.
func TestSimulation(t *testing.T) {
	seeds := []uint64{*simSeed}
	if *simSeed == 0 {
		seeds = seeds[:0]
		for seed := range *simRuns {
			seeds = append(seeds, seed+1)
		}
	}
	for _, seed := range seeds {
		synctest.Test(t, func(t *testing.T) { newWorld(t, seed).live() })
		if t.Failed() {
			t.Fatalf("reproduce this with: go test ./ipvsctl -run TestSimulation -seed=%d", seed)
		}
	}
}

// A world is one run of the simulation.
type world struct {
	t      *testing.T
	rand   *rand.Rand
	kernel *sim.IPVS
	ledger *book
	theirs ipvsctl.Table // the rows of others
	faults atomic.Bool

	director *ipvsctl.Reconciler
	kill     func()
	want     ipvsctl.Table
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t:      t,
		rand:   rand.New(rand.NewPCG(seed, 2)),
		kernel: sim.NewIPVS(), ledger: &book{},
		theirs: ipvsctl.Table{},
	}
	chance := rand.New(rand.NewPCG(seed, 3)) // for the director's goroutine alone
	w.kernel.Refuse = func(op ipvsctl.Op) error {
		w.mayWrite(op)
		if w.faults.Load() && chance.IntN(10) == 0 {
			return []error{syscall.EAGAIN, syscall.ENOMEM, syscall.ENOENT, syscall.EEXIST}[chance.IntN(4)]
		}
		return nil
	}
	w.kernel.Break = func(exchange string) error {
		if w.faults.Load() && chance.IntN(40) == 0 {
			return fmt.Errorf("%s: %w", exchange, syscall.ENOBUFS)
		}
		return nil
	}
	return w
}

// mayWrite checks each write: never to the row of somebody else, and never to
// a row that a successor would not know to be ours.
func (w *world) mayWrite(op ipvsctl.Op) {
	if op.Service.Port >= 100 {
		w.t.Errorf("a row of others was written: %v", op)
	}
	if keys, _ := w.ledger.Load(); !slices.Contains(keys, op.Service) {
		w.t.Errorf("%v although the ledger has only %v", op, keys)
	}
}

func (w *world) live() {
	w.start()
	w.set()
	w.faults.Store(true)
	for range 60 {
		w.event()
		after(time.Duration(w.rand.IntN(3000)) * time.Millisecond)
	}
	w.faults.Store(false)
	after(5 * time.Minute) // more than the longest pause and a round of the audit
	w.settled()
	w.kill()
}

func (w *world) event() {
	switch w.rand.IntN(8) {
	case 0, 1, 2:
		w.set()
	case 3:
		w.kill()
		w.start()
		w.director.Set(ipvsctl.Desired{Table: w.want})
	case 4:
		w.kernel.Flush()
		clear(w.theirs)
	case 5:
		w.addTheirs()
	default:
		w.editOurs()
	}
}

func (w *world) start() {
	r, err := ipvsctl.Open(w.t.Context(), w.kernel, w.ledger, nil)
	for err != nil {
		time.Sleep(time.Second)
		r, err = ipvsctl.Open(w.t.Context(), w.kernel, w.ledger, nil)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	w.director = r
	w.kill = func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	}
}

// set wants another table: over few keys, so that it has much in common with
// the last one.
func (w *world) set() {
	w.want = randomTable(w.rand)
	w.director.Set(ipvsctl.Desired{Table: w.want})
}

func (w *world) addTheirs() {
	key := service(uint16(100 + w.rand.IntN(5)))
	if _, exists := w.theirs[key]; exists {
		return
	}
	w.theirs[key] = balanced("rr", weights{byte(w.rand.IntN(9)): 5})
	if err := w.kernel.ByHand(add(key, w.theirs[key])...); err != nil {
		w.t.Error(err)
	}
}

// editOurs turns some of the rows that the director keeps into others.
func (w *world) editOurs() {
	keys := w.kernel.Table().Keys()
	if len(keys) == 0 {
		return
	}
	key := keys[w.rand.IntN(len(keys))]
	if key.Port >= 100 {
		return
	}
	other := randomTable(w.rand)
	_ = w.kernel.ByHand(ipvsctl.Diff(w.kernel.Table(), other, func(k ipvsctl.ServiceKey) bool { return k == key })...)
}

func (w *world) settled() {
	w.t.Helper()
	goal := w.want.Clone()
	for key, vs := range w.theirs {
		goal[key] = vs
	}
	if diff := cmp.Diff(goal, w.kernel.Table(), addrs); diff != "" {
		w.t.Errorf("the table after quiet (-want +got)\n%s", diff)
	}
	s := w.director.Snapshot()
	if !s.Converged || s.Stats.Pending != 0 || s.Stats.LastError != "" || s.Stats.Foreign != len(w.theirs) {
		w.t.Errorf("converged %v, %d services of others, %+v", s.Converged, len(w.theirs), s.Stats)
	}
	if diff := cmp.Diff(w.want, s.Table, addrs); diff != "" {
		w.t.Errorf("the table as last seen (-want +got)\n%s", diff)
	}
	keys, _ := w.ledger.Load()
	if !slices.Equal(keys, w.want.Keys()) {
		w.t.Errorf("the ledger has %v, want %v", keys, w.want.Keys())
	}
	before := w.kernel.Writes()
	after(time.Minute)
	wantWrites(w.t, w.kernel, before, 0, "a minute of quiet")
}
