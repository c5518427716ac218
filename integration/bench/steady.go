package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// The steady part has a pair of directors without services on the kernel at hand, beside
// two busy processes for each processor, for a minute with each of these intervals.
var steadyAdverts = []time.Duration{100 * time.Millisecond, 30 * time.Millisecond}

const (
	steadyFor = time.Minute
	// steadyLate is the goal of the lateness of an advert, of which 999 of 1,000 are below.
	steadyLate = time.Millisecond
)

// A steadiness is that of one interval.
type steadiness struct{ advert time.Duration }

func (s steadiness) name(figure string) string {
	return fmt.Sprintf("adverts each %s: %s", quantity(s.advert.Seconds(), unitTime), figure)
}

// The figures of each interval, in their order.
const (
	steadyMost  = "lateness, 999 of 1,000 are below"
	steadyWorst = "lateness, the latest"
	steadyFalse = "adverts of the other director, which is to have none"
	steadyStill = "the machine stood still"
)

// measureSteady lets both daemons take turns.
func measureSteady(ctx context.Context, o options) ([]Figure, error) {
	var figures []Figure
	for _, advert := range steadyAdverts {
		s := steadiness{advert}
		figures = append(figures,
			Figure{Name: s.name(steadyMost), Unit: unitTime, Goal: worstAtMost(steadyLate.Seconds())},
			Figure{Name: s.name(steadyWorst), Unit: unitTime},
			Figure{Name: s.name(steadyFalse), Unit: unitCount, Goal: always(0)},
			Figure{Name: s.name(steadyStill), Unit: unitShare})
	}
	columns, err := takeTurns(ctx, o, "steady", o.share(2), func(ctx context.Context, d daemon, into column) error {
		for _, advert := range steadyAdverts {
			if err := (steadiness{advert}).once(ctx, d, into); err != nil {
				return err
			}
		}
		return nil
	})
	return complete("steady", figures, columns), err
}

// once listens to a pair for a minute: to the Master's adverts where its backup is, and to
// those that the backup should not send where the Master is.
func (s steadiness) once(ctx context.Context, d daemon, into column) (err error) {
	c, err := cluster.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, _, err := d.startPair(c, pairSetup(s.advert, false)); err != nil {
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
	var heard [2]cluster.Adverts // at each director
	for i, h := range c.Directors {
		if heard[i], err = cluster.ListenAdverts(h, "eth0"); err != nil {
			return err
		}
		defer heard[i].Close()
	}
	stalls := cluster.WatchStalls()
	defer stalls.Stop()
	if err := pause(ctx, steadyFor); err != nil {
		return err
	}
	masters, err := heard[1].Times()
	if err != nil {
		return err
	}
	others, err := heard[0].Times()
	if err != nil {
		return err
	}
	late := cluster.Lateness(masters, s.advert, stalls)
	if len(late) == 0 {
		return fmt.Errorf("%d adverts arrived", len(masters))
	}
	slices.Sort(late)
	into.addTime(s.name(steadyMost), late[len(late)*999/1000])
	into.addTime(s.name(steadyWorst), late[len(late)-1])
	into.add(s.name(steadyFalse), float64(len(others)))
	into.add(s.name(steadyStill), stalls.Between(masters[0], masters[len(masters)-1]).Seconds()/steadyFor.Seconds())
	return nil
}
