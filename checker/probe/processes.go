package probe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/checker"
)

// A process is a process of this machine, as /proc tells. It is looked at while it is
// read, and nothing of it is kept.
type process struct {
	// name is what the kernel calls it: the first 15 bytes of its program's name,
	// unless it has changed that.
	name []byte
	// line is its arguments, each with a zero byte at its end. The first is what it was
	// started as.
	line []byte
}

// nameLength is how much of a program's name the kernel keeps (TASK_COMM_LEN in
// linux/sched.h, without the zero byte).
const nameLength = 15

// has reports whether it has all of some arguments, in their order.
func (p *process) has(arguments []string) bool {
	_, rest, _ := bytes.Cut(p.line, []byte{0})
	for len(rest) > 0 && len(arguments) > 0 {
		var a []byte
		if a, rest, _ = bytes.Cut(rest, []byte{0}); string(a) == arguments[0] {
			arguments = arguments[1:]
		}
	}
	return len(arguments) == 0
}

// runs reports whether it was started as a program, which is a path, or a name that is
// also that of a script. Many daemons change their arguments, but not their name.
func (p *process) runs(program string) bool {
	as, rest, _ := bytes.Cut(p.line, []byte{0})
	if strings.Contains(program, "/") {
		script, _, _ := bytes.Cut(rest, []byte{0})
		return string(as) == program || string(script) == program
	}
	return string(as[bytes.LastIndexByte(as, '/')+1:]) == program || string(p.name) == program[:min(len(program), nameLength)]
}

// A wanted is what a probe counts.
type wanted struct {
	program, arguments string // these with zero bytes between
	uid                int    // -1: everybody's
}

// want returns what a probe counts. The user's number is looked up each time.
func want(o checker.Process) (wanted, error) {
	w := wanted{program: o.Program, arguments: strings.Join(o.Arguments, "\x00"), uid: -1}
	if o.Owner == "" {
		return w, nil
	}
	number := o.Owner
	if u, err := user.Lookup(o.Owner); err == nil {
		number = u.Uid
	}
	uid, err := strconv.Atoi(number)
	if err != nil {
		return w, fmt.Errorf("there is no user %q on this machine: create it, or correct the name", o.Owner)
	}
	w.uid = uid
	return w, nil
}

// counts reports whether a process counts for this.
func (w wanted) counts(p *process, dir string, buf []byte) bool {
	if !p.runs(w.program) {
		return false
	}
	var arguments []string
	if w.arguments != "" {
		arguments = strings.Split(w.arguments, "\x00")
	}
	return p.has(arguments) && (w.uid < 0 || realUser(dir, buf) == w.uid)
}

// A tally is how many processes count for one probe, and when that was last asked.
type tally struct {
	n     int
	asked time.Time
}

// processes counts those of this machine, for all probes that ask at about the same
// time, and remembers which ones count.
type processes struct {
	root string // "/proc"
	// changed is called when a process that counts has begun or ended; nil: nobody wants to
	// know before the next probe.
	changed func()

	mu      sync.Mutex
	at      time.Time // of the last look
	tallies map[wanted]tally
	pids    map[int]bool // those that counted for anybody
	hidden  bool
	err     error

	following  bool // the news of processes
	listenedAt time.Time
}

const (
	// freshness is how old a count may be.
	freshness = 50 * time.Millisecond
	// forgetAfter is how long is counted what nobody asks for any more.
	forgetAfter = time.Minute
	// maxPids bounds which ones are remembered.
	maxPids = 10_000
)

// count counts the processes that somebody wants, and reports whether there may be
// others that this one does not see.
func (p *processes) count(w wanted) (n int, hidden bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.listen(now)
	known, ok := p.tallies[w]
	if p.tallies == nil {
		p.tallies = make(map[wanted]tally)
	}
	p.tallies[w] = tally{known.n, now}
	if !ok || now.Sub(p.at) > freshness {
		maps.DeleteFunc(p.tallies, func(_ wanted, t tally) bool { return now.Sub(t.asked) > forgetAfter })
		p.hidden, p.err = p.scan()
		p.at = time.Now()
	}
	return p.tallies[w].n, p.hidden, p.err
}

// scan counts what is wanted. A process that ends meanwhile is none.
func (p *processes) scan() (hidden bool, err error) {
	for w, t := range p.tallies {
		p.tallies[w] = tally{0, t.asked}
	}
	p.pids = make(map[int]bool)
	dir, err := os.Open(p.root)
	if err != nil {
		return false, fmt.Errorf("listing the processes: %w", err)
	}
	defer dir.Close()
	buf := make([]byte, maxArguments+maxStatus)
	for {
		names, err := dir.Readdirnames(256)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, fmt.Errorf("listing the processes: %w", err)
		}
		for _, name := range names {
			if pid, err := strconv.Atoi(name); err == nil && errors.Is(p.tally(pid, buf), os.ErrPermission) {
				hidden = true
			}
		}
		if err != nil {
			break
		}
	}
	if _, err := os.Stat(filepath.Join(p.root, "1")); err != nil {
		hidden = true // Everybody sees the first process unless others are hidden (proc(5), hidepid).
	}
	return hidden, nil
}

