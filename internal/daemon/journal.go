package daemon

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
)

// IsJournal reports whether what is written to w goes to systemd's journal: then
// JOURNAL_STREAM has the device and inode numbers of its file (systemd.exec(5)).
// The variable alone is no evidence, since children inherit it whose output goes
// elsewhere.
func IsJournal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	var st syscall.Stat_t
	if syscall.Fstat(int(f.Fd()), &st) != nil {
		return false
	}
	return os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}

// ErrorPriority is the prefix of a line that the journal notes as an error
// (sd-daemon(3)).
const ErrorPriority = "<3>"

// priorities are the prefixes of the journal's priorities, by the lowest level
// that each is for, the highest first.
var priorities = [...]struct {
	level  slog.Level
	prefix string
}{
	{slog.LevelError, ErrorPriority},
	{slog.LevelWarn, "<4>"},
	{slog.LevelInfo, "<6>"},
	{slog.LevelDebug, "<7>"},
}

// A prioritized handler writes each record with its priority before it, by a
// handler for each of the priorities.
type prioritized [len(priorities)]slog.Handler

func newPrioritized(w io.Writer, newHandler func(io.Writer) slog.Handler) (h prioritized) {
	for i, p := range priorities {
		h[i] = newHandler(&Prefixed{W: w, Prefix: p.prefix})
	}
	return h
}

func (h prioritized) Enabled(ctx context.Context, l slog.Level) bool { return h[0].Enabled(ctx, l) }

func (h prioritized) Handle(ctx context.Context, r slog.Record) error {
	i := 0
	for i < len(h)-1 && r.Level < priorities[i].level {
		i++
	}
	return h[i].Handle(ctx, r)
}

func (h prioritized) WithAttrs(attrs []slog.Attr) slog.Handler {
	for i := range h {
		h[i] = h[i].WithAttrs(attrs)
	}
	return h
}

func (h prioritized) WithGroup(name string) slog.Handler {
	for i := range h {
		h[i] = h[i].WithGroup(name)
	}
	return h
}

// Prefixed writes to W with Prefix before each line. Each call of Write begins a
// line, and is one call of W's.
type Prefixed struct {
	W      io.Writer
	Prefix string
}

func (p *Prefixed) Write(text []byte) (int, error) {
	var all []byte
	for line := range bytes.Lines(text) {
		all = append(append(all, p.Prefix...), line...)
	}
	if _, err := p.W.Write(all); err != nil {
		return 0, err
	}
	return len(text), nil
}
