package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// The figures of the table part, in their order.
const (
	startTime     = "start to the full table"
	thirdTime     = "reload that changes a third of the weights"
	oneTime       = "reload that changes one service"
	oneUsed       = "reload that changes one service, CPU"
	unchangedTime = "reload that changes nothing"
	unchangedUsed = "reload that changes nothing, CPU"
	startMemory   = "memory after the start"
	reloadMemory  = "memory after the reloads"
)

const (
	// memoryGoal is in bytes, of all processes together.
	memoryGoal = 25e6
	// reloadCPU is the goal of a reload that changes little, of all processes
	// together.
	reloadCPU = 50 * time.Millisecond
)

// measureTable lets both daemons take turns with the large fleet.
func measureTable(ctx context.Context, o options) ([]Figure, error) {
	if err := warmUp(ctx, o); err != nil {
		return nil, err
	}
	columns, err := takeTurns(ctx, o, "table", o.share(3), tableOnce)
	start, third, used := ratioAtMost(1), ratioAtMost(0.2), atMost(reloadCPU.Seconds())
	switch {
	case cluster.InQEMU():
		third, used = ratioAtMost(0.25), nil
	case !cluster.InUML():
		start = atMost(1)
	}
	return complete("table", []Figure{
		{Name: startTime, Unit: unitTime, Goal: start},
		{Name: thirdTime, Unit: unitTime, Goal: third},
		{Name: oneTime, Unit: unitTime},
		{Name: oneUsed, Unit: unitTime, Goal: used},
		{Name: unchangedTime, Unit: unitTime},
		{Name: unchangedUsed, Unit: unitTime, Goal: used},
		{Name: startMemory, Unit: unitBytes, Goal: atMost(memoryGoal)},
		{Name: reloadMemory, Unit: unitBytes, Goal: atMost(memoryGoal)},
	}, columns), err
}

// warmUp lets each daemon start once where the machine is emulated: what runs for the
// first time is translated, and its program comes from the file system of another
// machine. That is no part of a start, and as much as the rest of it (measured: 4.6 and
// 2.5 s).
func warmUp(ctx context.Context, o options) error {
	if !cluster.InQEMU() {
		return nil
	}
	for _, d := range daemons(o) {
		say("table: a first start that does not count, %s", d.name)
		r, err := newRig(ctx)
		if err != nil {
			return err
		}
		_, _, err = r.load(ctx, d, large, startTime, column{})
		if err := errors.Join(err, r.Close()); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	return nil
}

// load starts a daemon with a fleet, and notes when the table has it.
func (r *rig) load(ctx context.Context, d daemon, f fleet, name string, c column) (context.Context, *cluster.Process, error) {
	if err := d.configure(r.director, f); err != nil {
		return ctx, nil, err
	}
	begin := time.Now()
	ctx, p, err := r.run(ctx, d)
	if err != nil {
		return ctx, nil, err
	}
	return ctx, p, r.noteTable(ctx, f, begin, name, c)
}

// tableOnce is the life of one daemon: it starts, reloads what is unchanged,
// what changes one service, and then what changes a third.
func tableOnce(ctx context.Context, d daemon, c column) (err error) {
	r, err := newRig(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()

	ctx, p, err := r.load(ctx, d, large, startTime, c)
	if err != nil {
		return err
	}
	if err := r.noteMemory(ctx, startMemory, c); err != nil {
		return err
	}
	if err := r.noteUnchanged(ctx, d, p, c); err != nil {
		return err
	}
	if err := r.noteOne(ctx, d, p, c); err != nil {
		return err
	}
	if err := r.noteThird(ctx, d, p, large, c); err != nil {
		return err
	}
	return r.noteMemory(ctx, reloadMemory, c)
}

// noteThird reloads what has changed in a third of a fleet's servers, and notes when the
// table has it.
func (r *rig) noteThird(ctx context.Context, d daemon, p *cluster.Process, f fleet, c column) error {
	f.changed = true
	if err := d.configure(r.director, f); err != nil {
		return err
	}
	begin := time.Now()
	if err := p.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	if err := r.noteTable(ctx, f, begin, thirdTime, c); err != nil {
		return err
	}
	return equalTable(ctx, r.director, f)
}

// noteTable waits for the table and notes how long that took.
func (r *rig) noteTable(ctx context.Context, f fleet, begin time.Time, name string, c column) error {
	took, err := waitTable(ctx, r.director, f, begin)
	c.addTime(name, took)
	return err
}

// noteMemory notes the memory of a daemon at rest: lvsd gives back what it does
// not need three seconds after a change.
func (r *rig) noteMemory(ctx context.Context, name string, c column) error {
	if _, err := settle(ctx, r.director, 5*time.Second); err != nil {
		return err
	}
	bytes, err := pss(r.director)
	c.add(name, bytes)
	return err
}

// noteUnchanged reloads what has not changed, and notes time and processor
// time of one such reload.
func (r *rig) noteUnchanged(ctx context.Context, d daemon, p *cluster.Process, c column) error {
	used, err := cpu(r.director)
	if err != nil {
		return err
	}
	begin, end := time.Now(), time.Time{}
	for range d.reloads {
		if end, err = d.reload(ctx, p); err != nil {
			return err
		}
	}
	now, err := cpu(r.director)
	if err != nil {
		return err
	}
	c.add(unchangedTime, end.Sub(begin).Seconds()/float64(d.reloads))
	c.add(unchangedUsed, (now-used)/float64(d.reloads))
	return nil
}

// noteOne reloads what has changed in one service, another one each time, and
// notes time and processor time of one such reload.
func (r *rig) noteOne(ctx context.Context, d daemon, p *cluster.Process, c column) error {
	used, err := cpu(r.director)
	if err != nil {
		return err
	}
	var took time.Duration
	for f := large; f.raised < d.reloads; {
		f.raised++
		if err := d.configure(r.director, f); err != nil {
			return err
		}
		begin := time.Now()
		if err := p.Signal(syscall.SIGHUP); err != nil {
			return err
		}
		t, err := waitTable(ctx, r.director, f, begin)
		if err != nil {
			return err
		}
		took += t
	}
	now, err := cpu(r.director)
	if err != nil {
		return err
	}
	c.add(oneTime, took.Seconds()/float64(d.reloads))
	c.add(oneUsed, (now-used)/float64(d.reloads))
	return nil
}
