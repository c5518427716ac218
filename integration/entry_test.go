package integration

import (
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/lvsd/lvsd/integration/cluster"
)

// "Ansible started it and reloaded it, and it was gone": the first system call of the
// daemon has SIGHUP ignored, so it lives when one comes right after.
func TestSIGHUPDoesNotEndADaemonThatHasJustBegun(t *testing.T) {
	runtime.LockOSThread() // The thread that traces must be the one that started it.
	defer runtime.UnlockOSThread()
	c := exec.Command(cluster.Binary(t), "run", "--config", "/nonexistent")
	c.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	pid := c.Process.Pid
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"execve", func() error { return nil }},
		{"the first system call", func() error { return syscall.PtraceSyscall(pid, 0) }},
		{"its end", func() error { return syscall.PtraceSyscall(pid, 0) }},
	} {
		var s syscall.WaitStatus
		if err := step.do(); err != nil {
			t.Fatal(step.name, err)
		}
		if _, err := syscall.Wait4(pid, &s, 0, nil); err != nil || !s.Stopped() {
			t.Fatalf("at %s: %v, status %x", step.name, err, s)
		}
	}
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := syscall.PtraceDetach(pid); err != nil {
		t.Fatal(err)
	}
	err := c.Wait()
	if s := c.ProcessState.Sys().(syscall.WaitStatus); s.Signaled() {
		t.Errorf("it was ended by %v", s.Signal())
	} else if c.ProcessState.ExitCode() < 1 {
		t.Errorf("%v, want it to find no configuration", err)
	}
}
