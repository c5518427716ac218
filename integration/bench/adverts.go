package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// The adverts part has a director that reloads the large fleet every few
// seconds, beside two busy processes for each processor.
const (
	busyAdvert  = 100 * time.Millisecond
	listenedFor = 30 * time.Second
	reloadEvery = 3 * time.Second
)

// lateAtMost is the goal of the latest advert: a peer gives its Master up for
// silence after three intervals and more, so this is far from it on any machine.
const lateAtMost = busyAdvert / 4

// The figures of the adverts part, in their order.
const (
	lateMedian = "lateness of an advert, median"
	lateMost   = "lateness, 99 of 100 are below"
	lateWorst  = "lateness, the latest"
	missing    = "adverts that did not come"
	stoodStill = "the machine stood still"
)

// measureAdverts lets both daemons take turns with the adverts.
func measureAdverts(ctx context.Context, o options) ([]Figure, error) {
	columns, err := takeTurns(ctx, o, "adverts", o.share(2), advertsOnce)
	figures := []Figure{
		{Name: lateMedian, Unit: unitTime},
		{Name: lateMost, Unit: unitTime, Goal: ratioAtMost(1)},
		{Name: lateWorst, Unit: unitTime, Goal: atMost(lateAtMost.Seconds())},
		{Name: missing, Unit: unitCount, Goal: always(0)},
		{Name: stoodStill, Unit: unitShare},
	}
	return complete("adverts", figures, columns), err
}

// advertsOnce notes when the adverts of a busy director arrive at the other
// one, by the time stamps of the kernel.
func advertsOnce(ctx context.Context, d daemon, c column) (err error) {
	r, err := newRig(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	busy := large
	busy.advert = busyAdvert
	if err := d.configure(r.director, busy); err != nil {
		return err
	}
	ctx, p, err := r.run(ctx, d)
	if err != nil {
		return err
	}
	if _, err := waitTable(ctx, r.director, busy, time.Now()); err != nil {
		return err
	}
	if err := waitMaster(ctx, r.Cluster); err != nil {
		return err
	}
	adverts, err := cluster.ListenAdverts(r.Directors[1], "eth0")
	if err != nil {
		return err
	}
	defer adverts.Close()
	stalls := cluster.WatchStalls()
	defer stalls.Stop()
	if err := r.director.Burn(2 * runtime.NumCPU()); err != nil {
		return err
	}
	if err := reloadFor(ctx, d, p, busy); err != nil {
		return err
	}
	times, err := adverts.Times()
	if err != nil {
		return err
	}
	return noteLateness(times, stalls, c)
}

// reloadFor reloads the fleet again and again, each time with other weights.
func reloadFor(ctx context.Context, d daemon, p *cluster.Process, f fleet) error {
	for end := time.Now().Add(listenedFor); time.Now().Before(end); {
		f.changed = !f.changed
		if err := d.configure(p.Host, f); err != nil {
			return err
		}
		if err := p.Signal(syscall.SIGHUP); err != nil {
			return err
		}
		if err := pause(ctx, reloadEvery); err != nil {
			return err
		}
	}
	return nil
}

func noteLateness(times []time.Time, stalls *cluster.Stalls, c column) error {
	late := cluster.Lateness(times, busyAdvert, stalls)
	if len(late) == 0 {
		return fmt.Errorf("%d adverts arrived", len(times))
	}
	slices.Sort(late)
	c.addTime(lateMedian, late[len(late)/2])
	c.addTime(lateMost, late[len(late)*99/100])
	c.addTime(lateWorst, late[len(late)-1])
	lost := time.Duration(0)
	for _, l := range late {
		lost += l.Round(busyAdvert) / busyAdvert
	}
	c.add(missing, float64(lost))
	first, last := times[0], times[len(times)-1]
	c.add(stoodStill, stalls.Between(first, last).Seconds()/last.Sub(first).Seconds())
	return nil
}
