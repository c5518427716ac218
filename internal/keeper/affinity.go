package keeper

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// threads bounds the Go threads that run at one time, beside the adverts one for
// everything else.
const threads = 2

// restrainThreads has no more of them run at one time than there are processors: those of
// a policy in real time do not take turns.
func restrainThreads(processors int) { runtime.GOMAXPROCS(max(1, min(threads, processors))) }

// An Affinity is on which processors the keeper runs.
type Affinity struct {
	// Processors are their numbers, ascending; none: it was not told any.
	Processors []int `json:"processors,omitempty"`
	// Unpinned is why these are not those that it should run on; empty: they are.
	Unpinned string `json:"unpinned,omitempty"`
}

// affinity returns the processors of the calling thread.
func affinity() (all []int) {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return nil
	}
	for n := range len(set) * strconv.IntSize {
		if set.IsSet(n) {
			all = append(all, n)
		}
	}
	return all
}

// A pinning has this process run on some processors.
type pinning struct {
	allowed []int // those that it began with
	pinned  bool
}

// pin makes it run on these; without any, on those that it began with.
func (p *pinning) pin(processors []int) (runs Affinity) {
	if p.allowed == nil {
		p.allowed = affinity()
	}
	switch {
	case len(processors) > 0:
		err := pin(processors)
		runs.Processors = affinity()
		if err != nil {
			runs.Unpinned = err.Error()
		} else if !slices.Equal(runs.Processors, processors) {
			runs.Unpinned = fmt.Sprintf("of %v, the kernel allows only %v: the others do not exist, are offline, or are not in the cpuset", processors, runs.Processors)
		}
	case p.pinned:
		_ = pin(p.allowed) // They were allowed before.
	}
	p.pinned = len(processors) > 0
	restrainThreads(len(affinity()))
	return runs
}

// pin sets the processors of every thread of this process. One that is begun meanwhile
// has those of the thread that begins it, so it ends when a whole round has found none
// that was not set.
func pin(processors []int) error {
	var set unix.CPUSet
	for _, n := range processors {
		set.Set(n)
	}
	done := make(map[int]bool)
	for news := true; news; {
		news = false
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("listing the threads: %w", err)
		}
		for _, t := range tasks {
			id, err := strconv.Atoi(t.Name())
			if err != nil || done[id] {
				continue
			}
			if err := unix.SchedSetaffinity(id, &set); err != nil && err != unix.ESRCH {
				return fmt.Errorf("running on the processors %v: %w", processors, err)
			}
			done[id], news = true, true
		}
	}
	return nil
}
