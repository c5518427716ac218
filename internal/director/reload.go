package director

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/event"
)

const (
	// loadPatience is how long a reading of the configuration may take. The
	// reader gives up before that what takes long, and then it can say at which
	// block: this is for a reader that does not answer.
	loadPatience = 45 * time.Second
	// maxHung bounds the readings that were given up and have not ended.
	maxHung = 4
)

// A reloader follows the readings of the configuration. One at a time is
// awaited, and one that takes too long is given up.
type reloader struct {
	api.Reload // how the last one ended
	// number is the newest reading's, and began when it did; zero: it is no
	// longer awaited.
	number int
	began  time.Time
	// again: a reload was asked for while a reading was awaited.
	again bool
	hung  int // readings that were given up and have not ended
	// loading is until when a configuration that was applied may not be in the
	// kernel; zero: it is, or was waited for in vain.
	loading time.Time
}

// deadline is when a reading is given up, or a table no longer waited for.
func (r *reloader) deadline() time.Time {
	if r.began.IsZero() {
		return r.loading
	}
	return earliest(r.loading, r.began.Add(loadPatience))
}

// ended reports whether a reading that has ended is the one that is awaited.
func (r *reloader) ended(number int) bool {
	if number != r.number || r.began.IsZero() {
		r.hung--
		return false
	}
	r.began = time.Time{}
	return true
}

// abandon waits no longer for the reading that is awaited, if one is.
func (r *reloader) abandon() {
	if !r.began.IsZero() {
		r.began = time.Time{}
		r.hung++
	}
}

// loaded reports, once, that the configuration that was applied last is in the
// kernel, or was waited for in vain: a row that the kernel refuses is tried
// again and again, and the service manager need not wait for that.
func (r *reloader) loaded(now time.Time, converged bool) bool {
	if r.loading.IsZero() || !converged && now.Before(r.loading) {
		return false
	}
	r.loading = time.Time{}
	return true
}

// ask begins a reading of the configuration, now or after the one that is
// awaited.
func (c *Core) ask(now time.Time) {
	r := &c.reload
	switch {
	case c.stopping:
	case !r.began.IsZero():
		r.again = true
	case r.hung == maxHung:
		c.refuse(now, Loaded{Err: fmt.Errorf("%d earlier attempts to read it have not ended: check the disk or network file system that they wait for", r.hung)})
	default:
		r.number++
		r.began = now
		if c.readiness.ready {
			c.do(Notify("RELOADING"))
		}
		c.do(Read{Number: r.number, Running: c.config, Open: !c.opened})
	}
}

// askAgain begins the reading that was asked for while another one was awaited.
func (c *Core) askAgain(now time.Time) {
	if c.reload.again {
		c.reload.again = false
		c.ask(now)
	}
}

// read takes the outcome of a reading. One that was given up counts for nothing
// but the table that it may have opened.
func (c *Core) read(now time.Time, in ReadingEnded) {
	c.opened = c.opened || in.Found != nil
	if !c.reload.ended(in.Number) {
		return
	}
	if in.Err != nil {
		c.refuse(now, in.Loaded)
	} else {
		c.accept(now, in.Loaded)
	}
	c.askAgain(now)
}

// giveUp gives up the reading that is awaited.
func (c *Core) giveUp(now time.Time) {
	c.reload.abandon()
	c.refuse(now, Loaded{Err: fmt.Errorf("reading it took longer than %v and was given up: check the disk or network file system that it is on", loadPatience)})
	c.askAgain(now)
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
	c.tell(now, event.Error, "configuration-refused", "", "configuration refused: the running one stays in force", why...)
	c.reloaded()
}

// accept takes a valid configuration, and works with it if it is another one.
func (c *Core) accept(now time.Time, l Loaded) {
	r := &c.reload
	r.Last, r.OK, r.Error = now, true, ""
	r.Succeeded++
	if l.Config == nil {
		c.tell(now, event.Info, "configuration-unchanged", "", "configuration is unchanged", slog.String("path", r.Path))
		c.reloaded()
		return
	}
	r.Digest, r.Applied, r.loading = l.Config.Digest, now, now.Add(c.atStart.StartDelay)
	c.tell(now, event.Info, "configuration-applied", "", "configuration applied", slog.String("path", r.Path),
		slog.Int("services", len(l.Config.Services)), slog.Int("routers", len(l.Config.Routers)))
	for _, w := range l.Warnings {
		c.tell(now, event.Warning, "configuration-warning", "", "configuration", slog.String("warning", w))
	}
	c.configure(now, l)
	c.see(now, c.machine.facts)
}

// reloaded tells the service manager that reloading is over, unless another
// reload is under way or what was applied is still on its way to the kernel.
// Before the daemon is ready, and once it stops, READY would be heard as
// something else.
func (c *Core) reloaded() {
	over := c.reload.began.IsZero() && c.reload.loading.IsZero()
	if over && c.readiness.ready && !c.stopping {
		c.do(Notify("READY"))
	}
}
