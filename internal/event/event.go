// Package event represents what happens to lvsd as values. Those who create an
// event do not know who consumes it.
package event

import (
	"context"
	"log/slog"
	"time"
)

// The severities of events are the levels at which they are logged.
const (
	// Info: nothing to do.
	Info = slog.LevelInfo
	// Warning: something should be looked at, and clients are served.
	Warning = slog.LevelWarn
	// Error: something failed, or clients are not served.
	Error = slog.LevelError
)

// An Event is something that happened.
type Event struct {
	At       time.Time
	Severity slog.Level
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

// Log returns a sink that writes each event as one line of a log, with its code
// as the attribute "event".
func Log(l *slog.Logger) Sink {
	return func(e Event) {
		ctx := context.Background()
		if !l.Enabled(ctx, e.Severity) {
			return
		}
		r := slog.NewRecord(e.At, e.Severity, e.Text, 0)
		r.AddAttrs(slog.String("event", e.Code))
		r.AddAttrs(e.Attributes...)
		// A log that cannot be written has nobody else to be told about it.
		_ = l.Handler().Handle(ctx, r)
	}
}
