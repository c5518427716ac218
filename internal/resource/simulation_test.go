package resource

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// A world is what really runs, which a Core must keep in order whatever happens.
type world struct {
	*stage
	t     *testing.T
	rand  *rand.Rand
	names []string
	runs  map[string]bool
	// judged is the run that was judged last, when it began.
	judged uint64
}

// step lets something happen: a report of the keeper, the end of a run, or a crash of
// lvsd, after which what runs goes on.
func (w *world) step() {
	switch n := w.rand.IntN(20); {
	case n == 0:
		w.crash()
	case n == 1:
		_, effects := w.Retry(w.now)
		w.do(effects)
	case n == 2 && !w.Deadline().IsZero():
		w.now = w.Deadline()
		w.do(w.Expire(w.now))
	case n < 8:
		w.hear([]vrrp.Status{master, backup, follows, offering, leaving}[w.rand.IntN(5)])
	default:
		w.finish(w.rand.IntN(6) == 0)
	}
	w.judge()
}

func (w *world) crash() {
	now := w.now
	if len(w.begun) > 0 { // What was under way is ended with lvsd, or has done its work.
		w.act(w.begun[0], w.rand.IntN(2) == 0)
	}
	w.stage = newStage(of(w.names...)...)
	w.now, w.judged = now, 0
}

// finish ends what is under way.
func (w *world) finish(fails bool) {
	if len(w.begun) == 0 {
		return
	}
	e := w.begun[0]
	if e.Action == Look {
		w.end(Result{OK: !fails, Runs: !fails && w.runs[e.Resource.Name]})
		return
	}
	w.act(e, fails && w.rand.IntN(2) == 0)
	w.end(Result{OK: !fails})
}

// act makes what a run does happen, unless it fails.
func (w *world) act(e Run, fails bool) {
	if !fails && e.Action != Look {
		w.runs[e.Resource.Name] = e.Action == Start
	}
}

// judge finds what must never be.
func (w *world) judge() {
	w.t.Helper()
	if len(w.begun) > 1 {
		w.t.Fatalf("two are under way: %v", w.begun)
	}
	if len(w.begun) == 0 || w.begun[0].Action == Look || w.begun[0].ID == w.judged {
		return
	}
	e := w.begun[0]
	w.judged = e.ID
	at := slices.Index(w.names, e.Resource.Name)
	items := w.lists[config.Owner{Router: "web"}].items
	for i, other := range items {
		switch {
		case e.Action == Start && i < at && other.state != running:
			w.t.Fatalf("%s is started before %s runs", e.Resource.Name, other.Name)
		case e.Action == Stop && i > at && other.state != stopped && other.state != stuck:
			w.t.Fatalf("%s is stopped before %s has", e.Resource.Name, other.Name)
		}
	}
}

// Whatever happens, two programs never run at the same time, the order holds, and in the
// end what runs is what the newest state wants.
func TestSimResources(t *testing.T) {
	for seed := range uint64(500) {
		names := []string{"a", "b", "c", "d"}
		w := &world{t: t, rand: rand.New(rand.NewPCG(seed, 1)), names: names, runs: map[string]bool{}}
		w.stage = newStage(of(names...)...)
		for range 200 {
			w.step()
		}
		last, want := master, w.rand.IntN(2) == 0
		if !want {
			last = follows
		}
		_, effects := w.Retry(w.now)
		w.do(effects)
		w.hear(last)
		for range 200 {
			if !w.Deadline().IsZero() {
				w.now = w.Deadline()
				w.do(w.Expire(w.now))
			}
			w.finish(false)
			if _, effects := w.Retry(w.now); len(effects) > 0 { // A start that failed earlier had not ended.
				w.do(effects)
			}
			w.judge()
		}
		for _, n := range names {
			if w.runs[n] != want {
				t.Fatalf("seed %d: in the end %s runs: %v, and what is wanted is %v; %s", seed, n, w.runs[n], want, w.states())
			}
		}
	}
}
