package director

import (
	"context"
	"time"
)

// startReload reads the configuration on a goroutine of its own, since that
// takes as long as the files are large and the disk is slow.
func (d *Director) startReload() {
	if d.stopping {
		return
	}
	if d.loading {
		d.again = true
		return
	}
	d.loading = true
	d.o.Notify("RELOADING")
	running := d.config
	d.running.Go(func() { d.loaded <- d.o.Load(running) })
}

// finishReload applies what was read, whole or not at all.
func (d *Director) finishReload(ctx context.Context, l Loaded) {
	now := time.Now()
	d.loading = false
	d.reload.Last = now
	err := l.Err
	if err == nil && l.Config != nil {
		err = d.adopt(ctx, l.Config)
	}
	if err != nil {
		d.reload.OK, d.reload.Error = false, err.Error()
		d.reload.Failed++
		d.o.Log.Error("configuration refused: the one that runs goes on", "path", d.o.Path, "error", err)
		d.o.Notify("READY")
		d.reloadAgain()
		return
	}
	d.reload.OK, d.reload.Error = true, ""
	d.reload.Succeeded++
	if l.Config == nil {
		d.o.Log.Info("configuration is unchanged", "path", d.o.Path)
		d.o.Notify("READY")
		d.reloadAgain()
		return
	}
	d.apply(now, l)
	d.reloadAgain()
}

// apply makes a configuration the one that runs.
func (d *Director) apply(now time.Time, l Loaded) {
	c := l.Config
	d.o.Log.Info("configuration applied", "path", d.o.Path, "services", len(c.Services), "routers", len(c.Routers))
	for _, w := range l.Warnings {
		d.o.Log.Warn("configuration", "warning", w)
	}
	if c.Director != d.config.Director {
		d.o.Log.Warn("the director block changed: what it says of http, probes_in_flight and the table's owner takes effect at the next start")
	}
	d.config, d.warnings = c, l.Warnings
	d.reload.Digest, d.reload.Applied = c.Digest, now
	d.applying = true
	d.look()
	d.configure(now)
}

// reloadAgain serves the request that came while the last one was served.
func (d *Director) reloadAgain() {
	if d.again {
		d.again = false
		d.startReload()
	}
}
