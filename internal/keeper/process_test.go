package keeper

import (
	"reflect"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"

	"golang.org/x/sys/unix"
)

// The director's own thread is as it was after it has started a keeper: a
// director under SCHED_RR could keep the keeper from running.
func TestTheDirectorKeepsItsOwnPolicy(t *testing.T) {
	runtime.LockOSThread() // The thread ends with the test.
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, 5); err != nil {
		t.Fatal(err)
	}
	before, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var during *unix.SchedAttr
	err = withPolicy(func() (err error) { during, err = unix.SchedGetAttr(0, 0); return err })
	if err != nil {
		t.Fatal(err)
	}
	if during.Policy != unix.SCHED_RR {
		t.Skip("SCHED_RR is refused here")
	}
	if after, err := unix.SchedGetAttr(0, 0); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("it was %+v, and is %+v, error %v", before, after, err)
	}
}

// Its memory is locked, so a heap that grows to 4 MB before it is collected costs each
// director these for good.
func TestTheKeepersHeapIsCollectedBeforeItIsLarge(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	restrain()
	runtime.GC()
	all := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(all)
	goal, live := all[0].Value.Uint64(), all[1].Value.Uint64()
	if most := live + max(live, 4<<20)/2; goal > most {
		t.Errorf("%d kB of heap live, and the next collection is at %d", live>>10, goal>>10)
	}
}
