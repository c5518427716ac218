package cluster

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Stalls notes when a processor of this machine stood still: when a real-time
// thread that is bound to it slept for longer than it wanted. An emulated
// machine stalls when its host has other work, and every machine where its
// kernel cannot be interrupted. No process can be on time then.
//
// It notes rather too much: a thread that woke in time also waits for other threads of
// this program's Go runtime, which are not real-time, and for a keeper that has its
// processor.
type Stalls struct {
	stopping atomic.Bool
	running  sync.WaitGroup

	mu     sync.Mutex
	stalls []stall
}

// A stall is from when a thread should have woken until it did.
type stall struct{ begin, end time.Time }

// WatchStalls begins to watch every processor.
func WatchStalls() *Stalls {
	s := new(Stalls)
	for i := range runtime.NumCPU() {
		s.running.Go(func() { s.watch(i) })
	}
	return s
}

func (s *Stalls) watch(processor int) {
	runtime.LockOSThread() // and never unlocked: the thread ends with its policy
	var set unix.CPUSet
	set.Set(processor)
	// Where that is not allowed it sees stalls that are none, of a busy machine.
	_ = unix.SchedSetaffinity(0, &set)
	inRealTime(likeKeepers)
	const pause, tolerated = 5 * time.Millisecond, time.Millisecond
	for !s.stopping.Load() {
		due := time.Now().Add(pause)
		t := unix.NsecToTimespec(int64(pause))
		_ = unix.Nanosleep(&t, nil)
		if now := time.Now(); now.Sub(due) > tolerated {
			s.mu.Lock()
			s.stalls = append(s.stalls, stall{due.Round(0), now.Round(0)})
			s.mu.Unlock()
		}
	}
}

// Stop stops watching.
func (s *Stalls) Stop() {
	s.stopping.Store(true)
	s.running.Wait()
}

// Between is how long any processor stood still in that time.
func (s *Stalls) Between(begin, end time.Time) (sum time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return stalled(s.stalls, begin, end)
}

// stalled is Between for stalls in the order of their ends, which may overlap.
func stalled(stalls []stall, begin, end time.Time) (sum time.Duration) {
	// From the last one back, so that what overlaps is counted once.
	for i := len(stalls) - 1; i >= 0 && stalls[i].end.After(begin); i-- {
		from, to := stalls[i].begin, stalls[i].end
		if from.Before(begin) {
			from = begin
		}
		if to.After(end) {
			to = end
		}
		if to.After(from) {
			sum += to.Sub(from)
			end = from
		}
	}
	return sum
}

// Priorities of real-time threads: that of the directors' keepers, and one that
// they do not delay.
const (
	likeKeepers   = 1
	beforeKeepers = 2
)

// processInRealTime makes every thread of this process real-time, and so those
// that they start.
func processInRealTime(priority uint32) {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		if tid, err := strconv.Atoi(task.Name()); err == nil {
			_ = unix.SchedSetAttr(tid, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: priority}, 0)
		}
	}
}

// inRealTime makes the calling thread, which is locked, real-time until what it
// returns is called. Where that is not allowed the thread stays as it is.
func inRealTime(priority uint32) (end func()) {
	set := func(policy, priority uint32) {
		_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy, Priority: priority}, 0)
	}
	set(unix.SCHED_RR, priority)
	return func() { set(unix.SCHED_NORMAL, 0) }
}
