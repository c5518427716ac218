package checker

import (
	"fmt"
	"runtime"
	"testing"
)

// TestCheckerMemory bounds what a target at rest costs.
func TestCheckerMemory(t *testing.T) {
	const n, limit = 10_000, 150
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	all := targets(n)
	for i := range all {
		all[i].Spec = SpecOf(HTTP{Path: fmt.Sprint("/", i)})
	}
	specs := heap() - before
	c := New(answers(0), DefaultInFlight)
	c.Set(all)
	each := (heap() - before - specs) / n
	t.Logf("%d bytes for each target, beside %d of its options", each, specs/n)
	if each > limit {
		t.Errorf("%d bytes for each target, want at most %d", each, limit)
	}
	runtime.KeepAlive(c)
	runtime.KeepAlive(all)
}
