package director

import (
	"context"
	"time"
)

// startReload reads the configuration on a goroutine of its own, since that
// takes as long as the files are large and the disk is slow.
func (d *Director) startReload(ctx context.Context) {
	if d.stopping {
		return
	}
	if d.loading {
		d.again = true
		return
	}
	d.loading = true
	d.o.Notify("RELOADING")
	running, open := d.config, d.table == nil
	d.running.Go(func() {
		l := d.o.Load(running)
		if open {
			l.open(ctx, d.o.OpenTable)
		}
		d.loaded <- l
	})
}

// finishReload applies what was read, whole or not at all.
func (d *Director) finishReload(l Loaded) {
	now := time.Now()
	d.loading = false
	d.reload.Last = now
	switch {
	case l.Err != nil:
		d.reload.OK, d.reload.Error = false, l.Err.Error()
		d.reload.Failed++
		d.o.Log.Error("configuration refused: the one that runs goes on", "path", d.o.Path, "error", l.Err)
		d.o.Notify("READY")
	case l.Config == nil:
		d.reload.OK, d.reload.Error = true, ""
		d.reload.Succeeded++
		d.o.Log.Info("configuration is unchanged", "path", d.o.Path)
		d.o.Notify("READY")
	default:
		d.reload.OK, d.reload.Error = true, ""
		d.reload.Succeeded++
		d.adopt(l)
		d.apply(now, l)
	}
	if d.again {
		d.again = false
		d.Reload()
	}
}

// apply makes a configuration the one that runs.
func (d *Director) apply(now time.Time, l Loaded) {
	c := l.Config
	d.o.Log.Info("configuration applied", "path", d.o.Path, "services", len(c.Services), "routers", len(c.Routers))
	for _, w := range l.Warnings {
		d.o.Log.Warn("configuration", "warning", w)
	}
	d.config, d.warnings = c, l.Warnings
	d.reload.Digest, d.reload.Applied = c.Digest, now
	d.applying = now
	d.look()
	d.configure(now)
}
