package keeper

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/program"
)

const (
	// policy is SCHED_RR and not SCHED_FIFO: Go's threads wait for each other
	// now and then, and one that spins would never let the other one run where
	// there is no processor left (measured with the garbage collector: no
	// advert for 10 s). Priority is the lowest one: before every ordinary
	// process, behind whatever else is real time on the machine.
	policy   = unix.SCHED_RR
	priority = 1
)

// oomPoints is how much more likely than the keeper the kernel is to end the
// director where memory runs out, in thousandths of the memory that there is
// (proc_pid_oom_score_adj(5)). The keeper's memory is locked, so it may be the
// larger one by then; a director that is ended hands over.
const oomPoints = 100

// GoFirst has the kernel end this process before the keeper that it starts, where
// memory runs out.
func GoFirst() { adjustOOM(oomPoints) }

// adjustOOM adds to this process's points. More are always granted, and those that
// were inherited may be given back; where it is refused all the same, the two are
// merely as likely as each other.
func adjustOOM(points int) {
	const path = "/proc/self/oom_score_adj"
	text, err := os.ReadFile(path)
	if err != nil {
		return
	}
	if now, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		_ = os.WriteFile(path, []byte(strconv.Itoa(max(-1000, min(now+points, 1000)))), 0)
	}
}

// prepare gives the process its name and its memory, and returns how it runs.
func prepare() Process {
	// Executed by way of /proc/self/exe, it would be called "exe".
	_ = os.WriteFile("/proc/self/comm", []byte("lvsd-keeper"), 0)
	adjustOOM(-oomPoints)
	restrain()
	var missing []string
	scheduling, err := unix.SchedGetAttr(0, 0)
	realtime := err == nil && scheduling.Policy == policy
	if !realtime {
		missing = append(missing, "its adverts may be late, because SCHED_RR was refused (it needs CAP_SYS_NICE)")
	}
	giveBack(program.DropPages)
	err = lockMemory()
	if err != nil {
		missing = append(missing, fmt.Sprintf("its memory may be paged out: %v", err))
	}
	return Process{Realtime: realtime, Locked: err == nil, Why: strings.Join(missing, "; ")}
}

// settled is how long after its start a keeper has done what it does only once: it knows
// its routers, its interfaces, and what it exchanges with the director.
const settled = 5 * time.Second

// usedWithin is how long after that what a keeper at rest uses has been used: it has
// collected its garbage, which reads what stacks and types look like.
const usedWithin = time.Minute

// giveBack gives back the memory that nothing is in, and the program's pages, of which
// those that are used come back and stay. Both would be locked for good. Where it fails,
// this process is merely larger.
func giveBack(pages func() error) {
	alone(debug.FreeOSMemory)
	_ = pages()
}

// unused drops the program's pages, and lets come back only those that are used, and the
// code that a take-over runs.
func unused() error {
	const lvsd = "github.com/lvsd/lvsd/"
	return program.DropAllButUsed(usedWithin, lvsd+"vrrp", lvsd+"vrrp/link", lvsd+"internal/keeper")
}

// collector is the garbage collector's GOGC. What the heap has grown to stays locked in
// memory; with 100 it grows to 4 MB before the first collection, and with 20 to 0.8. The
// keeper makes little garbage, so that collections are rare all the same.
const collector = 20

// collectEvery is how often the keeper collects its garbage by itself. There are some
// 17 kB a second, and Go lets a megabyte come together, whatever GOGC is. It takes a
// quarter of a millisecond.
const collectEvery = 15 * time.Second

// alone collects garbage while no second thread of Go runs. Otherwise runtime.GC waits for
// the one that sweeps beside it, and spins: where that one has no processor left, until the
// kernel takes this one away from it, which under SCHED_RR is after 100 ms (measured on
// one processor: 139 ms for a collection, and 0.12 alone).
func alone(collect func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	collect()
}

// restrain bounds what the Go runtime takes: threads and memory.
func restrain() {
	restrainThreads(runtime.NumCPU())
	debug.SetGCPercent(collector)
}

// forPrograms are the capabilities that the director may have for what it starts as
// another user (programs.conf). The keeper starts nothing.
var forPrograms = [...]uintptr{unix.CAP_SETUID, unix.CAP_SETGID, unix.CAP_KILL}

// withoutCapabilities starts a process that does not inherit those, which an ordinary
// user's process does by the thread's ambient set. Root's has all in any case.
func withoutCapabilities(start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, c := range forPrograms {
		set, err := unix.PrctlRetInt(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, c, 0, 0)
		if err != nil || set == 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_LOWER, c, 0, 0); err != nil {
			return fmt.Errorf("giving up a capability: %w", err)
		}
		defer unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, c, 0, 0)
	}
	return start()
}

// withPolicy starts a process from a thread that has the keeper's scheduling
// policy, so that every thread of the process inherits it: set later, it would
// reach one thread only. Where it is refused, the process is started without.
func withPolicy(start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own, err := unix.SchedGetAttr(0, 0)
	if err == nil && unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy, Priority: priority}, 0) == nil {
		defer unix.SchedSetAttr(0, own, 0)
	}
	return start()
}

// lockMemory keeps in memory what has been touched. Under a limit it does
// nothing, since later mappings would fail at it; without ONFAULT the whole
// address space would become resident.
func lockMemory() error {
	if !mayLock() {
		return errors.New("it has neither CAP_IPC_LOCK nor an unlimited RLIMIT_MEMLOCK")
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
