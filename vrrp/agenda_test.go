package vrrp

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// What is due first comes first, and what is never due comes last.
func TestAgenda(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 0))
		var a agenda
		for i := range 1 + random.IntN(40) {
			g := &group{index: i}
			if random.IntN(3) > 0 {
				g.at = at(time.Duration(random.IntN(20)) * second)
			}
			heap.Push(&a, g)
		}
		for range 10 { // Something happens to one of them.
			g := a[random.IntN(len(a))]
			g.at = at(time.Duration(random.IntN(20)) * second)
			heap.Fix(&a, g.index)
		}
		for now := range time.Duration(20) {
			wantDue(t, a, at(now*second))
		}
		var last *group
		for a.Len() > 0 {
			g := heap.Pop(&a).(*group)
			if last != nil && (last.at.IsZero() && !g.at.IsZero() || g.at.Before(last.at) && !g.at.IsZero()) {
				t.Fatalf("seed %d: %s comes after %s", seed, g.at, last.at)
			}
			last = g
		}
	}
}

// wantDue compares what the agenda says is due with a look at all of it.
func wantDue(t *testing.T, a agenda, now time.Time) {
	t.Helper()
	all := a.due(now, 0, nil)
	for i, g := range a {
		if g.index != i {
			t.Fatalf("the group at %d believes that it is at %d", i, g.index)
		}
		if want := due(g.at, now); slices.Contains(all, g) != want {
			t.Fatalf("due at %s, at %s: %t", g.at, now, !want)
		}
	}
}
