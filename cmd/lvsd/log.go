package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/config"
)

// logTo returns how the daemon's log is written to a writer. Under systemd the
// journal has the time already.
func logTo(format, level string) (func(io.Writer) *slog.Logger, error) {
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

// maxLogged bounds the mistakes of one configuration that go to the log.
const maxLogged = 50

// logDiagnostics logs mistakes with their source, one line each.
func logDiagnostics(log *slog.Logger, diags config.Diagnostics) {
	for i, m := range diags {
		if i == maxLogged {
			log.Error("more mistakes are not logged: run lvsd validate", "mistakes", len(diags)-i)
			return
		}
		log.Error("configuration: "+m.Summary, "at", fmt.Sprintf("%s:%d", m.File, m.Line),
			"source", strings.TrimSpace(m.Source), "detail", m.Detail)
	}
}

// lines are diagnostics of one line each.
func lines(diags config.Diagnostics) []string {
	var all []string
	for _, m := range diags {
		all = append(all, m.String())
	}
	return all
}

// notify tells systemd what the daemon is about. Type=notify of systemd 252
// knows READY, RELOADING and STOPPING; newer ones want the time with it.
func notify(log *slog.Logger, state string) {
	message := state + "=1"
	if state == "RELOADING" {
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err == nil {
			message += fmt.Sprintf("\nMONOTONIC_USEC=%d", now.Nano()/int64(time.Microsecond))
		}
	}
	if _, err := daemon.SdNotify(false, message); err != nil {
		log.Warn("could not tell systemd", "state", state, "error", err)
	}
}
