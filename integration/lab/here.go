package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/mdlayher/genetlink"
	"golang.org/x/sys/unix"
)

// here is the kernel at hand, where the job has namespaces of its own.
type here struct{}

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

// start runs the job in new namespaces.
func (here) start(ctx context.Context, j *job, folder, _ string) error {
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

func (here) arrive(folder string) (string, error) { return folder, nil }

// furnish makes the namespaces usable.
func (here) furnish(*job) error {
	return errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		mount("proc", "proc", "/proc", ""),
		mount("sysfs", "sysfs", "/sys", ""),
		mount("tmpfs", "tmpfs", "/run", "mode=755"),
		upLoopback(),
	)
}

func (here) consoles(*job) (out, errs string, err error) { return "", "", nil }

// end ends the first process, and with it the namespaces.
func (here) end() { os.Exit(0) }
