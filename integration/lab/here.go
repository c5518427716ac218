package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/mdlayher/genetlink"
	"golang.org/x/sys/unix"
)

// hasIPVS reports whether the kernel at hand has IPVS and lets this process
// use it.
func hasIPVS() bool {
	if os.Geteuid() != 0 {
		return false
	}
	// Asked quietly: a kernel without modules is an ordinary answer.
	_ = exec.Command("modprobe", "-q", "ip_vs").Run()
	c, err := genetlink.Dial(nil)
	if err != nil {
		return false
	}
	defer c.Close()
	_, err = c.GetFamily("IPVS")
	return err == nil
}

// runHere runs the job on this kernel, in namespaces of its own.
func runHere(ctx context.Context, j *job, folder, _ string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	c := exec.CommandContext(ctx, self)
	c.Args[0] = "lab"
	c.Env = append(os.Environ(), jobVariable+"="+folder, kernelVariable+"=here")
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	if j.Terminal {
		c.Stdin = os.Stdin
	}
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
	}
	c.WaitDelay = time.Second
	if err := c.Run(); err != nil {
		return fmt.Errorf("running in namespaces of this kernel: %w", err)
	}
	return nil
}
