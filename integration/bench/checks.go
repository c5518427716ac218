package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// checked is the fleet whose checks are measured: 200 targets, one check a
// second each, for so long.
var checked = fleet{services: 20, interval: time.Second}

const checkedFor = 10 * time.Second

// The figures of the checks part, in their order.
const (
	processTime = "CPU for each check, the daemon's processes"
	machineTime = "CPU for each check, the whole machine"
	checksRate  = "checks a second"
)

// measureChecks lets both daemons take turns with the checks.
func measureChecks(ctx context.Context, o options) ([]Figure, error) {
	var columns [2]column
	for i := range columns {
		columns[i] = column{}
	}
	runs := o.share(2)
	for n := range runs {
		for i, d := range daemons(o) {
			say("checks: run %d of %d, %s", n+1, runs, d.name)
			if err := checksOnce(ctx, d, columns[i]); err != nil {
				return nil, fmt.Errorf("%s: %w", d.name, err)
			}
		}
	}
	return inLab(o, "checks", []Figure{
		{Name: processTime, Unit: unitTime},
		{Name: machineTime, Unit: unitTime},
		{Name: checksRate, Unit: unitCount},
	}, columns), nil
}

// checksOnce notes what the checks of a daemon at rest cost.
func checksOnce(ctx context.Context, d daemon, c column) (err error) {
	r, err := newRig(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := d.write(r.director, checked); err != nil {
		return err
	}
	ctx, _, err = r.run(ctx, d)
	if err != nil {
		return err
	}
	if _, err := waitTable(ctx, r.director, checked, time.Now()); err != nil {
		return err
	}
	if err := pause(ctx, 5*time.Second); err != nil { // the virtual router is Master, all targets have their turn
		return err
	}
	begin := time.Now()
	before, err := r.meter()
	if err != nil {
		return err
	}
	if err := pause(ctx, checkedFor); err != nil {
		return err
	}
	after, err := r.meter()
	if err != nil {
		return err
	}
	checks := after.checks - before.checks
	if checks == 0 {
		return errors.New("no check was made")
	}
	c.add(processTime, (after.processes-before.processes)/checks)
	c.add(machineTime, (after.machine-before.machine)/checks)
	c.add(checksRate, checks/time.Since(begin).Seconds())
	return nil
}

// A meter is how many checks there have been, and what they have cost in
// seconds.
type meter struct{ checks, processes, machine float64 }

func (r *rig) meter() (m meter, err error) {
	m.checks, err = r.checks()
	if err != nil {
		return m, err
	}
	if m.processes, err = cpu(r.director); err != nil {
		return m, err
	}
	m.machine, err = busy()
	return m, err
}
