package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// steadyLate is the goal of the lateness of an advert, of which 999 of 1,000 are below.
const steadyLate = time.Millisecond

// measureSteady lets both daemons take turns with a pair of directors without services, on
// the kernel at hand.
func measureSteady(ctx context.Context, o options) ([]Figure, error) {
	var figures []Figure
	for _, i := range busyAdverts {
		figures = append(figures,
			Figure{Name: i.name(late999), Unit: unitTime, Goal: worstAtMost(steadyLate.Seconds())},
			Figure{Name: i.name(lateWorst), Unit: unitTime},
			Figure{Name: i.name(falseAdvert), Unit: unitCount, Goal: always(0)},
			Figure{Name: i.name(stoodStill), Unit: unitShare})
	}
	columns, err := takeTurns(ctx, o, "steady", o.share(2), func(ctx context.Context, d daemon, into column) error {
		for _, i := range busyAdverts {
			if err := listenSteady(ctx, d, i, into); err != nil {
				return fmt.Errorf("adverts each %v: %w", time.Duration(i), err)
			}
		}
		return nil
	})
	return complete("steady", figures, columns), err
}

// listenSteady listens to a pair.
func listenSteady(ctx context.Context, d daemon, i interval, into column) (err error) {
	c, err := cluster.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, _, err := d.startPair(c, pairSetup(time.Duration(i), false)); err != nil {
		return err
	}
	if err := waitMaster(ctx, c); err != nil {
		return err
	}
	if err := c.Directors[0].Burn(2 * runtime.NumCPU()); err != nil {
		return err
	}
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	l, err := listen(c)
	if err != nil {
		return err
	}
	if err := pause(ctx, listenedFor); err != nil {
		return err
	}
	return i.note(l, into)
}
