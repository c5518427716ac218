package spawn

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// searchPath is PATH of every program, Debian's for root.
const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// An identity is the user that a program runs as.
type identity struct {
	name, home string
	// credential is nil where the user stays the same.
	credential *syscall.Credential
	// full: the program is root's, and has the capabilities of the bounding set.
	full bool
}

// identify looks a user up. Empty is the user of this process.
func identify(name string) (identity, error) {
	if name == "" {
		own, err := user.Current()
		if err != nil { // It may have no name, and needs none.
			return identity{name: strconv.Itoa(os.Geteuid()), home: "/"}, nil
		}
		return identity{name: own.Username, home: own.HomeDir}, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return identity{}, fmt.Errorf("there is no user %q: create it, or correct the option user", name)
	}
	id := identity{name: u.Username, home: u.HomeDir}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	groups, err3 := u.GroupIds()
	if err := errors.Join(err1, err2, err3); err != nil {
		return identity{}, fmt.Errorf("looking up user %q: %w", name, err)
	}
	id.full = uid == 0
	if int(uid) == os.Geteuid() && !id.full {
		return id, nil
	}
	id.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	for _, g := range groups {
		if n, err := strconv.ParseUint(g, 10, 32); err == nil {
			id.credential.Groups = append(id.credential.Groups, uint32(n))
		}
	}
	return id, nil
}

// environment is all that a program finds in its environment.
func (id identity) environment(more []string) []string {
	return append([]string{searchPath, "HOME=" + id.home, "USER=" + id.name, "LOGNAME=" + id.name}, more...)
}

// Check returns an error that says what to do if a command could not be run now, by a
// process with the privileges of this one.
func Check(c Command) error {
	path := ""
	if len(c.Args) > 0 {
		path = c.Args[0]
	}
	if err := Trusted(path, os.Geteuid()); err != nil {
		return err
	}
	id, err := identify(c.User)
	if err != nil || id.credential == nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has [2]unix.CapUserData
	if err := unix.Capget(&header, &has[0]); err != nil {
		return fmt.Errorf("reading the capabilities: %w", err)
	}
	return id.allowed(has[0].Permitted)
}

// changeUser are the capabilities by which a process changes its user.
const changeUser = 1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID

// allowed returns an error if a process with these capabilities cannot become this user.
func (id identity) allowed(permitted uint32) error {
	if id.credential == nil || permitted&changeUser == changeUser {
		return nil
	}
	return fmt.Errorf("lvsd cannot run a program as user %q, because it has not the capabilities SETUID and SETGID: install the drop-in programs.conf for lvsd.service (see lvsd.hcl(5)), or leave the option user out", id.name)
}

// prepare makes this process one whose child inherits nothing of the daemon's: neither
// descriptors nor what happens to signals, neither its umask nor its protection from
// the end of memory. What belongs to a thread is left to confine.
func prepare() error {
	// Executed by way of /proc/self/exe, it would be called "exe".
	_ = os.WriteFile("/proc/self/comm", []byte("lvsd-spawn"), 0)
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("becoming the subreaper of a program: %w", err)
	}
	if _, err := children(); err != nil {
		return err
	}
	if err := unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("closing the descriptors that a program must not have (close_range, Linux 5.11): %w", err)
	}
	// Raising it is always granted; a program is not worth more than the director.
	if text, err := os.ReadFile("/proc/self/oom_score_adj"); err == nil && len(text) > 0 && text[0] == '-' {
		_ = os.WriteFile("/proc/self/oom_score_adj", []byte("0"), 0)
	}
	unix.Umask(0o022)
	heed()
	return nil
}

