// Package event has the two kinds of news that lvsd tells about itself, as
// values: an Event is something that happened, a Finding is something that is
// wrong now. Whoever makes one does not know who consumes it.
package event

import (
	"context"
	"log/slog"
	"time"
)

// A Severity is how urgent a piece of news is for an operator.
type Severity uint8

// The severities.
const (
	// Info: nothing to do.
	Info Severity = iota + 1
	// Warning: something should be looked at, and clients are served.
	Warning
	// Error: something failed, or clients are not served.
	Error
)

var names = map[Severity]string{Info: "info", Warning: "warning", Error: "error"}

// String returns the severity's name.
func (s Severity) String() string { return names[s] }

// Level returns the level at which the severity is logged.
func (s Severity) Level() slog.Level {
	return map[Severity]slog.Level{Warning: slog.LevelWarn, Error: slog.LevelError}[s]
}

// An Event is something that happened.
type Event struct {
	At       time.Time
	Severity Severity
	// Code is one word for what happened, the same in every version: "server-down".
	Code string
	// Subject is what it happened to: "web/192.168.1.4"; empty: the daemon.
	Subject string
	// Text tells it to people; Attributes are its particulars, for programs too.
	Text       string
	Attributes []slog.Attr
}

// A Sink consumes events. It must not block.
type Sink func(Event)

// Log returns a sink that writes each event as one line of a log.
func Log(l *slog.Logger) Sink {
	return func(e Event) {
		ctx := context.Background()
		if !l.Enabled(ctx, e.Severity.Level()) {
			return
		}
		r := slog.NewRecord(e.At, e.Severity.Level(), e.Text, 0)
		r.AddAttrs(e.Attributes...)
		// A log that cannot be written has nobody else to be told about it.
		_ = l.Handler().Handle(ctx, r)
	}
}

// A Finding is something that is wrong now, and what an operator can do about it.
type Finding struct {
	// Code is one word for what is wrong, the same in every version:
	// "reload-refused".
	Code     string
	Severity Severity
	// Subject is what it is about: `virtual router "outside"`; empty: the daemon.
	// A finding with the same code and subject as an earlier one is no news,
	// although figures in its text may have changed.
	Subject string
	// Text is what is wrong, and Remedy what to do about it; each is one clause
	// without a full stop, and Remedy may be empty.
	Text   string
	Remedy string
}

// String returns the finding as one line.
func (f Finding) String() string {
	if f.Remedy == "" {
		return f.Text
	}
	return f.Text + ": " + f.Remedy
}

// Event returns the event that the finding was made.
func (f Finding) Event(now time.Time) Event {
	e := Event{At: now, Severity: f.Severity, Code: f.Code, Subject: f.Subject, Text: f.Text}
	if f.Remedy != "" {
		e.Attributes = []slog.Attr{slog.String("remedy", f.Remedy)}
	}
	return e
}
