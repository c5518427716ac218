package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// exchange is where a machine sees the caller's folder.
const exchange = "/run/lab"

// runInside is the lab as the first process of a machine: it prepares the
// machine, runs the job, hands its status over and ends the machine. It does
// not return. Where it fails before the job ran it hands over nothing; the lab
// outside then shows what was said here.
func runInside(folder string) {
	k := kernels[os.Getenv(kernelVariable)]
	if err := runJob(k, folder); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
	}
	k.end()
}

func runJob(k kernel, folder string) error {
	folder, err := k.arrive(folder)
	if err != nil {
		return fmt.Errorf("preparing the machine: %w", err)
	}
	j, err := readJob(folder)
	if err != nil {
		return err
	}
	if err := k.furnish(j); err != nil {
		return fmt.Errorf("preparing the machine: %w", err)
	}
	status, err := execute(k, j)
	if err != nil {
		return err
	}
	return writeStatus(folder, status)
}

// furnishMachine makes a machine of a kernel that has nothing but a read-only
// view of the caller's file system, and an empty /run.
func furnishMachine() error {
	return errors.Join(
		mount("proc", "proc", "/proc", ""),
		mount("sysfs", "sysfs", "/sys", ""),
		mount("tmpfs", "tmpfs", "/dev/shm", ""),
		mount("devpts", "devpts", "/dev/pts", ""),
		mount("tmpfs", "tmpfs", "/tmp", ""),
		mount("tmpfs", "tmpfs", "/var/lib", "mode=755"),
		mount("tmpfs", "tmpfs", "/var/log", "mode=755"),
		mount("tmpfs", "tmpfs", "/var/tmp", ""),
		unix.Sethostname([]byte("lab")),
		upLoopback(),
		hurryPackets(),
	)
}

// hurryPackets gives the kernel's threads that deliver packets a real-time
// priority above that of every process of a cluster. All hosts of a cluster
// share the processors of one machine, but their network is not to: a director
// that starts, in real time, must not delay the packets of the others.
func hurryPackets() error {
	comms, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return err
	}
	for _, path := range comms {
		name, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(name), "ksoftirqd/") {
			continue // a process that has ended, or another one
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return err
		}
		a := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 10}
		if err := unix.SchedSetAttr(pid, &a, 0); err != nil {
			return fmt.Errorf("making %s a real-time thread: %w", strings.TrimSpace(string(name)), err)
		}
	}
	return nil
}

// isHidden reports whether a file lies below a folder that was mounted over.
func isHidden(path string) bool {
	_, err := os.Stat(path)
	return err != nil
}

// mount mounts the source on a folder, made where it is missing.
func mount(kind, source, folder, options string) error {
	if folder == "/" {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", folder, err)
	}
	if err := unix.Mount(source, folder, kind, 0, options); err != nil {
		return fmt.Errorf("mounting %s on %s: %w", kind, folder, err)
	}
	return nil
}

// modprobeFolder holds the modprobe that knows where the machine's modules are:
// in modulesFolder.
const (
	modprobeFolder = "/run/m"
	modulesFolder  = modprobeFolder + "/lib/modules"
)

// setModprobe tells the kernel where its modules are, so that it loads by
// itself what is asked for, and loads IPVS: ipvsadm does not ask the kernel.
func setModprobe() error {
	const script = modprobeFolder + "/modprobe"
	text := "#!/bin/sh\nexec /sbin/modprobe -d " + modprobeFolder + " \"$@\"\n"
	err := errors.Join(
		os.WriteFile(script, []byte(text), 0o755),
		os.WriteFile("/proc/sys/kernel/modprobe", []byte(script+"\n"), 0o644),
	)
	if err != nil {
		return err
	}
	if out, err := exec.Command(script, "-a", "ip_vs", "ipv6").CombinedOutput(); err != nil {
		return fmt.Errorf("loading ip_vs: %w: %s", err, out)
	}
	return nil
}

func upLoopback() error {
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("setting the loopback interface up: %w", err)
	}
	return nil
}

// execute runs the job and returns its exit status.
func execute(k kernel, j *job) (status int, err error) {
	io := &consoles{files: []*os.File{os.Stdin, os.Stdout, os.Stderr}}
	attributes := new(syscall.SysProcAttr)
	if onOwnKernel() {
		out, errs, err := k.consoles(j)
		if err != nil {
			return 0, err
		}
		if err := io.open(j, out, errs); err != nil {
			return 0, err
		}
		attributes.Setsid, attributes.Setctty = true, j.Terminal
	}
	p, err := os.StartProcess(j.Args[0], j.Args, &os.ProcAttr{
		Dir:   j.Directory,
		Env:   jobEnvironment(j),
		Files: io.files,
		Sys:   attributes,
	})
	if err != nil {
		return 0, fmt.Errorf("starting the command: %w", err)
	}
	status, err = reap(p.Pid)
	io.close()
	return status, err
}

// jobEnvironment is the caller's environment without what means something
// outside only. Who asks for a module by modprobe, instead of the kernel, finds
// the one of this machine.
func jobEnvironment(j *job) []string {
	env := []string{kernelVariable + "=" + os.Getenv(kernelVariable)}
	for _, entry := range j.Environment {
		name, value, _ := strings.Cut(entry, "=")
		switch {
		case name == kernelVariable, name == "TMPDIR" && onOwnKernel():
			continue
		case name == "PATH" && onOwnKernel():
			entry = "PATH=" + modprobeFolder + ":" + value
		}
		env = append(env, entry)
	}
	return env
}

// reap waits for the process, and for all that are orphaned meanwhile: that is
// the first process's duty.
func reap(pid int) (status int, err error) {
	for {
		var ws syscall.WaitStatus
		done, err := syscall.Wait4(-1, &ws, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, fmt.Errorf("waiting for the command: %w", err)
		case done == pid && ws.Signaled():
			return 128 + int(ws.Signal()), nil
		case done == pid && ws.Exited():
			return ws.ExitStatus(), nil
		}
	}
}

// switchOff ends a machine with a kernel of its own, once what was said has
// left it.
func switchOff() {
	unix.Sync()
	drain(os.Stderr)
	if os.WriteFile("/proc/sysrq-trigger", []byte("o"), 0) == nil {
		time.Sleep(time.Minute) // switching off is the kernel's work, and takes it a moment
	}
	os.Exit(0) // the kernel panics without its first process, and ends as well
}
