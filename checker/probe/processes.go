package probe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A process is a process of this machine, as /proc tells.
type process struct {
	// name is what the kernel calls it: the first 15 bytes of its program's name,
	// unless it has changed that. arguments[0] is what it was started as.
	name      string
	arguments []string
}

// nameLength is how much of a program's name the kernel keeps (TASK_COMM_LEN in
// linux/sched.h, without the zero byte).
const nameLength = 15

// is reports whether it runs a program with all of some arguments, in their order.
func (p *process) is(program string, arguments []string) bool {
	if !p.runs(program) {
		return false
	}
	for _, a := range p.arguments[min(1, len(p.arguments)):] {
		if len(arguments) > 0 && a == arguments[0] {
			arguments = arguments[1:]
		}
	}
	return len(arguments) == 0
}

// runs reports whether it was started as a program, which is a path, or a name that is
// also that of a script. Many daemons change their arguments, but not their name.
func (p *process) runs(program string) bool {
	as := ""
	if len(p.arguments) > 0 {
		as = p.arguments[0]
	}
	if strings.Contains(program, "/") {
		return as == program || len(p.arguments) > 1 && p.arguments[1] == program
	}
	return filepath.Base(as) == program || p.name == program[:min(len(program), nameLength)]
}

// processes lists those of this machine, for all probes that ask at about the same
// time.
type processes struct {
	root string // "/proc"

	mu     sync.Mutex
	at     time.Time
	all    []process
	hidden bool
	err    error
}

// freshness is how old a list may be.
const freshness = 50 * time.Millisecond

// list returns the processes, and whether there may be others that this one does not
// see. Nobody may change what it returns.
func (p *processes) list() (all []process, hidden bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.at) > freshness {
		p.all, p.hidden, p.err = scan(p.root)
		p.at = time.Now()
	}
	return p.all, p.hidden, p.err
}

// scan reads which processes there are. One that ends meanwhile is none.
func scan(root string) (all []process, hidden bool, err error) {
	dir, err := os.Open(root)
	if err != nil {
		return nil, false, fmt.Errorf("listing the processes: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, false, fmt.Errorf("listing the processes: %w", err)
	}
	buf := make([]byte, maxArguments)
	for _, name := range names {
		if _, err := strconv.Atoi(name); err != nil {
			continue
		}
		p, err := readProcess(filepath.Join(root, name), buf)
		switch {
		case err == nil:
			all = append(all, p)
		case errors.Is(err, os.ErrPermission):
			hidden = true
		}
	}
	if _, err := os.Stat(filepath.Join(root, "1")); err != nil {
		hidden = true // Everybody sees the first process unless others are hidden (proc(5), hidepid).
	}
	return all, hidden, nil
}

// maxArguments bounds what is read of the arguments of a process, in bytes.
const maxArguments = 16 << 10

func readProcess(dir string, buf []byte) (p process, err error) {
	line, err := readBeginning(filepath.Join(dir, "cmdline"), buf)
	if err != nil {
		return p, err
	}
	if line = bytes.TrimSuffix(line, []byte{0}); len(line) > 0 {
		p.arguments = strings.Split(string(line), "\x00")
	} else if zombie(dir, buf) {
		return p, os.ErrNotExist
	}
	name, err := readBeginning(filepath.Join(dir, "comm"), buf)
	p.name = strings.TrimSuffix(string(name), "\n")
	return p, err
}

// zombie reports whether a process without arguments has ended, and is no thread of
// the kernel: its state is after its name, which may have brackets of its own (proc(5)).
func zombie(dir string, buf []byte) bool {
	stat, _ := readBeginning(filepath.Join(dir, "stat"), buf)
	rest := stat[bytes.LastIndexByte(stat, ')')+1:]
	return bytes.HasPrefix(rest, []byte(" Z"))
}

// readBeginning reads as much of a file in /proc as there is room for, which is one
// read. Package os would make five system calls of these three.
func readBeginning(path string, buf []byte) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, buf)
	return buf[:max(0, n)], err
}
