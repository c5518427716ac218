package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// qemu is Debian's own kernel on a machine that is emulated, without KVM: it
// has every module and two processors, and everything takes about ten times as
// long as on the real one. Its root is the caller's file system, by 9p.
type qemu struct{}

// processors of the machine.
const processors = 2

// The tags of what the caller's file system is shared by.
const (
	shareRoot     = "root"     // the whole, read-only
	shareModules  = "modules"  // the kernel's modules
	shareExchange = "exchange" // the job's folder
	shareModule   = "module"   // the Go module around the working directory
	shareProgram  = "program"  // the folder of the program
	shareEmulator = "emulator" // what the caller's /proc says of qemu
)

// start starts the machine.
//
// Ports of virtio carry the job's output and standard error to pipes of ours,
// which are copied, and at a terminal a console of virtio is the job's. The
// serial line has the kernel's own messages, which are shown only where the
// machine ends without handing over a status.
func (qemu) start(ctx context.Context, j *job, folder, memory string) error {
	program, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		return errors.New("qemu-system-x86_64 is not there to emulate a machine: integration/packages test installs it")
	}
	k, err := findKernel()
	if err != nil {
		return err
	}
	if err := k.writeInitramfs(filepath.Join(folder, initramfs)); err != nil {
		return fmt.Errorf("writing the initial file system: %w", err)
	}
	messages := new(tail)
	c := exec.CommandContext(ctx, program, k.machine(j, folder, memory)...)
	c.Stdout, c.Stderr = messages, messages
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: !j.Terminal, Pdeathsig: syscall.SIGKILL}
	c.WaitDelay = time.Second
	defer keepTerminal(j)()
	copied, err := connect(c, j)
	if err != nil {
		return err
	}
	err = c.Run()
	copied()
	if ctx.Err() != nil {
		if words := messages.String(); words != "" {
			fmt.Fprintln(os.Stderr, "lab: the emulated machine's last messages:\n"+words)
		}
		return ctx.Err()
	}
	return fmt.Errorf("the emulated machine ended before %s did (%v); its last messages:\n%s", j.Args[0], err, messages)
}

// initramfs is the initial file system in the job's folder.
const initramfs = "initramfs"

// machine describes a machine for the job, as arguments of qemu. Its kernel does not try
// out its timer, which ticks too late for that if this machine is busy, and would panic.
func (k debianKernel) machine(j *job, folder, memory string) []string {
	args := []string{
		"-accel", "tcg,thread=multi", "-cpu", "qemu64", "-smp", strconv.Itoa(processors), "-m", memory,
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "file:/dev/fd/1",
		"-kernel", k.image(), "-initrd", filepath.Join(folder, initramfs),
		"-append", "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check " + jobVariable + "=" + folder + " " + kernelVariable + "=qemu",
		"-device", "virtio-serial-pci",
		// A card without a cable, for the tests of what virtio does not do; its driver is
		// loaded by who wants it.
		"-netdev", "hubport,id=wire,hubid=0", "-device", "vmxnet3,netdev=wire",
	}
	for _, s := range []struct{ tag, path, readonly string }{
		{shareRoot, "/", "on"}, {shareModules, k.modules(), "on"}, {shareExchange, folder, "off"},
		{shareModule, j.Module, "off"}, {shareProgram, filepath.Dir(j.Args[0]), "on"}, {shareEmulator, "/proc/self", "on"},
	} {
		args = append(args, share(s.tag, s.path, s.readonly)...)
	}
	return args
}

// connect gives qemu the caller's terminal for the job, or copies what the job
// writes to the caller's output and standard error. Once qemu has ended, copied
// waits until all has arrived.
func connect(c *exec.Cmd, j *job) (copied func(), err error) {
	if j.Terminal {
		c.Stdin = os.Stdin
		c.Args = append(c.Args, "-chardev", "stdio,id=tty,signal=off", "-device", "virtconsole,chardev=tty")
		return func() {}, nil
	}
	var copying sync.WaitGroup
	for i, to := range []*os.File{os.Stdout, os.Stderr} {
		from, end, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("making a pipe for the job's output: %w", err)
		}
		copying.Go(func() {
			_, _ = io.Copy(to, from)
			from.Close()
		})
		c.ExtraFiles = append(c.ExtraFiles, end) // descriptors 3 and 4
		c.Args = append(c.Args, port(i+1, i+3)...)
	}
	return func() {
		for _, end := range c.ExtraFiles {
			end.Close()
		}
		copying.Wait()
	}, nil
}

// port is a port of virtio whose output goes to a descriptor.
func port(number, fd int) []string {
	id := fmt.Sprintf("port%d", number)
	return []string{
		"-chardev", fmt.Sprintf("file,id=%s,path=/dev/fd/%d,append=on", id, fd),
		"-device", fmt.Sprintf("virtserialport,nr=%d,chardev=%s", number, id),
	}
}

// share is a folder that the machine can mount by its tag.
func share(tag, path, readonly string) []string {
	path = strings.ReplaceAll(path, ",", ",,") // as qemu wants a comma that separates nothing
	return []string{
		"-fsdev", fmt.Sprintf("local,id=%s,path=%s,security_model=none,readonly=%s,multidevs=remap", tag, path, readonly),
		"-device", fmt.Sprintf("virtio-9p-pci,fsdev=%s,mount_tag=%s", tag, tag),
	}
}

// mount9p mounts what is shared by that tag. Nobody else changes it meanwhile,
// so the machine may remember what it has read.
func mount9p(tag, folder, options string) error {
	return mount("9p", tag, folder, "trans=virtio,version=9p2000.L,msize=524288,"+options)
}

const cached = "cache=loose"

// emulator is where the job finds what the machine costs: qemu's folder in /proc.
const emulator = "/run/emulator"

// arrive loads what the root is mounted with, and changes to it.
func (qemu) arrive(string) (string, error) {
	const root = "/root"
	if err := loadModules(); err != nil {
		return "", err
	}
	err := errors.Join(
		mount9p(shareRoot, root, cached+",ro"),
		unix.Chdir(root),
		unix.Mount(".", "/", "", unix.MS_MOVE, ""),
		unix.Chroot("."),
		unix.Chdir("/"),
		mount("devtmpfs", "devtmpfs", "/dev", ""),
		mount("tmpfs", "tmpfs", "/run", "mode=755"),
		mount9p(shareExchange, exchange, "cache=none"),
	)
	return exchange, err
}

func (qemu) furnish(j *job) error {
	if err := furnishMachine(); err != nil {
		return err
	}
	// Writable, and seen even where a fresh folder hides it.
	err := mount9p(shareModule, j.Module, cached)
	if isHidden(j.Args[0]) {
		err = errors.Join(err, mount9p(shareProgram, filepath.Dir(j.Args[0]), cached+",ro"))
	}
	err = errors.Join(err, mount9p(shareModules, modulesFolder, cached+",ro"), setModprobe())
	return errors.Join(err, os.Mkdir(emulator, 0o755), mount9p(shareEmulator, emulator, "cache=none,ro"))
}

func (qemu) consoles(j *job) (out, errs string, err error) {
	if j.Terminal {
		return "/dev/hvc0", "", nil
	}
	ports, err := filepath.Glob("/dev/vport*p[12]")
	if err != nil || len(ports) != 2 {
		return "", "", fmt.Errorf("finding the ports for the job's output: %q, %w", ports, err)
	}
	return ports[0], ports[1], nil
}

func (qemu) end() { switchOff() }
