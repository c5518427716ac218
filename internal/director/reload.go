package director

import (
	"log/slog"
	"time"

	"github.com/lvsd/lvsd/internal/event"
)

// ask begins a reading of the configuration, now or after the one that is
// awaited.
func (c *Core) ask(now time.Time) {
	if c.stopping {
		return
	}
	begin, err := c.reload.ask(now)
	if err != nil {
		c.refuse(now, Loaded{Err: err})
	}
	if !begin {
		return
	}
	if c.readiness.ready {
		c.do(Notify("RELOADING"))
	}
	c.do(Read{Number: c.reload.number, Running: c.config, Open: !c.opened})
}

// read takes the outcome of a reading. One that was given up counts for nothing
// but the table that it may have opened.
func (c *Core) read(now time.Time, in ReadingEnded) {
	c.opened = c.opened || in.Found != nil
	if !c.reload.end(in.Number) {
		return
	}
	switch {
	case in.Err != nil:
		c.refuse(now, in.Loaded)
	case in.Config == nil:
		c.reload.accepted(now)
		c.tell(now, event.Info, "configuration-unchanged", "", "configuration is unchanged", slog.String("path", c.reload.Path))
		c.reloaded()
	default:
		c.reload.accepted(now)
		c.apply(now, in.Loaded)
	}
	c.askAgain(now)
}

// askAgain begins the reading that was asked for while another one was awaited.
func (c *Core) askAgain(now time.Time) {
	if c.reload.asked() {
		c.ask(now)
	}
}

// refuse notes a configuration that was not taken; the one that runs goes on.
func (c *Core) refuse(now time.Time, l Loaded) {
	c.reload.refused(now, l.Err)
	for _, m := range l.Mistakes {
		m.At = now
		c.do(Tell{m})
	}
	why := []slog.Attr{slog.String("path", c.reload.Path)}
	if len(l.Mistakes) == 0 {
		why = append(why, slog.Any("error", l.Err))
	}
	c.tell(now, event.Error, "configuration-refused", "", "configuration refused: the one that runs goes on", why...)
	c.reloaded()
}

// reloaded tells the service manager that a reload is over. Before the daemon
// is ready, and once it stops, that would be heard as something else.
func (c *Core) reloaded() {
	if c.readiness.ready && !c.stopping {
		c.do(Notify("READY"))
	}
}

// apply makes a configuration the one that runs.
func (c *Core) apply(now time.Time, l Loaded) {
	c.tell(now, event.Info, "configuration-applied", "", "configuration applied", slog.String("path", c.reload.Path),
		slog.Int("services", len(l.Config.Services)), slog.Int("routers", len(l.Config.Routers)))
	for _, w := range l.Warnings {
		c.tell(now, event.Warning, "configuration-warning", "", "configuration", slog.String("warning", w))
	}
	c.reload.applied(now, l.Config.Digest)
	c.configure(now, l)
	c.see(now, c.machine.facts)
}
