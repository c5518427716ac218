package director

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/event"
)

// stopping is the outcome of a reload that a stop has overtaken.
var stopping = api.Reloaded{Error: "lvsd is stopping"}

// ask begins a reading of the configuration, now or after the one that is
// awaited.
func (c *Core) ask(now time.Time, askers ...Asker) {
	r := &c.reload
	if !r.until.IsZero() {
		r.again = true
		r.next = append(r.next, askers...)
		return
	}
	r.askers = askers
	switch {
	case c.stopping:
		c.answer(stopping)
	case r.hung == maxHung:
		c.refuse(now, Loaded{Err: fmt.Errorf("%d earlier attempts to read it have not ended: check the disk or network file system that they wait for", r.hung)})
	default:
		r.number++
		r.until = now.Add(loadPatience)
		if c.ready {
			c.do(Notify("RELOADING"))
		}
		c.do(Read{Number: r.number, Running: c.config, Open: !c.opened})
	}
}

// read takes the outcome of a reading. One that was given up counts for nothing
// but the table that it may have opened.
func (c *Core) read(now time.Time, in ReadingEnded) {
	c.opened = c.opened || in.Found != nil
	if c.reload.ended(in.Number) {
		c.take(now, in.Loaded)
	}
}

// giveUp gives up the reading that is awaited.
func (c *Core) giveUp(now time.Time) {
	c.reload.abandon()
	c.take(now, Loaded{Err: fmt.Errorf("reading it took longer than %v and was given up: check the disk or network file system that it is on", loadPatience)})
}

// take takes what was read, and begins the reading that was asked for meanwhile.
func (c *Core) take(now time.Time, l Loaded) {
	if l.Err != nil {
		c.refuse(now, l)
	} else {
		c.accept(now, l)
	}
	if c.reload.again {
		next := c.reload.next
		c.reload.again, c.reload.next = false, nil
		c.ask(now, next...)
	}
}

// answer answers who asked for the reload that has ended.
func (c *Core) answer(outcome api.Reloaded) {
	for _, asker := range c.reload.askers {
		c.do(Answer{asker, outcome})
	}
	c.reload.askers = nil
}

// refuse notes a configuration that was not taken; the one that runs goes on.
func (c *Core) refuse(now time.Time, l Loaded) {
	r := &c.reload
	r.Last, r.OK, r.Error = now, false, l.Err.Error()
	r.Failed++
	for _, m := range l.Mistakes {
		m.At = now
		c.do(Tell{m})
	}
	why := []slog.Attr{slog.String("path", r.Path)}
	if len(l.Mistakes) == 0 {
		why = append(why, slog.Any("error", l.Err))
	}
	c.tell(now, event.Error, "configuration-refused", "", "configuration refused; the previous one keeps running", why...)
	c.answer(api.Reloaded{Error: r.Error, Diagnosis: l.Diagnosis})
	c.reloaded()
}

// accept takes a valid configuration, and works with it if it is another one.
func (c *Core) accept(now time.Time, l Loaded) {
	r := &c.reload
	r.Last, r.OK, r.Error = now, true, ""
	r.Succeeded++
	if l.Config == nil {
		c.tell(now, event.Info, "configuration-unchanged", "", "configuration is unchanged", slog.String("path", r.Path))
		c.answer(api.Reloaded{OK: true, Warnings: l.Warnings})
		c.reloaded()
		return
	}
	r.Digest, r.Applied, r.loading = l.Config.Digest, now, now.Add(l.Config.Director.StartDelay)
	c.tell(now, event.Info, "configuration-applied", "", "configuration applied", slog.String("path", r.Path),
		slog.Int("services", len(l.Config.Services)), slog.Int("routers", len(l.Config.Routers)))
	c.answer(api.Reloaded{OK: true, Changes: c.tellChanges(now, changes(c.config, l.Config)), Warnings: l.Warnings})
	c.configure(now, l)
	c.see(now, c.facts)
}

// tellChanges tells what a reload changes, a line each, and returns the lines.
func (c *Core) tellChanges(now time.Time, all []change) []string {
	var lines []string
	for _, change := range all {
		severity := event.Info
		if change.removes {
			severity = event.Warning
		}
		c.tell(now, severity, "configuration-changed", "", "reload: "+change.line)
		lines = append(lines, change.line)
	}
	return lines
}

// reloaded tells the service manager that reloading is over, unless another
// reload is under way or what was applied is still on its way to the kernel.
// Before the daemon is ready, and once it stops, READY would be heard as
// something else.
func (c *Core) reloaded() {
	over := c.reload.until.IsZero() && c.reload.loading.IsZero()
	if over && c.ready && !c.stopping {
		c.do(Notify("READY"))
	}
}
