package director

import (
	"context"
	"fmt"
	"time"

	"github.com/lvsd/lvsd/internal/config"
)

// startReload reads the configuration on a goroutine of its own, since that
// takes as long as the files are large and the disk is slow.
func (d *Director) startReload(ctx context.Context) {
	if d.stopping {
		return
	}
	if !d.loading.IsZero() {
		d.again = true
		return
	}
	if hung := d.readings.Load(); hung == maxHung {
		d.refuse(time.Now(), fmt.Errorf("%d earlier readings of it still hang: mend what they wait for (a disk?)", hung))
		return
	}
	d.loading = time.Now()
	if d.ready {
		d.o.Notify("RELOADING")
	}
	running, open, loaded := d.config, d.table == nil, make(chan Loaded, 1)
	d.loaded = loaded
	d.readings.Add(1)
	// Nobody waits for this one, in the end either: a disk may hang.
	go d.read(ctx, running, open, loaded)
}

// read reads the configuration, and opens the table where it is not open yet.
// It is counted until its result is there: whoever takes that may begin the next.
func (d *Director) read(ctx context.Context, running *config.Config, open bool, loaded chan<- Loaded) {
	l := d.o.Load(running)
	if open {
		l.open(ctx, d.o.OpenTable)
	}
	d.readings.Add(-1)
	loaded <- l
}

const (
	// loadPatience is how long a reading of the configuration may take.
	loadPatience = 30 * time.Second
	// maxHung bounds the readings that were given up and still hang.
	maxHung = 4
)

// overdue gives up a reading of the configuration that hangs.
func (d *Director) overdue(now time.Time) {
	if d.loading.IsZero() || now.Sub(d.loading) < loadPatience {
		return
	}
	d.refuse(now, fmt.Errorf("reading it takes longer than %v, and was given up", loadPatience))
	d.endReload()
}

// refuse notes a configuration that was not taken.
func (d *Director) refuse(now time.Time, err error) {
	d.reload.Last, d.reload.OK, d.reload.Error = now, false, err.Error()
	d.reload.Failed++
	d.o.Log.Error("configuration refused: the one that runs goes on", "path", d.o.Path, "error", err)
	d.reloaded()
}

// reloaded tells the service manager that a reload is over. Before the daemon
// is ready, and once it stops, that would be heard as something else.
func (d *Director) reloaded() {
	if d.ready && !d.stopping {
		d.o.Notify("READY")
	}
}

// endReload lets the next reload begin, and begins it where one was asked for
// meanwhile.
func (d *Director) endReload() {
	d.loading, d.loaded = time.Time{}, nil
	if d.again {
		d.again = false
		d.Reload()
	}
}

// finishReload applies what was read, whole or not at all.
func (d *Director) finishReload(l Loaded) {
	now := time.Now()
	if l.Err != nil {
		d.refuse(now, l.Err)
	} else {
		d.reload.Last, d.reload.OK, d.reload.Error = now, true, ""
		d.reload.Succeeded++
		d.take(now, l)
	}
	d.endReload()
}

// take works with what a valid configuration says, if it is another one.
func (d *Director) take(now time.Time, l Loaded) {
	if l.Config == nil {
		d.o.Log.Info("configuration is unchanged", "path", d.o.Path)
		d.reloaded()
		return
	}
	d.adopt(l)
	d.apply(now, l)
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
	d.judge(d.machine)
	d.configure(now)
}
