package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// The failover part cuts the Master's link, with adverts this far apart.
var cutAdverts = []time.Duration{time.Second, 100 * time.Millisecond, 30 * time.Millisecond, 10 * time.Millisecond}

// The goals of the failover part: by how much more than Master_Down the address may be
// silent, at worst, and by how much more than keepalived's.
const (
	beyondAtMost = 5 * time.Millisecond
	besidePeer   = 2 * time.Millisecond
)

// masterDown is what the pair's backup, of priority 100, waits after the last advert (RFC
// 9568 section 6.1).
func masterDown(advert time.Duration) time.Duration { return 3*advert + advert*(256-100)/256 }

// A cut is that of the Master's link.
type cut struct{ advert time.Duration }

func (c cut) name() string {
	return fmt.Sprintf("link cut, adverts each %s", quantity(c.advert.Seconds(), unitTime))
}
func (c cut) early() string   { return c.name() + ": false failovers before it" }
func (c cut) beyond() string  { return c.name() + ": silence beyond Master_Down" }
func (c cut) gap() string     { return c.name() + ": the client's gap" }
func (c cut) holders() string { return c.name() + ": holders" }

// measureFailover lets both daemons take turns with the cuts.
func measureFailover(ctx context.Context, o options) ([]Figure, error) {
	var cuts []attempt
	var figures []Figure
	for _, advert := range cutAdverts {
		c := cut{advert}
		cuts = append(cuts, c.watch)
		figures = append(figures,
			Figure{Name: c.early(), Unit: unitCount, Goal: always(0)},
			Figure{Name: c.beyond(), Unit: unitTime, Goal: worstAtMost(beyondAtMost.Seconds()).beside(besidePeer.Seconds())},
			Figure{Name: c.gap(), Unit: unitTime},
			Figure{Name: c.holders(), Unit: unitCount, Goal: always(1)})
	}
	columns, err := takeTurns(ctx, o, "failover", o.runs, func(ctx context.Context, d daemon, into column) error {
		return atOnce(ctx, d, cuts, into)
	})
	return complete("failover", figures, columns), err
}

// watch cuts the Master's link, and notes for how long the address was silent: for the
// client, and since the last advert that the backup received. If the backup sent an advert
// before, that was a false failover: it is noted, and there is no silence to be measured.
func (c cut) watch(ctx context.Context, d daemon, on *cluster.Cluster, note note) (err error) {
	p, err := startSteady(ctx, d, on, c.advert, false)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name(), err)
	}
	defer func() { err = errors.Join(err, p.echo.Stop()) }()
	adverts, err := cluster.ListenAdverts(on.Directors[1], "eth0")
	if err != nil {
		return err
	}
	defer adverts.Close()
	others, err := cluster.ListenAdverts(on.Directors[0], "eth0")
	if err != nil {
		return err
	}
	defer others.Close()
	// The backup has heard an advert at least, and the moment is any of an interval. The pairs
	// that run beside this one are cut at other moments, mostly.
	if err := pause(ctx, 2*c.advert+rand.N(max(c.advert, time.Second))); err != nil {
		return err
	}
	begin := time.Now()
	if err := on.Directors[0].Cut("eth0"); err != nil {
		return err
	}
	early, err := others.Times() // None arrives any more.
	if err != nil {
		return err
	}
	if note(c.early(), float64(min(1, len(early)))); len(early) > 0 {
		return nil
	}
	if err := pause(ctx, masterDown(c.advert)+time.Second); err != nil {
		return err
	}
	heard, err := adverts.Times()
	if err != nil {
		return err
	}
	if len(heard) == 0 {
		return fmt.Errorf("%s: the backup received no advert", c.name())
	}
	// The former Master, whose next advert did not arrive, has not answered for long, and
	// the next one has not begun.
	last := heard[len(heard)-1]
	answer, ok := p.echo.FirstAnswer(last.Add(2 * c.advert))
	if !ok {
		return fmt.Errorf("%s: the address did not answer any more; the backup says:\n%s", c.name(), p.processes[1].LastWords(10))
	}
	held, err := on.Holders(cluster.VIP)
	note(c.beyond(), (answer.Sub(last) - masterDown(c.advert)).Seconds())
	note(c.gap(), p.echo.Gap(begin).Seconds())
	note(c.holders(), float64(len(held)))
	return err
}

// waitMaster waits until the first director alone holds the address.
func waitMaster(ctx context.Context, c *cluster.Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	return c.WaitHolder(ctx, c.Directors[0], cluster.VIP)
}

// pause waits, or says why not.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
