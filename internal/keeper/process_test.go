package keeper

import (
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
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

// With programs.conf, the unit's user may change the user and end what is not its own,
// for the programs that lvsd-spawn starts.
func TestTheKeeperMayNotBecomeAnotherUser(t *testing.T) {
	const needs = 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW | 1<<unix.CAP_SYS_NICE | 1<<unix.CAP_IPC_LOCK
	const more = 1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID | 1<<unix.CAP_KILL
	for name, has := range map[string]uint32{"with programs.conf": needs | more, "without": needs} {
		t.Run(name, func(t *testing.T) {
			done := make(chan struct{})
			var refused error
			go func() {
				defer close(done)
				runtime.LockOSThread() // for good: the thread ends with this
				if refused = becomeUser(has); refused != nil {
					return
				}
				c := &Client{command: "/bin/sh", args: []string{"-c", "grep -E '^Cap(Prm|Eff|Amb)' /proc/self/status >&2"}}
				conn, cmd, words, err := c.spawn()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				if err := cmd.Wait(); err != nil {
					t.Error(err)
				}
				want := fmt.Sprintf("CapPrm:\t%016x\nCapEff:\t%016x\nCapAmb:\t%016x", needs, needs, needs)
				if got := strings.TrimSpace(string(*words)); got != want {
					t.Errorf("the keeper has\n%s\nwant\n%s", got, want)
				}
				for capability := range uintptr(32) {
					set, err := unix.PrctlRetInt(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, capability, 0, 0)
					if err != nil || (set == 1) != (has>>capability&1 == 1) {
						t.Errorf("the director's ambient capability %d: %d, %v", capability, set, err)
					}
				}
			}()
			<-done
			if refused != nil {
				t.Skipf("it takes root: %v", refused)
			}
		})
	}
}

// becomeUser makes the calling thread one of the user nobody, as systemd does with
// AmbientCapabilities=.
func becomeUser(capabilities uint32) error {
	if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
		return err
	}
	const nobody = 65534
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody); errno != 0 {
		return errno
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{{Effective: capabilities, Permitted: capabilities, Inheritable: capabilities}}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return err
	}
	for capability := range uintptr(32) {
		if capabilities>>capability&1 == 1 {
			if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, capability, 0, 0); err != nil {
				return err
			}
		}
	}
	return nil
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

// Pinned to one processor, the keeper was busy with itself for 0.1 to 0.4 s at each
// collection, and three adverts of 30 ms did not go out.
func TestACollectionWaitsForNoOtherThread(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	during := 0
	alone(func() { during = runtime.GOMAXPROCS(0) })
	if after := runtime.GOMAXPROCS(0); during != 1 || after != 2 {
		t.Errorf("%d threads of Go run during a collection, and %d after it; want 1 and 2", during, after)
	}
}
