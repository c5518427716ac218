package spawn

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patrol is how often a signal is sent again to processes that may start others.
const patrol = 20 * time.Millisecond

// A family is a program with all its descendants, as the process sees them that is
// their subreaper. Only its children are looked at: one that ends makes its own
// children those of the subreaper, so the whole descent comes up, generation after
// generation. No other process waits for them, so their ids stay theirs until reap.
type family struct {
	program int            // the id of the program, of its session, and of its process group
	changed chan os.Signal // SIGCHLD
	ended   bool           // the program has
	status  syscall.WaitStatus
	none    bool // there are no children
	// reaped counts the processes that ended, but for the program.
	reaped int
}

// reaping bounds one reap, in time. Whoever starts processes without end does not start
// them faster than they are waited for, and one that is not waited for would be listed
// with the children again and again.
const reaping = 100 * time.Millisecond

// reap waits for all children that have ended.
func (f *family) reap() {
	for began := time.Now(); time.Since(began) < reaping; {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			f.none = true
			return
		case pid == 0:
			f.none = false
			return
		case pid == f.program:
			f.ended, f.status = true, status
		default:
			f.reaped++
		}
	}
	select { // There is more to do.
	case f.changed <- syscall.SIGCHLD:
	default:
	}
}

// children returns the ids of the children that have not been waited for.
func children() (all []int, err error) {
	files, _ := filepath.Glob("/proc/self/task/*/children")
	if len(files) == 0 {
		return nil, errors.New("the descendants of a program cannot be found: there is no /proc/self/task/*/children (mount /proc, or use a kernel with CONFIG_PROC_CHILDREN)")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // the thread has ended
		}
		if err != nil {
			return nil, fmt.Errorf("finding the descendants of a program: %w", err)
		}
		for _, word := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil {
				all = append(all, pid)
			}
		}
	}
	return all, nil
}

// members returns the children that are in the program's session, or all of them.
func (f *family) members(everybody bool) []int {
	all, _ := children() // Main has seen that they can be found.
	var members []int
	for _, pid := range all {
		if session, err := unix.Getsid(pid); everybody || err == nil && session == f.program {
			members = append(members, pid)
		}
	}
	return members
}

// end ends the children in the program's session, or everybody: by SIGTERM, and after
// the grace by SIGKILL. It returns how many of them are left.
func (f *family) end(everybody bool) int {
	told := make(map[int]bool)
	terminate := func(pid int) {
		if !told[pid] {
			told[pid] = true
			send(pid, unix.SIGTERM)
			send(pid, unix.SIGCONT) // One that is stopped does not receive the other.
		}
	}
	if f.pursue(everybody, terminate, grace) > 0 {
		return f.pursue(everybody, kill, killing)
	}
	return 0
}

// pursue does something to all members, and to those that become some, until there
// are none or the time is over. It returns how many are left.
func (f *family) pursue(everybody bool, do func(pid int), limit time.Duration) int {
	over := time.NewTimer(limit)
	defer over.Stop()
	for {
		f.reap()
		members := f.members(everybody)
		if len(members) == 0 && (f.none || !everybody) {
			return 0
		}
		for _, pid := range members {
			do(pid)
		}
		select {
		case <-f.changed:
		case <-time.After(patrol):
		case <-over.C:
			return max(len(members), 1)
		}
	}
}

// kill kills a child with its process group, which are descendants of the program
// too, at one blow: within it nobody can fork meanwhile.
func kill(pid int) {
	if group, err := unix.Getpgid(pid); err == nil {
		_ = unix.Kill(-group, unix.SIGKILL)
	}
	_ = unix.Kill(pid, unix.SIGKILL)
}

// send sends a signal to a child, and to its process group if it leads one.
func send(pid int, s syscall.Signal) {
	if group, err := unix.Getpgid(pid); err == nil && group == pid {
		_ = unix.Kill(-group, s)
		return
	}
	_ = unix.Kill(pid, s)
}
