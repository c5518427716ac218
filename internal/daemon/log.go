package daemon

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// OpenLog returns a logger that writes to w in a format, "text" or "json", from
// a level on: "debug", "info", "warn" or "error". Logging never waits for
// whoever reads w. Call closeLog at the end: it waits up to a second for the
// lines that are not written yet.
func OpenLog(w io.Writer, format, level string) (log *slog.Logger, closeLog func(), err error) {
	newLog, err := logFormat(format, level)
	if err != nil {
		return nil, nil, err
	}
	lines := newLineWriter(w, newLog(w))
	return newLog(lines), lines.close, nil
}

// logFormat returns a function that makes a logger of the format and level.
// Under systemd a line has no time, since the journal adds it.
func logFormat(format, level string) (func(io.Writer) *slog.Logger, error) {
	var o slog.HandlerOptions
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("unknown log level %q: write debug, info, warn or error", level)
	}
	o.Level = l
	if os.Getenv("JOURNAL_STREAM") != "" {
		o.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
	}
	switch format {
	case "text":
		return func(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, &o)) }, nil
	case "json":
		return func(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, &o)) }, nil
	default:
		return nil, fmt.Errorf("unknown log format %q: write text or json", format)
	}
}

// maxLines is how many lines wait for a log that nobody reads.
const maxLines = 4096

// A lineWriter passes lines to a goroutine that writes them, so that nobody who
// logs waits for the log's reader. Lines that do not fit are dropped, and their
// number is logged as soon as lines can be written again.
type lineWriter struct {
	to      io.Writer
	log     *slog.Logger // writes to the same without waiting in lines
	lines   chan []byte
	dropped atomic.Uint64
	quit    chan struct{}
	done    chan struct{}
}

// newLineWriter returns a lineWriter that writes to w until it is closed, and
// reports to log, which writes to w as well, what it dropped.
func newLineWriter(w io.Writer, log *slog.Logger) *lineWriter {
	l := &lineWriter{
		to: w, log: log,
		lines: make(chan []byte, maxLines), quit: make(chan struct{}), done: make(chan struct{}),
	}
	go l.run()
	return l
}

// Write takes one line. It never waits and never fails.
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

// write writes a line, and reports those that were dropped meanwhile.
func (l *lineWriter) write(line []byte) {
	_, _ = l.to.Write(line)
	if n := l.dropped.Swap(0); n > 0 {
		l.log.Error("the log was not read: lines were dropped", "lines", n)
	}
}

// close waits up to a second until the lines that are left are written.
func (l *lineWriter) close() {
	close(l.quit)
	select {
	case <-l.done:
	case <-time.After(time.Second):
	}
}
