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

// The adverts part has a director that reads the large fleet again each second and is
// scraped, beside two busy processes for each processor, for a minute with each of these
// intervals. Its peer has the virtual router alone.
var busyAdverts = []time.Duration{100 * time.Millisecond, 30 * time.Millisecond}

const (
	listenedFor = time.Minute
	reloadEvery = time.Second
)

// A busyness is that of one interval.
type busyness struct{ advert time.Duration }

func (b busyness) name(figure string) string {
	return fmt.Sprintf("adverts each %s: %s", quantity(b.advert.Seconds(), unitTime), figure)
}

// lateAtMost is the goal of the latest advert: a peer gives its Master up for
// silence after three intervals and more, so this is far from it on any machine.
func (b busyness) lateAtMost() time.Duration { return b.advert / 4 }

// The figures of the adverts part, in their order.
const (
	lateMedian  = "lateness, median"
	lateMost    = "lateness, 99 of 100 are below"
	lateWorst   = "lateness, the latest"
	missing     = "that did not come"
	falseAdvert = "of the other director, which is to have none"
	stoodStill  = "the machine stood still"
)

// measureAdverts lets both daemons take turns with the adverts.
func measureAdverts(ctx context.Context, o options) ([]Figure, error) {
	var figures []Figure
	for _, advert := range busyAdverts {
		b := busyness{advert}
		figures = append(figures,
			Figure{Name: b.name(lateMedian), Unit: unitTime},
			Figure{Name: b.name(lateMost), Unit: unitTime, Goal: ratioAtMost(1)},
			Figure{Name: b.name(lateWorst), Unit: unitTime, Goal: atMost(b.lateAtMost().Seconds())},
			Figure{Name: b.name(missing), Unit: unitCount, Goal: always(0)},
			Figure{Name: b.name(falseAdvert), Unit: unitCount, Goal: always(0)},
			Figure{Name: b.name(stoodStill), Unit: unitShare})
	}
	columns, err := takeTurns(ctx, o, "adverts", o.share(1), func(ctx context.Context, d daemon, into column) error {
		for _, advert := range busyAdverts {
			if err := (busyness{advert}).once(ctx, d, into); err != nil {
				return fmt.Errorf("adverts each %v: %w", advert, err)
			}
		}
		return nil
	})
	return complete("adverts", figures, columns), err
}

// once notes when the adverts of a busy director arrive at the other one, by the time
// stamps of the kernel, and whether that one sends any.
func (b busyness) once(ctx context.Context, d daemon, c column) (err error) {
	r, err := newRig(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	busy := large
	busy.advert, busy.scraped = b.advert, true
	if err := errors.Join(d.configure(r.director, busy), d.Configure(r.Directors[1], pairSetup(b.advert, false))); err != nil {
		return err
	}
	ctx, p, err := r.run(ctx, d)
	if err != nil {
		return err
	}
	if _, err := waitTable(ctx, r.director, busy, time.Now()); err != nil {
		return err
	}
	if _, err := d.Start(r.Directors[1]); err != nil {
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
	others, err := cluster.ListenAdverts(r.director, "eth0")
	if err != nil {
		return err
	}
	defer others.Close()
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
	sent, err := others.Times()
	c.add(b.name(falseAdvert), float64(len(sent)))
	return errors.Join(err, b.noteLateness(times, stalls, c))
}

// reloadFor reloads the fleet again and again, each time with other weights, and scrapes it
// where it can be.
func reloadFor(ctx context.Context, d daemon, p *cluster.Process, f fleet) error {
	for end := time.Now().Add(listenedFor); time.Now().Before(end); {
		f.changed = !f.changed
		if err := d.configure(p.Host, f); err != nil {
			return err
		}
		if err := p.Signal(syscall.SIGHUP); err != nil {
			return err
		}
		next := time.Now().Add(reloadEvery)
		if _, ours := d.Software.(cluster.LVSD); ours {
			if err := cluster.Read(p.Host, metricsAt, "/metrics", 10*time.Second); err != nil {
				return err
			}
		}
		if err := pause(ctx, time.Until(next)); err != nil {
			return err
		}
	}
	return nil
}

func (b busyness) noteLateness(times []time.Time, stalls *cluster.Stalls, c column) error {
	late := cluster.Lateness(times, b.advert, stalls)
	if len(late) == 0 {
		return fmt.Errorf("%d adverts arrived", len(times))
	}
	slices.Sort(late)
	c.addTime(b.name(lateMedian), late[len(late)/2])
	c.addTime(b.name(lateMost), late[len(late)*99/100])
	c.addTime(b.name(lateWorst), late[len(late)-1])
	lost := time.Duration(0)
	for _, l := range late {
		lost += l.Round(b.advert) / b.advert
	}
	c.add(b.name(missing), float64(lost))
	first, last := times[0], times[len(times)-1]
	c.add(b.name(stoodStill), stalls.Between(first, last).Seconds()/last.Sub(first).Seconds())
	return nil
}
