package reader

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
)

// A child is one process that reads one configuration.
type child struct {
	cmd   *exec.Cmd
	in    *os.File // its standard input
	out   *os.File // its standard output
	board *os.File
	words *head
	done  chan struct{} // closed when it has ended
}

// start starts a child.
func start(command []string) (*child, error) {
	b, err := newBoard()
	if err != nil {
		return nil, err
	}
	c := &child{board: b, words: &head{}, done: make(chan struct{})}
	theirIn, ourIn, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	defer theirIn.Close()
	ourOut, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, b.Close(), ourIn.Close())
	}
	defer theirOut.Close()
	c.in, c.out = ourIn, ourOut
	c.cmd = exec.Command(command[0], command[1:]...)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = theirIn, theirOut, c.words
	c.cmd.ExtraFiles = []*os.File{b}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go onThreadOfItsOwn(func() { c.run(started) })
	if err := <-started; err != nil {
		return nil, errors.Join(err, b.Close(), ourIn.Close(), ourOut.Close())
	}
	return c, nil
}

// onThreadOfItsOwn calls f on a thread that runs nothing else and ends with it.
// That is never the main thread: Go cannot end it, and what /proc tells of the
// process is what this thread may do.
func onThreadOfItsOwn(f func()) {
	runtime.LockOSThread()
	if unix.Gettid() != unix.Getpid() {
		f()
		return
	}
	locked := make(chan struct{})
	go func() {
		runtime.LockOSThread() // another one, since the main thread is locked too
		close(locked)
		f()
	}()
	<-locked
	runtime.UnlockOSThread()
}

// run starts the process and waits for its end, on a thread of its own without
// privileges: the process has what the thread has that starts it, and dies with
// that thread.
func (c *child) run(started chan<- error) {
	err := dropPrivileges()
	if err == nil {
		err = c.cmd.Start()
	}
	started <- err
	if err == nil {
		_ = c.cmd.Wait() // excess looks at the ProcessState
		close(c.done)
	}
}

// dropPrivileges takes all capabilities from the calling thread, and from the
// programs that it executes, also where the user is root: with no_new_privs
// none of them has more than the thread (capabilities(7), execve(2)).
func dropPrivileges() error {
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("clearing the ambient capabilities: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("setting no_new_privs: %w", err)
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return fmt.Errorf("giving up the capabilities: %w", err)
	}
	return nil
}

// ask sends a request with the blocks that are known, and returns the answer.
func (c *child) ask(q request, known map[config.Key]config.Block) (reply, []config.Block, error) {
	defer c.out.Close()
	err := send(c.in, q, known)
	if err := errors.Join(err, c.in.Close()); err != nil {
		return reply{}, nil, fmt.Errorf("sending the query: %w", err)
	}
	limited := &io.LimitedReader{R: c.out, N: maxReply}
	answer, blocks, err := receive(gob.NewDecoder(bufio.NewReaderSize(limited, 64<<10)))
	if err != nil && limited.N <= 0 {
		err = errTooLarge
	}
	return answer, blocks, err
}

// send writes a request to the child.
func send(in io.Writer, q request, known map[config.Key]config.Block) error {
	w := bufio.NewWriterSize(in, 64<<10)
	to := gob.NewEncoder(w)
	if err := to.Encode(q); err != nil {
		return err
	}
	for key, b := range known {
		if err := to.Encode(summary{key, b.Summary}); err != nil {
			return err
		}
	}
	return w.Flush()
}

// receive reads what the child's answer sends.
func receive(from *gob.Decoder) (r reply, blocks []config.Block, err error) {
	if err := from.Decode(&r); err != nil {
		return reply{}, nil, err
	}
	if r.Blocks > maxBlocks {
		return reply{}, nil, errTooLarge
	}
	specs := make(map[checker.Spec]checker.Spec)
	for range r.Blocks {
		var b config.Block
		if err := from.Decode(&b); err != nil {
			return reply{}, nil, err
		}
		share(b.Services, specs)
		blocks = append(blocks, b)
	}
	return r, blocks, nil
}

// check returns an error if a configuration has blocks that the child was not told of,
// or one of them twice, which only a child that is somebody else's would say: as many
// as it likes, for a few bytes each.
func check(blocks []config.Block, known map[config.Key]config.Block) error {
	reused := make(map[config.Key]bool)
	for _, b := range blocks {
		if !b.Reused {
			continue
		}
		if old, ok := known[b.Key]; !ok || reused[b.Key] && len(old.Services) > 0 {
			return fmt.Errorf("the process that reads the configuration has answered nonsense: a block at %s that is not known, or is there twice", b.Source)
		}
		reused[b.Key] = true
	}
	return nil
}

// share makes equal specs one text in memory, as they were before they were
// sent: thousands of servers ask for the same.
func share(services []config.Service, specs map[checker.Spec]checker.Spec) {
	for i := range services {
		for j := range services[i].Servers {
			for k := range services[i].Servers[j].Checks {
				t := &services[i].Servers[j].Checks[k].Target
				if _, known := specs[t.Spec]; !known {
					specs[t.Spec] = t.Spec
				}
				t.Spec = specs[t.Spec]
			}
		}
	}
}

// kill ends the process, if it has not ended, and the talk with it even where it
// cannot be ended.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.in.SetWriteDeadline(time.Now().Add(grace))
	_ = c.out.SetReadDeadline(time.Now().Add(grace))
}

// ended waits until a process that was killed, or has nothing left to do, has
// ended, and reports whether it has.
func (c *child) ended() bool {
	timer := time.AfterFunc(grace, c.kill)
	defer timer.Stop()
	select {
	case <-c.done:
		return true
	case <-time.After(2 * grace):
		return false
	}
}

// A head keeps the first bytes that are written to it.
type head struct{ bytes.Buffer }

// Write never fails.
func (h *head) Write(b []byte) (int, error) {
	h.Buffer.Write(b[:min(len(b), maxWords-h.Len())])
	return len(b), nil
}
