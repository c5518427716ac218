package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The goals of the wide part: of the ratios to keepalived, of a reload that changes nothing
// where the machine is emulated, of the audit there, and of the memory of all processes.
const (
	wideStart     = 0.5
	wideThird     = 0.1
	wideUnchanged = 300 * time.Millisecond
	wideAudit     = 0.1
	wideMemory    = 120e6
)

// auditShare is the figure of a director at rest, most of which is to compare the table.
const auditShare = "share of a processor at rest"

// auditRest is how long it is measured.
const auditRest = 30 * time.Second

// loads are the fleets with which a daemon starts, the wide one last.
var loads = []fleet{{services: 100, interval: time.Hour}, large, wide}

func (f fleet) startName() string {
	return fmt.Sprintf("%s of %d services with %d servers", startTime, f.services, f.total())
}

// measureWide lets both daemons take turns with fleets of three sizes.
func measureWide(ctx context.Context, o options) ([]Figure, error) {
	if err := warmUp(ctx, o); err != nil {
		return nil, err
	}
	columns, err := takeTurns(ctx, o, "wide", o.share(2), wideOnce)
	var figures []Figure
	for _, f := range loads {
		figures = append(figures, Figure{Name: f.startName(), Unit: unitTime})
	}
	figures[len(figures)-1].Goal = ratioAtMost(wideStart)
	figures = append(figures,
		Figure{Name: thirdTime, Unit: unitTime, Goal: ratioAtMost(wideThird)},
		Figure{Name: unchangedTime, Unit: unitTime, Goal: atMost(wideUnchanged.Seconds())},
		Figure{Name: unchangedUsed, Unit: unitTime},
		Figure{Name: auditShare, Unit: unitShare, Goal: atMost(wideAudit)},
		Figure{Name: startMemory, Unit: unitBytes, Goal: atMost(wideMemory)},
		Figure{Name: reloadMemory, Unit: unitBytes, Goal: atMost(wideMemory)})
	return complete("wide", figures, columns), err
}

// wideOnce starts a daemon with each of the fleets; with the last one it rests, and reloads
// what is unchanged and what changes a third.
func wideOnce(ctx context.Context, d daemon, c column) error {
	d.reloads = min(d.reloads, 3)
	for _, f := range loads {
		if err := wideLife(ctx, d, f, c); err != nil {
			return fmt.Errorf("%d servers: %w", f.total(), err)
		}
	}
	return nil
}

// wideLife is the life of one daemon with a fleet.
func wideLife(ctx context.Context, d daemon, f fleet, c column) (err error) {
	r, err := newRig(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	ctx, p, err := r.load(ctx, d, f, f.startName(), c)
	if err != nil || f != wide {
		return err
	}
	if err := r.noteRest(ctx, startMemory, c); err != nil {
		return err
	}
	// keepalived needs minutes for it on an emulated machine.
	if d.reloaded != "" {
		if err := r.noteUnchanged(ctx, d, p, c); err != nil {
			return err
		}
	}
	if err := r.noteThird(ctx, d, p, f, c); err != nil {
		return err
	}
	return r.noteRest(ctx, reloadMemory, c)
}

// checksOver waits until the first checks of all servers are over: lvsd makes them at once, and
// keepalived over the interval.
func (r *rig) checksOver(ctx context.Context) error {
	const look, few = 5 * time.Second, 100
	for before := 0.0; ; {
		if err := pause(ctx, look); err != nil {
			return fmt.Errorf("waiting for the first checks to be over: %w", err)
		}
		now, err := r.checks()
		if err != nil || now-before < few {
			return err
		}
		before = now
	}
}

// noteRest notes what a director needs that has nothing to do, a while after a change.
func (r *rig) noteRest(ctx context.Context, memory string, c column) error {
	if err := r.checksOver(ctx); err != nil {
		return err
	}
	used, err := cpu(r.director)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := pause(ctx, auditRest); err != nil {
		return err
	}
	now, err := cpu(r.director)
	if err != nil {
		return err
	}
	c.add(auditShare, (now-used)/time.Since(began).Seconds())
	bytes, err := pss(r.director)
	c.add(memory, bytes)
	return err
}
