package main

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// consoles are what a job on a kernel of its own reads and writes: at a
// terminal the console itself, else pipes, whose other ends are copied to
// consoles that carry bytes unchanged. So the job sees a terminal exactly where
// there is one.
type consoles struct {
	// files are the job's standard input, output and error.
	files []*os.File
	// copies carry the job's output and its standard error.
	copies []*stream
}

// A stream copies what is written to a pipe to a console.
type stream struct {
	pipe, console *os.File
	// read and written count bytes.
	read, written atomic.Int64
	ended         chan struct{} // closed at the end of what is read
}

// open opens them: the job's console, and the one for its standard error.
func (c *consoles) open(j *job, outPath, errsPath string) error {
	out, err := openConsole(outPath)
	if err != nil {
		return err
	}
	if j.Terminal {
		c.files = []*os.File{out, out, out}
		size := &unix.Winsize{Row: uint16(j.Rows), Col: uint16(j.Columns)}
		return unix.IoctlSetWinsize(int(out.Fd()), unix.TIOCSWINSZ, size)
	}
	errs, err := openConsole(errsPath)
	if err != nil {
		return err
	}
	in, err := os.Open(os.DevNull)
	if err != nil {
		return fmt.Errorf("opening the null device: %w", err)
	}
	c.files = []*os.File{in}
	for _, console := range []*os.File{out, errs} {
		if err := setRaw(console); err != nil {
			return err
		}
		read, write, err := os.Pipe()
		if err != nil {
			return fmt.Errorf("making a pipe for the job's output: %w", err)
		}
		c.files, c.copies = append(c.files, write), append(c.copies, copyStream(console, read))
	}
	return nil
}

func copyStream(console, pipe *os.File) *stream {
	s := &stream{pipe: pipe, console: console, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		for piece := make([]byte, 32<<10); ; {
			n, err := s.pipe.Read(piece)
			s.read.Add(int64(n))
			if err != nil {
				return
			}
			if _, err := s.console.Write(piece[:n]); err != nil {
				return
			}
			s.written.Add(int64(n))
		}
	}()
	return s
}

// flush waits until what is in the pipe now has left the machine, but no longer once
// nothing moves: an emulated machine may take seconds for it.
func (s *stream) flush() {
	const still = 5 * time.Second
	left, _ := unix.IoctlGetInt(int(s.pipe.Fd()), unix.TIOCINQ)
	want, last, moved := int64(left)+s.read.Load(), int64(-1), time.Now()
	for last < want && time.Since(moved) < still {
		if now := s.written.Load(); now > last {
			last, moved = now, time.Now()
		}
		select {
		case <-s.ended:
			want = 0
		case <-time.After(10 * time.Millisecond):
		}
	}
	drain(s.console)
}

// close waits until what the job wrote has left the machine, but not for
// processes that it left behind.
func (c *consoles) close() {
	for _, f := range c.files {
		f.Close()
	}
	for _, s := range c.copies {
		s.flush()
	}
}

func openConsole(path string) (*os.File, error) {
	// Without Go's poller, so that a write that must wait just does.
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the console %s: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// setRaw stops a terminal from turning each line feed into two bytes. What is
// no terminal does not.
func setRaw(f *os.File) error {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if errors.Is(err, unix.ENOTTY) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the console's settings: %w", err)
	}
	t.Oflag &^= unix.OPOST
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETSW, t); err != nil {
		return fmt.Errorf("setting the console: %w", err)
	}
	return nil
}

// drain waits until what was written to a console has left the machine: for a
// terminal as tcdrain(3) does; a port of virtio can be written to again once the
// last write was taken.
func drain(f *os.File) {
	if unix.IoctlSetInt(int(f.Fd()), unix.TCSBRK, 1) != nil {
		const patience = 1000 // milliseconds
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLOUT}}, patience)
	}
}
