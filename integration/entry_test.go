package integration

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/lvsd/lvsd/integration/cluster"
)

// "Ansible started it and reloaded it, and it was gone": the first system call of the
// daemon has SIGHUP ignored, so it lives when one comes right after. The second turns
// huge pages off.
func TestSIGHUPDoesNotEndADaemonThatHasJustBegun(t *testing.T) {
	runtime.LockOSThread() // The thread that traces must be the one that started it.
	defer runtime.UnlockOSThread()
	c := exec.Command(cluster.Binary(t), "run", "--config", "/nonexistent")
	c.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	pid := c.Process.Pid
	stops := func(where string) {
		var s syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &s, 0, nil); err != nil || !s.Stopped() {
			t.Fatalf("at %s: %v, status %x", where, err, s)
		}
	}
	stops("execve")
	for _, where := range []string{"sigaction", "its end", "prctl", "its end"} {
		if err := syscall.PtraceSyscall(pid, 0); err != nil {
			t.Fatal(where, err)
		}
		stops(where)
		if where == "prctl" {
			if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil || !strings.Contains(string(status), "THP_enabled:\t0\n") {
		t.Errorf("huge pages are on (%v): %s", err, status)
	}
	if err := syscall.PtraceDetach(pid); err != nil {
		t.Fatal(err)
	}
	err = c.Wait()
	if s := c.ProcessState.Sys().(syscall.WaitStatus); s.Signaled() {
		t.Errorf("it was ended by %v", s.Signal())
	} else if c.ProcessState.ExitCode() < 1 {
		t.Errorf("%v, want it to find no configuration", err)
	}
}
