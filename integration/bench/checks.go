package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// checked is the fleet whose checks are measured: 200 targets, one check a
// second each, for so long.
var checked = fleet{services: 20, interval: time.Second}

const checkedFor = 10 * time.Second

// settledAfter is when a daemon is at rest: its virtual router is Master, all targets have
// had their turn, and lvsd has given back what it has not used in its first minute. An
// emulated processor translates code when it is run first, which is long over by then.
const settledAfter = 75 * time.Second

// enoughChecks is the part of its checks that a daemon must make: one that is
// late has less to do, and its figures say nothing.
const enoughChecks = 0.95

// The figures of the checks part, in their order.
const (
	// processTime is utime + stime. In user-mode Linux these are a sample at each
	// tick of 10 ms: what begins at a timer, and ends within the tick, is there
	// always or never (measured: 0.3 to 2.4 ms for one and the same).
	processTime = "CPU for each check, the daemon's processes"
	machineTime = "CPU for each check, the whole machine"
	// emulatedTime is the same by the clock of the machine that emulates this one. What
	// one emulated processor waits for the other is not in it.
	emulatedTime = "CPU for each check, of the machine that emulates it"
	machineBusy  = "the machine's processors in use"
	checksRate   = "checks a second"
)

// measureChecks lets both daemons take turns with the checks.
func measureChecks(ctx context.Context, o options) ([]Figure, error) {
	columns, err := takeTurns(ctx, o, "checks", o.share(2), checksOnce)
	process, whole := Figure{Name: processTime, Unit: unitTime}, Figure{Name: machineTime, Unit: unitTime}
	goal := ratioAtMost(0.5)
	var costs []Figure
	switch {
	case cluster.InUML():
		whole.Goal = goal
		costs = []Figure{whole}
	case cluster.InQEMU():
		costs = []Figure{process, whole, {Name: emulatedTime, Unit: unitTime, Goal: goal}}
	default:
		whole.Goal = goal
		costs = []Figure{process, whole}
	}
	figures := append(costs, Figure{Name: machineBusy, Unit: unitShare}, Figure{Name: checksRate, Unit: unitCount})
	return complete("checks", figures, columns), err
}

// checksOnce notes what the checks of a daemon at rest cost.
func checksOnce(ctx context.Context, d daemon, c column) (err error) {
	r, err := newRig(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := d.configure(r.director, checked); err != nil {
		return err
	}
	ctx, _, err = r.run(ctx, d)
	if err != nil {
		return err
	}
	if _, err := waitTable(ctx, r.director, checked, time.Now()); err != nil {
		return err
	}
	if err := pause(ctx, settledAfter); err != nil {
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
	took := time.Since(begin).Seconds()
	checks, machine := after.checks-before.checks, after.machine-before.machine
	c.add(checksRate, checks/took)
	if nominal := checked.rate(); checks/took < enoughChecks*nominal {
		return fmt.Errorf("it made %.1f checks a second of %.0f: what they cost says nothing", checks/took, nominal)
	}
	c.add(processTime, (after.processes-before.processes)/checks)
	c.add(machineTime, machine/checks)
	if cluster.InQEMU() {
		c.add(emulatedTime, (after.emulated-before.emulated)/checks)
	}
	c.add(machineBusy, machine/took/float64(runtime.NumCPU()))
	return nil
}

// A meter is how many checks there have been, and what they have cost in
// seconds.
type meter struct{ checks, processes, machine, emulated float64 }

func (r *rig) meter() (m meter, err error) {
	m.checks, err = r.checks()
	if err != nil {
		return m, err
	}
	if m.processes, err = cpu(r.director); err != nil {
		return m, err
	}
	if cluster.InQEMU() {
		if m.emulated, err = emulated(); err != nil {
			return m, err
		}
	}
	m.machine, err = busy()
	return m, err
}
