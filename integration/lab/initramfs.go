package main

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// bootModules are the modules that the root is mounted with, and that bring
// the job's output out.
var bootModules = []string{"virtio_pci", "virtio_console", "9pnet_virtio", "9p"}

// bootFolder holds them in the initial file system, named in their order.
const bootFolder = "modules"

// writeInitramfs writes the file system that the kernel begins with: this
// program as /init, and the modules that it loads.
func (k debianKernel) writeInitramfs(path string) (err error) {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := checkStatic(self); err != nil {
		return err
	}
	modules, err := k.moduleFiles(bootModules...)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	a := &archive{w: bufio.NewWriter(f)}
	a.add("dev", unix.S_IFDIR|0o755, 0, nil)
	a.add("dev/console", unix.S_IFCHR|0o600, unix.Mkdev(5, 1), nil)
	a.add("dev/null", unix.S_IFCHR|0o666, unix.Mkdev(1, 3), nil)
	a.add("proc", unix.S_IFDIR|0o755, 0, nil)
	a.add("root", unix.S_IFDIR|0o755, 0, nil)
	a.add(bootFolder, unix.S_IFDIR|0o755, 0, nil)
	a.addFile("init", self)
	for i, m := range modules {
		a.addFile(fmt.Sprintf("%s/%02d-%s", bootFolder, i, filepath.Base(m)), m)
	}
	return a.close()
}

// checkStatic returns an error where a program needs libraries, which the
// initial file system does not have.
func checkStatic(path string) error {
	f, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return fmt.Errorf("%s is linked dynamically: build it with CGO_ENABLED=0", path)
	}
	return nil
}

// loadModules loads the modules of the initial file system.
func loadModules() error {
	files, _ := filepath.Glob("/" + bootFolder + "/*")
	for _, path := range files { // sorted
		if err := loadModule(path); err != nil {
			return fmt.Errorf("loading the module %s: %w", filepath.Base(path), err)
		}
	}
	return nil
}

func loadModule(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := 0
	if filepath.Ext(path) != ".ko" { // Debian 13 has .ko.xz
		flags = unix.MODULE_INIT_COMPRESSED_FILE
	}
	return unix.FinitModule(int(f.Fd()), "", flags)
}

// An archive is written in the format that the kernel unpacks, cpio's "newc"
// (Documentation/driver-api/early-userspace/buffer-format.rst). The first error
// stays, and close returns it.
type archive struct {
	w      *bufio.Writer
	inodes int
	err    error
}

// add adds a file with its type and permissions, and with the number of a
// device.
func (a *archive) add(name string, mode uint32, device uint64, content []byte) {
	a.inodes++
	// Of the numbers the first is the inode's, and mode, uid, gid, links, mtime,
	// size, the major and minor of the file system's device and of its own follow,
	// the name's length with its zero, and a checksum that this format has not.
	header := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		a.inodes, mode, 0, 0, 1, 0, len(content), 0, 0, unix.Major(device), unix.Minor(device), len(name)+1, 0)
	a.write([]byte(header + name + "\x00"))
	a.write(content)
}

// write writes bytes and fills them up to a multiple of four.
func (a *archive) write(b []byte) {
	if a.err == nil {
		_, a.err = a.w.Write(b)
	}
	if rest := len(b) % 4; rest > 0 && a.err == nil {
		_, a.err = io.WriteString(a.w, "\x00\x00\x00"[:4-rest])
	}
}

// addFile adds a copy of a file, which may be run.
func (a *archive) addFile(name, path string) {
	content, err := os.ReadFile(path)
	if a.err == nil {
		a.err = err
	}
	a.add(name, unix.S_IFREG|0o755, 0, content)
}

func (a *archive) close() error {
	a.add("TRAILER!!!", 0, 0, nil)
	if a.err != nil {
		return a.err
	}
	return a.w.Flush()
}