// heed undoes that signals are ignored, since a program would ignore them too. Those
// that are caught have their default after execve. Go has no way to ask for this.
func heed() {
	const ignored = 1 // SIG_IGN; zero is SIG_DFL
	for s := uintptr(1); s <= 64; s++ {
		var action, none [8]uint64 // more than any struct sigaction of the kernel, whose first field is the handler
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, s, 0, uintptr(unsafe.Pointer(&action)), 8, 0, 0)
		if handler := *(*uintptr)(unsafe.Pointer(&action)); errno == 0 && handler == ignored {
			_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, s, uintptr(unsafe.Pointer(&none)), 0, 8, 0, 0)
		}
	}
}

// launch starts a program, in a session of its own, on a thread that has given up
// everything that the program must not have. The thread stays for as long as this
// process, since the kernel kills the program when that thread ends.
func launch(c Command, id identity, in, out *os.File) (pid int, err error) {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := confine(id)
		if err == nil {
			pid, err = fork(c, id, in, out)
		}
		started <- err
		select {}
	}()
	err = <-started
	return pid, err
}

// confine takes from the calling thread, which is locked, what the program would
// inherit: signals that are blocked, a scheduling policy, capabilities.
func confine(id identity) error {
	var none unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil); err != nil {
		return fmt.Errorf("unblocking the signals: %w", err)
	}
	if s, err := unix.SchedGetAttr(0, 0); err == nil && (s.Policy != unix.SCHED_NORMAL || s.Nice < 0) {
		if err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr}, 0); err != nil {
			return fmt.Errorf("giving up the scheduling policy: %w", err)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("clearing the ambient capabilities: %w", err)
	}
	if !id.full {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("setting no_new_privs: %w", err)
		}
		// Without CAP_SETPCAP it is refused. Then it is no loss: with no_new_privs, nothing
		// comes of the bounding set.
		for c := uintptr(0); unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0) == nil; c++ {
		}
	}
	return dropCapabilities(id)
}

// dropCapabilities leaves the thread those alone by which it can change the user, which
// the kernel takes from a program that is not root's (capabilities(7)).
func dropCapabilities(id identity) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has [2]unix.CapUserData
	if err := unix.Capget(&header, &has[0]); err != nil {
		return fmt.Errorf("reading the capabilities: %w", err)
	}
	var keep [2]unix.CapUserData
	if err := id.allowed(has[0].Permitted); err != nil {
		return err
	}
	switch {
	case id.full:
		keep = has // Under no_new_privs, root has no more than these.
		keep[0].Inheritable, keep[1].Inheritable = 0, 0
	case id.credential != nil:
		keep[0].Permitted, keep[0].Effective = changeUser, changeUser
	}
	if err := unix.Capset(&header, &keep[0]); err != nil {
		return fmt.Errorf("giving up the capabilities: %w", err)
	}
	return nil
}

// fork starts the program.
func fork(c Command, id identity, in, out *os.File) (int, error) {
	pid, err := syscall.ForkExec(c.Args[0], c.Args, &syscall.ProcAttr{
		Dir:   "/",
		Env:   id.environment(c.Env),
		Files: []uintptr{in.Fd(), out.Fd(), out.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL, Credential: id.credential},
	})
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return 0, fmt.Errorf("%s is no program that the kernel can run: a script must begin with a line such as #!/bin/sh", c.Args[0])
	case errors.Is(err, syscall.ENOENT):
		return 0, fmt.Errorf("%s cannot be run: the interpreter that its first line names, or a library that it needs, does not exist", c.Args[0])
	case errors.Is(err, syscall.EPERM) && id.credential != nil:
		return 0, fmt.Errorf("lvsd is not allowed to run a program as user %q: install the drop-in programs.conf for lvsd.service (see lvsd.hcl(5)), or leave the option user out", id.name)
	case errors.Is(err, syscall.EACCES):
		return 0, fmt.Errorf("%s cannot be run as user %q: let that user read and execute it and search its directories (chmod), and see that its file system is not mounted with noexec", c.Args[0], id.name)
	case err != nil:
		return 0, fmt.Errorf("starting %s: %w", c.Args[0], err)
	}
	return pid, nil
}
