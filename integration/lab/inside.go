package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// exchange is where the caller's folder is seen inside user-mode Linux.
const exchange = "/run/lab"

// runInside is the lab as the first process of a machine: it prepares the
// machine, runs the job, hands its status over and ends the machine. It does
// not return. Where it fails before the job ran it hands over nothing; the lab
// outside then shows what was said here.
func runInside(folder string) {
	j, err := readJob(folder)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		end()
	}
	prepare := prepareHere
	if inUML() {
		prepare, folder = prepareUML, exchange
	}
	if err := prepare(j); err != nil {
		fmt.Fprintln(os.Stderr, "lab: preparing the machine:", err)
		end()
	}
	status, err := execute(j)
	if err == nil {
		err = writeStatus(folder, status)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
	}
	end()
}

// prepareHere makes the namespaces on this kernel usable.
func prepareHere(*job) error {
	return errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		mount("proc", "/proc", ""),
		mount("sysfs", "/sys", ""),
		mount("tmpfs", "/run", "mode=755"),
		upLoopback(),
	)
}

// prepareUML makes a machine of a kernel that has nothing but a read-only view
// of the caller's file system.
func prepareUML(j *job) error {
	err := errors.Join(
		mount("proc", "/proc", ""),
		mount("sysfs", "/sys", ""),
		mount("tmpfs", "/dev/shm", ""),
		mount("devpts", "/dev/pts", ""),
		mount("tmpfs", "/run", "mode=755"),
		mount("tmpfs", "/tmp", ""),
		mount("tmpfs", "/var/lib", "mode=755"),
		mount("tmpfs", "/var/log", "mode=755"),
		mount("tmpfs", "/var/tmp", ""),
		mount("hostfs", exchange, os.Getenv(jobVariable)),
		// Writable, and seen even where one of the above hides it.
		mount("hostfs", j.Module, j.Module),
		unix.Sethostname([]byte("lab")),
	)
	if hidden(j.Args[0]) {
		program := filepath.Dir(j.Args[0])
		err = errors.Join(err, mount("hostfs", program, program))
	}
	return errors.Join(err, upLoopback(), setModprobe())
}

// hidden reports whether a file lies below a folder that was mounted over.
func hidden(path string) bool {
	_, err := os.Stat(path)
	return err != nil
}

// mount mounts on a folder, made where it is missing.
func mount(kind, folder, options string) error {
	if folder == "/" {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", folder, err)
	}
	if err := unix.Mount(kind, folder, kind, 0, options); err != nil {
		return fmt.Errorf("mounting %s on %s: %w", kind, folder, err)
	}
	return nil
}

// modprobeFolder holds the modprobe that knows where the modules of user-mode
// Linux are.
const modprobeFolder = "/run/m"

// setModprobe tells the kernel where its modules are, so that it loads by
// itself what is asked for, and loads IPVS: ipvsadm does not ask the kernel.
func setModprobe() error {
	const script = modprobeFolder + "/modprobe"
	text := "#!/bin/sh\nexec /sbin/modprobe -d " + modprobeFolder + " \"$@\"\n"
	err := errors.Join(
		os.MkdirAll(modprobeFolder+"/lib", 0o755),
		os.Symlink(modules, modprobeFolder+"/lib/modules"),
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
func execute(j *job) (status int, err error) {
	io := &consoles{files: []*os.File{os.Stdin, os.Stdout, os.Stderr}}
	attributes := new(syscall.SysProcAttr)
	if inUML() {
		if err := io.open(j); err != nil {
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
// the one of user-mode Linux.
func jobEnvironment(j *job) []string {
	env := []string{kernelVariable + "=" + os.Getenv(kernelVariable)}
	for _, entry := range j.Environment {
		name, value, _ := strings.Cut(entry, "=")
		switch {
		case name == kernelVariable, name == "TMPDIR" && inUML():
			continue
		case name == "PATH" && inUML():
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

// end ends the machine: namespaces end with their first process, a kernel is
// switched off once the consoles' output has left it.
func end() {
	if !inUML() {
		os.Exit(0)
	}
	drainConsoles()
	if os.WriteFile("/proc/sysrq-trigger", []byte("o"), 0) == nil {
		time.Sleep(time.Minute) // switching off is the kernel's work, and takes it a moment
	}
	os.Exit(0) // the kernel panics without its first process, and ends as well
}

// inUML reports whether this machine is user-mode Linux; the lab outside says so.
func inUML() bool { return os.Getenv(kernelVariable) == "uml" }
