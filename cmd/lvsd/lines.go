package main

import (
	"bytes"
	"io"
	"log/slog"
	"sync/atomic"
	"time"
)

// maxLines is how many lines wait for a log that is not read.
const maxLines = 4096

// A lineWriter hands lines to a goroutine of its own that writes them, so that
// nobody waits for whoever reads the log, or doesn't. What does not fit is
// dropped, and counted in a line once others can be written again.
type lineWriter struct {
	to      io.Writer
	log     *slog.Logger // to the same, at once
	lines   chan []byte
	dropped atomic.Uint64
	quit    chan struct{}
	done    chan struct{}
}

// newLineWriter returns a lineWriter that writes to w until it is closed, and
// tells there of what it dropped in the form of newLog.
func newLineWriter(w io.Writer, newLog func(io.Writer) *slog.Logger) *lineWriter {
	l := &lineWriter{
		to: w, log: newLog(w),
		lines: make(chan []byte, maxLines), quit: make(chan struct{}), done: make(chan struct{}),
	}
	go l.run()
	return l
}

// Write takes one line. It never waits, and never fails.
func (l *lineWriter) Write(line []byte) (int, error) {
	select {
	case l.lines <- bytes.Clone(line):
	default:
		l.dropped.Add(1)
	}
	return len(line), nil
}

func (l *lineWriter) run() {
	defer close(l.done)
	for {
		select {
		case line := <-l.lines:
			l.write(line)
		case <-l.quit:
			for len(l.lines) > 0 {
				l.write(<-l.lines)
			}
			return
		}
	}
}

// write writes a line, and tells of those that were dropped before it.
func (l *lineWriter) write(line []byte) {
	_, _ = l.to.Write(line)
	if n := l.dropped.Swap(0); n > 0 {
		l.log.Error("the log was not read: lines were dropped", "lines", n)
	}
}

// Close waits for the lines that are left, but not long.
func (l *lineWriter) Close() error {
	close(l.quit)
	select {
	case <-l.done:
	case <-time.After(time.Second):
	}
	return nil
}
