package keeper

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// threadsRunOn tests the processors of every thread of this process.
func threadsRunOn(t *testing.T, processors []int) {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		id, _ := strconv.Atoi(task.Name())
		var set unix.CPUSet
		if unix.SchedGetaffinity(id, &set) != nil {
			continue // It has ended.
		}
		if set.Count() != len(processors) || slices.ContainsFunc(processors, func(n int) bool { return !set.IsSet(n) }) {
			t.Errorf("thread %d runs on %d processors, not on %v", id, set.Count(), processors)
		}
	}
}

// keepalived's vrrp_cpu_affinity: every thread of the keeper runs on these processors.
func TestEveryThreadRunsOnItsProcessors(t *testing.T) {
	var p pinning
	all := affinity()
	first := all[:1]
	defer func() { _ = pin(all) }()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	runs := p.pin(nil)
	if runs.Processors != nil || runs.Unpinned != "" {
		t.Errorf("without any: %+v", runs)
	}
	threadsRunOn(t, all)
	runs = p.pin(first)
	if !slices.Equal(runs.Processors, first) || runs.Unpinned != "" {
		t.Errorf("on the first: %+v", runs)
	}
	threadsRunOn(t, first)
	if n := runtime.GOMAXPROCS(0); n != 1 {
		t.Errorf("%d threads of Go, of which one may spin for the other, run on one processor", n)
	}
	runs = p.pin([]int{first[0], 1023})
	if !slices.Equal(runs.Processors, first) || !strings.Contains(runs.Unpinned, "the kernel allows only") {
		t.Errorf("and on one that does not exist: %+v", runs)
	}
	runs = p.pin([]int{1023})
	if !strings.Contains(runs.Unpinned, "invalid argument") {
		t.Errorf("only on one that does not exist: %+v", runs)
	}
	runs = p.pin(nil)
	if runs.Processors != nil || runs.Unpinned != "" {
		t.Errorf("on all again: %+v", runs)
	}
	threadsRunOn(t, all)
	if n, want := runtime.GOMAXPROCS(0), min(2, len(all)); n != want {
		t.Errorf("%d threads of Go run on %d processors, want %d", n, len(all), want)
	}
}
