package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/processor"
)

// modules is where Debian's package puts the modules of user-mode Linux.
const modules = "/usr/lib/uml/modules"

// uml is Debian's user-mode Linux: a whole Linux as a process of the caller.
// Its root is the caller's file system.
type uml struct{}

// start starts the machine.
//
// Its consoles are descriptors of ours: tty0 is the job's input and output,
// tty1 its standard error, and tty2 the kernel's own messages, which are shown
// only where it ends without handing over a status.
func (uml) start(ctx context.Context, j *job, folder, memory string) error {
	kernel, err := exec.LookPath("linux.uml")
	if err != nil {
		return errors.New("this kernel has no IPVS (or you are not root), and there is no user-mode Linux to run one that has: apt-get install user-mode-linux kmod")
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	input := "null"
	if j.Terminal {
		input = "fd:3"
	}
	defer keepTerminal(j)()
	messages := new(tail)
	// A shell is the first process of the namespace, not the kernel: the first
	// one cannot be aborted, so a kernel that panics would stay.
	c := exec.CommandContext(ctx, "/bin/sh", "-c", `"$0" "$@"; exit $?`, kernel,
		"mem="+memory, "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "init="+self,
		"con=null", "ssl=null", "con0="+input+",fd:4", "con1=null,fd:5", "con2=null,fd:1", "console=tty2",
		"quiet", "panic=1", "uml_dir="+folder, jobVariable+"="+folder, kernelVariable+"=uml")
	c.Env = append(os.Environ(), "TMPDIR="+memoryFolder(memory))
	c.ExtraFiles = []*os.File{os.Stdin, os.Stdout, os.Stderr}
	c.Stdout, c.Stderr = messages, messages
	// A process namespace of its own: the processes of the machine are
	// processes of ours too, and none outlives the first, nor it this one.
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID, Setpgid: !j.Terminal, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		c.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
	}
	c.WaitDelay = time.Second
	release, err := processor.StartOnOne(c.Start)
	if err != nil {
		return fmt.Errorf("starting user-mode Linux: %w", err)
	}
	defer release()
	err = c.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("user-mode Linux ended before %s did (%v); its last messages:\n%s", j.Args[0], err, messages)
}

// arrive makes what /run is for, and the caller's folder in it.
func (uml) arrive(folder string) (string, error) {
	err := errors.Join(mount("tmpfs", "tmpfs", "/run", "mode=755"), mount("hostfs", folder, exchange, folder))
	return exchange, err
}

func (uml) furnish(j *job) error {
	if err := furnishMachine(); err != nil {
		return err
	}
	// Writable, and seen even where a fresh folder hides it.
	err := mount("hostfs", j.Module, j.Module, j.Module)
	if program := filepath.Dir(j.Args[0]); isHidden(j.Args[0]) {
		err = errors.Join(err, mount("hostfs", program, program, program))
	}
	err = errors.Join(err, os.MkdirAll(modprobeFolder+"/lib", 0o755), os.Symlink(modules, modulesFolder))
	return errors.Join(err, setModprobe())
}

func (uml) consoles(*job) (out, errs string, err error) { return "/dev/tty0", "/dev/tty1", nil }

func (uml) end() { switchOff() }

// memoryFolder is where user-mode Linux maps its memory: a file system in
// memory where one has the room (containers often give /dev/shm 64 MB only).
func memoryFolder(memory string) string {
	var s unix.Statfs_t
	if err := unix.Statfs("/dev/shm", &s); err != nil || int64(s.Bavail)*s.Bsize < parseSize(memory) {
		return os.TempDir()
	}
	return "/dev/shm"
}

// parseSize reads a size as the kernel's command line has it: 512M, 1G.
func parseSize(text string) int64 {
	unit := int64(1)
	if n := len(text); n > 0 {
		if shift, ok := map[byte]uint{'k': 10, 'm': 20, 'g': 30}[text[n-1]|0x20]; ok {
			unit, text = 1<<shift, text[:n-1]
		}
	}
	size, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return size * unit
}
