// Package processor keeps a machine of the tests on one processor.
package processor

import (
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// StartOnOne starts a process that stays on one of our processors, with all its
// children: on one that no other such process has, where there is one. release
// gives it back.
//
// User-mode Linux has one processor, but its kernel and each of its processes are
// processes here, which take turns with every system call: on one processor such a
// turn takes 15 µs, between two of a virtual machine 80 µs, and now and then far
// longer, so that a director's keeper stands still for a tenth of a second.
func StartOnOne(start func() error) (release func(), err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var ours, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &ours); err != nil {
		return nil, fmt.Errorf("reading which processors may be used: %w", err)
	}
	processor, release := choose(list(&ours))
	one.Set(processor)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		release()
		return nil, fmt.Errorf("choosing a processor: %w", err)
	}
	defer func() { _ = unix.SchedSetaffinity(0, &ours) }()
	if err := start(); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// list returns the processors of a set.
func list(set *unix.CPUSet) (all []int) {
	for cpu := 0; len(all) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			all = append(all, cpu)
		}
	}
	return all
}

// choose claims a processor, by an abstract socket of its name, which ends with its
// process. Where all are taken, two machines share one.
func choose(processors []int) (processor int, release func()) {
	for _, processor := range processors {
		claim, err := net.Listen("unix", fmt.Sprintf("@lvsd-lab-processor-%d", processor))
		if err == nil {
			return processor, func() { _ = claim.Close() }
		}
	}
	return processors[os.Getpid()%len(processors)], func() {}
}
