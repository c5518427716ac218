package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// reloadEvery is how often the director of the adverts part reads the large fleet again. It
// is scraped as often, and its peer has the virtual router alone.
const reloadEvery = time.Second

// lateAtMost is the goal of the latest advert: a peer gives its Master up for
// silence after three intervals and more, so this is far from it on any machine.
func (i interval) lateAtMost() time.Duration { return time.Duration(i) / 4 }

// measureAdverts lets both daemons take turns with the adverts.
func measureAdverts(ctx context.Context, o options) ([]Figure, error) {
	var figures []Figure
	for _, i := range busyAdverts {
		figures = append(figures,
			Figure{Name: i.name(lateMedian), Unit: unitTime},
			Figure{Name: i.name(late99), Unit: unitTime, Goal: ratioAtMost(1)},
			Figure{Name: i.name(late999), Unit: unitTime},
			Figure{Name: i.name(lateWorst), Unit: unitTime, Goal: atMost(i.lateAtMost().Seconds())},
			Figure{Name: i.name(missing), Unit: unitCount, Goal: always(0)},
			Figure{Name: i.name(falseAdvert), Unit: unitCount, Goal: always(0)},
			Figure{Name: i.name(stoodStill), Unit: unitShare})
	}
	columns, err := takeTurns(ctx, o, "adverts", o.share(1), func(ctx context.Context, d daemon, into column) error {
		for _, i := range busyAdverts {
			if err := listenBusy(ctx, d, i, into); err != nil {
				return fmt.Errorf("adverts each %v: %w", time.Duration(i), err)
			}
		}
		return nil
	})
	return complete("adverts", figures, columns), err
}

// listenBusy listens to a director that is busy.
func listenBusy(ctx context.Context, d daemon, i interval, into column) (err error) {
	r, err := newRig(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	f := large
	f.advert, f.scraped = time.Duration(i), true
	if err := errors.Join(d.configure(r.director, f), d.Configure(r.Directors[1], pairSetup(f.advert, false))); err != nil {
		return err
	}
	ctx, p, err := r.run(ctx, d)
	if err != nil {
		return err
	}
	if _, err := waitTable(ctx, r.director, f, time.Now()); err != nil {
		return err
	}
	if _, err := d.Start(r.Directors[1]); err != nil {
		return err
	}
	if err := waitMaster(ctx, r.Cluster); err != nil {
		return err
	}
	l, err := listen(r.Cluster)
	if err != nil {
		return err
	}
	if err := r.director.Burn(2 * runtime.NumCPU()); err != nil {
		return err
	}
	if err := reloadFor(ctx, d, p, f); err != nil {
		return err
	}
	return i.note(l, into)
}

// reloadFor reloads the fleet again and again, each time with other weights, and scrapes it
// where it can be.
func reloadFor(ctx context.Context, d daemon, p *cluster.Process, f fleet) error {
	for end := time.Now().Add(listenedFor); time.Now().Before(end); {
		f.changed = !f.changed
		if err := d.reread(p, f); err != nil {
			return err
		}
		next := time.Now().Add(reloadEvery)
		if _, ours := d.Software.(cluster.LVSD); ours {
			if err := cluster.Read(io.Discard, p.Host, metricsAt, "/metrics", 30*time.Second); err != nil {
				return fmt.Errorf("scraping: %w; its last words:\n%s", err, p.LastWords(10))
			}
		}
		if err := pause(ctx, time.Until(next)); err != nil {
			return err
		}
	}
	return nil
}
