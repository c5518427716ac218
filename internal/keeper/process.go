package keeper

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// stageVar tells the program, executed for the second time, how setting
	// its scheduling policy went.
	stageVar = "LVSD_KEEPER_SCHEDULING"
	granted  = "SCHED_FIFO"
	// priority is the lowest of SCHED_FIFO: before every ordinary process,
	// behind whatever else is real time on the machine.
	priority = 1
	// threads bounds the Go threads that run at one time, beside the adverts
	// one for everything else.
	threads = 2
)

// settle gives the process its scheduling policy and its memory. A policy set
// in place would reach one thread only, so it is set on this one, which then
// executes the program again: every thread of that inherits it.
func settle() Process {
	why, again := os.LookupEnv(stageVar)
	if !again {
		why = schedule()
	}
	_ = os.Unsetenv(stageVar)
	// Executed by way of /proc/self/exe, it would be called "exe".
	_ = os.WriteFile("/proc/self/comm", []byte("lvsd-keeper"), 0)
	runtime.GOMAXPROCS(threads)
	debug.SetGCPercent(50)
	p := Process{Realtime: why == granted}
	if !p.Realtime {
		p.Why = why
	}
	if err := lockMemory(); err != nil {
		p.Why = join(p.Why, fmt.Sprintf("its memory may be paged out: %v", err))
	} else {
		p.Locked = true
	}
	return p
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// schedule does not return where it succeeds.
func schedule() (why string) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := setScheduler(unix.SCHED_FIFO, priority); err != nil {
		return fmt.Sprintf("its adverts may be late, SCHED_FIFO is refused (CAP_SYS_NICE is needed): %v", err)
	}
	err := syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), stageVar+"="+granted))
	_ = setScheduler(unix.SCHED_NORMAL, 0)
	return fmt.Sprintf("its adverts may be late, executing itself again failed: %v", err)
}

// setScheduler sets the policy of the calling thread (sched_setscheduler(2)).
func setScheduler(policy int, priority int32) error {
	_, _, errno := unix.RawSyscall(unix.SYS_SCHED_SETSCHEDULER, 0, uintptr(policy), uintptr(unsafe.Pointer(&priority)))
	if errno != 0 {
		return errno
	}
	return nil
}

// lockMemory keeps in memory what has been touched. Under a limit it does
// nothing, since later mappings would fail at it; without ONFAULT the whole
// address space would become resident.
func lockMemory() error {
	if !mayLock() {
		return errors.New("neither CAP_IPC_LOCK nor an unlimited RLIMIT_MEMLOCK")
	}
	return unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
}

func mayLock() bool {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit) == nil && limit.Cur == unix.RLIM_INFINITY {
		return true
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&header, &data[0]) == nil && data[0].Effective&(1<<unix.CAP_IPC_LOCK) != 0
}
