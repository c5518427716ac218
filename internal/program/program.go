// Package program gives back the memory that a process takes for the program that
// it runs.
//
// The kernel maps 64 kB around each page of a program that is touched (mm/memory.c,
// do_fault_around), so once all packages are initialized, nearly all of the program's
// 16 MB are mapped in each process: until somebody else needs the memory, and for good
// where the process locks it. At rest a process uses a small part of them.
package program

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// DropPages unmaps the pages of the program that this process runs. What is used
// again is mapped again when it is touched, mostly from what the kernel has of the
// file in memory, and is locked then where the process locks its memory. There it
// fails before Linux 5.18.
func DropPages() error {
	all, err := mappings()
	if err != nil {
		return err
	}
	return drop(all)
}

// separate are the mappings whose pages are mapped one by one, and joining ends that.
var (
	mu       sync.Mutex
	separate []mapping
	joining  *time.Timer
)

// DropAllButUsed is DropPages, and for that long the kernel maps of what is touched
// again the very page, without those around it. The code of some packages, which are
// given by their paths, is mapped again at once: it will be used, and must not wait for
// the disk then. That is left out before Linux 5.14.
func DropAllButUsed(within time.Duration, packages ...string) error {
	mu.Lock()
	defer mu.Unlock()
	join() // or there would be thousands of mappings to read
	all, err := mappings()
	if err != nil {
		return err
	}
	code := codeOf(all, packages) // It reads tables all over the program.
	for _, m := range all {
		m.split()
	}
	separate = all
	joining = time.AfterFunc(within, func() { mu.Lock(); defer mu.Unlock(); join() })
	err = drop(all)
	for _, m := range code {
		_ = m.advise(unix.MADV_POPULATE_READ)
	}
	return err
}

func join() {
	if joining != nil {
		joining.Stop()
	}
	for _, m := range separate {
		_ = m.advise(unix.MADV_NORMAL) // Where it fails, the kernel has more to keep.
	}
	separate, joining = nil, nil
}

func drop(all []mapping) error {
	for _, m := range all {
		if err := m.drop(); err != nil {
			return fmt.Errorf("dropping the program's pages: %w", err)
		}
	}
	return nil
}

// codeOf returns the pages of these mappings that begin within functions of the packages.
func codeOf(all []mapping, packages []string) (pages []mapping) {
	if len(packages) == 0 {
		return nil
	}
	size := uintptr(os.Getpagesize())
	for _, m := range all {
		for at := m.start; at < m.end; at += size {
			if f := runtime.FuncForPC(at); f != nil && slices.Contains(packages, packageOf(f)) {
				pages = append(pages, mapping{at, at + size})
			}
		}
	}
	return pages
}

// packageOf returns the path of the package that a function belongs to, or of the one
// whose function is inlined there: "example.org/a/b.(*T).f" belongs to example.org/a/b.
func packageOf(f *runtime.Func) string {
	name := f.Name()
	dir := strings.LastIndexByte(name, '/') + 1
	base, _, _ := strings.Cut(name[dir:], ".")
	return name[:dir] + base
}

// A mapping is a part of a file in memory.
type mapping struct{ start, end uintptr }

func (m mapping) drop() error {
	err := m.advise(unix.MADV_DONTNEED_LOCKED)
	if errors.Is(err, unix.EINVAL) {
		err = m.advise(unix.MADV_DONTNEED)
	}
	return err
}

// split makes a mapping of its own of each page, beyond which the kernel does not map
// what is around another one. Adjacent mappings are one unless they differ, so every
// second one has an advice that means nothing for pages in memory. Where there are too
// many (vm.max_map_count), some are larger.
func (m mapping) split() {
	page := uintptr(os.Getpagesize())
	for at := m.start; at < m.end; at += 2 * page {
		if (mapping{at, min(at+page, m.end)}).advise(unix.MADV_RANDOM) != nil {
			return
		}
	}
}

func (m mapping) advise(advice uintptr) error {
	if _, _, errno := unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, advice); errno != 0 {
		return errno
	}
	return nil
}

// mappings returns where this process's program is and can be dropped.
func mappings() ([]mapping, error) {
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil, fmt.Errorf("finding the program in memory: %w", err)
	}
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return nil, fmt.Errorf("finding the program in memory: %w", err)
	}
	return unchanged(string(smaps), path), nil
}

// unchanged returns the mappings of a file that cannot be written to and have only
// pages of the file itself, by the text of /proc/self/smaps (proc_pid_smaps(5)).
// Another page would be lost: a dynamic linker writes addresses into a mapping before
// it makes it read-only, and a debugger writes its breakpoints.
func unchanged(smaps, path string) (all []mapping) {
	var m mapping
	whole := false
	for line := range strings.Lines(smaps) {
		words := strings.Fields(line)
		switch {
		case len(words) > 5 && !strings.HasSuffix(words[0], ":"): // 401000-9bd000 r-xp 1000 fe:00 247026 /usr/sbin/lvsd
			_, err := fmt.Sscanf(words[0], "%x-%x", &m.start, &m.end)
			whole = err == nil && (words[1] == "r-xp" || words[1] == "r--p") && strings.Join(words[5:], " ") == path
		case len(words) > 1 && (words[0] == "Anonymous:" || words[0] == "Swap:"):
			whole = whole && words[1] == "0"
		case len(words) > 0 && words[0] == "VmFlags:" && whole: // the last line of a mapping
			all = append(all, m)
		}
	}
	return all
}
