package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// modules is where Debian's package puts the modules of user-mode Linux.
const modules = "/usr/lib/uml/modules"

// runUML runs the job in user-mode Linux.
//
// Its consoles are descriptors of ours: tty0 is the job's input and output,
// tty1 its standard error, and tty2 the kernel's own messages, which are shown
// only where it ends without handing over a status.
func runUML(ctx context.Context, j *job, folder, memory string) error {
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
		restore, err := term.GetState(int(os.Stdin.Fd()))
		if err == nil {
			defer term.Restore(int(os.Stdin.Fd()), restore)
		}
	}
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
	if err := c.Start(); err != nil {
		return fmt.Errorf("starting user-mode Linux: %w", err)
	}
	err = c.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("user-mode Linux ended before %s did (%v); its last messages:\n%s", j.Args[0], err, messages)
}

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

// terminalSize reports whether the caller sits at a terminal, and its size.
func terminalSize() (rows, columns int, ok bool) {
	in, out := int(os.Stdin.Fd()), int(os.Stdout.Fd())
	if !term.IsTerminal(in) || !term.IsTerminal(out) {
		return 0, 0, false
	}
	columns, rows, err := term.GetSize(out)
	return rows, columns, err == nil
}

// A tail keeps the end of what is written to it.
type tail struct{ text []byte }

const tailSize = 8192

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailSize; extra > 0 {
		t.text = bytes.Clone(t.text[extra:])
	}
	return len(p), nil
}

// String returns the last lines; those of a panic without its trace.
func (t *tail) String() string {
	text := strings.ReplaceAll(string(t.text), "\r", "")
	if before, after, ok := strings.Cut(text, "Kernel panic"); ok {
		reason, _, _ := strings.Cut(after, "\n")
		text = before + "Kernel panic" + reason
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}
