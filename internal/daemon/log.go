package daemon

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"
)

// A Log is the daemon's log, whose level may change.
type Log struct {
	*slog.Logger
	level slog.LevelVar
	given slog.Level // at the start
}

// OpenLog returns a log that writes to w in a format, "text" or "json", from
// a level on: "debug", "info", "warn" or "error". Logging never waits for
// whoever reads w. Call closeLog at the end: it waits up to a second for the
// lines that are not written yet.
func OpenLog(w io.Writer, format, level string) (log *Log, closeLog func(), err error) {
	log = new(Log)
	if err := log.given.UnmarshalText([]byte(level)); err != nil {
		return nil, nil, fmt.Errorf("unknown log level %q: write debug, info, warn or error", level)
	}
	log.SetLevel("")
	newLog, err := logFormat(format, &log.level, IsJournal(w))
	if err != nil {
		return nil, nil, err
	}
	lines := newLineWriter(w, newLog(w))
	log.Logger = newLog(lines)
	return log, lines.close, nil
}

// SetLevel makes the log begin at another level, or with "" at the one that it
// was opened with.
func (l *Log) SetLevel(level string) {
	to := l.given
	if level != "" {
		_ = to.UnmarshalText([]byte(level)) // The configuration has checked it.
	}
	l.level.Set(to)
}

// logFormat returns a function that makes a logger of the format and level. In
// the journal a line has its priority and no time, which the journal adds.
func logFormat(format string, level slog.Leveler, journal bool) (func(io.Writer) *slog.Logger, error) {
	o := slog.HandlerOptions{Level: level}
	newHandler := map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, &o) },
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, &o) },
	}[format]
	switch {
	case newHandler == nil:
		return nil, fmt.Errorf("unknown log format %q: write text or json", format)
	case journal:
		o.ReplaceAttr = withoutTime
		return func(w io.Writer) *slog.Logger { return slog.New(newPrioritized(w, newHandler)) }, nil
	default:
		return func(w io.Writer) *slog.Logger { return slog.New(newHandler(w)) }, nil
	}
}

func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
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