// tally counts one process for all that want it.
func (p *processes) tally(pid int, buf []byte) error {
	counting, err := p.counting(pid, buf)
	for _, w := range counting {
		t := p.tallies[w]
		p.tallies[w] = tally{t.n + 1, t.asked}
		if len(p.pids) < maxPids {
			p.pids[pid] = true
		}
	}
	return err
}

// counting returns what a process counts for.
func (p *processes) counting(pid int, buf []byte) (all []wanted, err error) {
	dir := filepath.Join(p.root, strconv.Itoa(pid))
	one, err := readProcess(dir, buf[:maxArguments])
	if err != nil {
		return nil, err
	}
	for w := range p.tallies {
		if w.counts(&one, dir, buf[maxArguments:]) {
			all = append(all, w)
		}
	}
	return all, nil
}

const (
	// maxArguments bounds what is read of the name and the arguments of a process, maxName
	// of its name alone, and maxStatus of its status, in bytes. A thread of the kernel may
	// have a name that is longer than nameLength.
	maxArguments = 16 << 10
	maxName      = 64
	maxStatus    = 4 << 10
)

// readProcess reads a process into a buffer.
func readProcess(dir string, buf []byte) (p process, err error) {
	name, err := readBeginning(filepath.Join(dir, "comm"), buf[:maxName])
	if err != nil {
		return p, err
	}
	p.name, buf = bytes.TrimSuffix(name, []byte("\n")), buf[len(name):]
	if p.line, err = readBeginning(filepath.Join(dir, "cmdline"), buf); err != nil {
		return p, err
	}
	if len(p.line) == 0 && zombie(dir, buf) {
		return p, os.ErrNotExist
	}
	return p, nil
}

// zombie reports whether a process without arguments has ended, and is no thread of
// the kernel: its state is after its name, which may have brackets of its own (proc(5)).
func zombie(dir string, buf []byte) bool {
	stat, _ := readBeginning(filepath.Join(dir, "stat"), buf)
	rest := stat[bytes.LastIndexByte(stat, ')')+1:]
	return bytes.HasPrefix(rest, []byte(" Z")) || bytes.HasPrefix(rest, []byte(" X"))
}

// realUser returns the number of the user who has started a process; -1: it has ended.
// The owner of its directory is root's for many a daemon, and who may be its effective
// user is decided by who starts a program that is set-user-ID.
func realUser(dir string, buf []byte) int {
	status, _ := readBeginning(filepath.Join(dir, "status"), buf)
	_, rest, found := bytes.Cut(status, []byte("\nUid:\t"))
	number, _, _ := bytes.Cut(rest, []byte("\t"))
	uid, err := strconv.Atoi(string(number))
	if !found || err != nil {
		return -1
	}
	return uid
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

const (
	// settle is how long after its last news a process may still be there.
	settle = 10 * time.Millisecond
	// eventPace is the time between two looks for the sake of news.
	eventPace = 100 * time.Millisecond
	// listenAgain is when it is tried again to get them.
	listenAgain = time.Minute
)

// listen begins to follow the news of processes, if nobody does and the kernel tells them.
func (p *processes) listen(now time.Time) {
	if p.changed == nil || p.following || now.Sub(p.listenedAt) < listenAgain {
		return
	}
	p.listenedAt = now
	if e, err := listenToKernel(); err == nil { // Otherwise the probes are due soon anyway.
		p.following = true
		go p.follow(e)
	}
}

// follow has the probes look again whenever a process that counts has begun or ended.
func (p *processes) follow(e *processEvents) {
	defer e.socket.Close()
	buf := make([]byte, maxArguments+maxStatus)
	for {
		news, err := e.next(buf)
		switch {
		case err != nil && !errors.Is(err, errLost):
			p.mu.Lock()
			p.following = false
			p.mu.Unlock()
			return
		case err != nil || p.concerned(news, buf):
			time.Sleep(settle)
			p.mu.Lock()
			p.at = time.Time{}
			p.mu.Unlock()
			p.changed()
			time.Sleep(eventPace - settle)
		}
	}
}

// concerned reports whether news are of a process that counted, or counts by now.
func (p *processes) concerned(news processEvent, buf []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pids[news.pid] {
		return true
	}
	if news.what == processExit {
		return len(p.pids) == maxPids
	}
	counting, _ := p.counting(news.pid, buf)
	return len(counting) > 0
}
