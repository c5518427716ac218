package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A Process is a daemon on a host.
type Process struct {
	Name string
	Host *Host

	cmd  *exec.Cmd
	log  string
	done chan struct{}
	err  error // of its end; valid once done is closed
}

// Start starts a daemon on the host. What it prints is appended to a file that
// Log returns.
func (h *Host) Start(name string, args ...string) (*Process, error) {
	p := &Process{Name: name, Host: h, log: filepath.Join(h.Dir, name+".log"), done: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s on %s: %w", name, h.Name, err)
	}
	defer log.Close()
	p.cmd = h.command(context.Background(), args)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := h.do(p.cmd.Start); err != nil {
		return nil, fmt.Errorf("starting %s on %s: %w", name, h.Name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitStatus is the status with which it ended, or -1: by a signal, or not yet.
func (p *Process) ExitStatus() int {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	default:
		return -1
	}
}

// Processor is the processor time that it has used, user's and system's; 0: it has not
// ended.
func (p *Process) Processor() time.Duration {
	select {
	case <-p.done:
		return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	default:
		return 0
	}
}

// Log returns what the process and its predecessors of that name have printed.
func (p *Process) Log() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Signal sends it a signal: SIGHUP to reload, SIGSTOP to hang.
func (p *Process) Signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("sending %v to %s on %s: %w", s, p.Name, p.Host.Name, err)
	}
	return nil
}

// Kill ends it as a crash would, and waits until it is gone. The processes that
// it started are not touched.
func (p *Process) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.done
	return nil
}

// Stop asks it to end, and waits for that.
func (p *Process) Stop(limit time.Duration) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.Wait(limit)
}

// Wait waits for it to end, and says how if that was not well.
func (p *Process) Wait(limit time.Duration) error {
	select {
	case <-p.done:
		if p.err == nil {
			return nil
		}
		return p.Ended()
	case <-time.After(limit):
		return fmt.Errorf("%s on %s did not end within %v; its last words:\n%s", p.Name, p.Host.Name, limit, p.LastWords(10))
	}
}

// Ended is nil while the process runs. Afterwards it says how it ended, well or
// not: for those who need it.
func (p *Process) Ended() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	how := p.err
	if how == nil {
		how = errors.New("exit status 0")
	}
	return fmt.Errorf("%s on %s ended: %w; its last words:\n%s", p.Name, p.Host.Name, how, p.LastWords(10))
}

// LastWords are the last lines of its log.
func (p *Process) LastWords(lines int) string { return lastLines(p.Log(), lines) }

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
