package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// consoles are what the job in user-mode Linux reads and writes: at a terminal
// the console itself, else pipes, whose other ends are copied to consoles that
// carry bytes unchanged. So the job sees a terminal exactly where there is one.
type consoles struct {
	// files are the job's standard input, output and error.
	files   []*os.File
	copying sync.WaitGroup
}

// open opens them for a job in user-mode Linux.
func (c *consoles) open(j *job) error {
	out, err := openConsole("/dev/tty0")
	if err != nil {
		return err
	}
	if j.Terminal {
		c.files = []*os.File{out, out, out}
		size := &unix.Winsize{Row: uint16(j.Rows), Col: uint16(j.Columns)}
		return unix.IoctlSetWinsize(int(out.Fd()), unix.TIOCSWINSZ, size)
	}
	errs, err := openConsole("/dev/tty1")
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
		c.files = append(c.files, write)
		c.copying.Go(func() { _, _ = io.Copy(console, read) })
	}
	return nil
}

// close waits until what the job wrote is copied, but not for processes that
// it left behind.
func (c *consoles) close() {
	for _, f := range c.files {
		f.Close()
	}
	copied := make(chan struct{})
	go func() { c.copying.Wait(); close(copied) }()
	select {
	case <-copied:
	case <-time.After(time.Second):
	}
}

func openConsole(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a console: %w", err)
	}
	return f, nil
}

// setRaw stops the terminal from turning each line feed into two bytes.
func setRaw(f *os.File) error {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return fmt.Errorf("reading the console's settings: %w", err)
	}
	t.Oflag &^= unix.OPOST
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETSW, t); err != nil {
		return fmt.Errorf("setting the console: %w", err)
	}
	return nil
}

// drainConsoles waits until all output has left the machine (tcdrain(3)).
func drainConsoles() {
	for _, path := range []string{"/dev/tty0", "/dev/tty1", "/dev/tty2"} {
		if f, err := openConsole(path); err == nil {
			_ = unix.IoctlSetInt(int(f.Fd()), unix.TCSBRK, 1)
		}
	}
}
