package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// The goals of the handover part, in each run.
const (
	lostAtMost    = 2
	handoverGap   = 5 * time.Millisecond
	handoverEvery = time.Second // the interval of the adverts
)

// A handover is a way in which the role goes from one director to the other, while both
// could have it.
type handover struct {
	what       string
	virtualMAC bool
	alone      bool // only lvsd has it
	to         int  // the director that is Master then
	happen     func(context.Context, daemon, *cluster.Cluster, steadyPair) error
}

var handovers = []handover{
	{what: "proper stop", to: 1, happen: func(_ context.Context, _ daemon, _ *cluster.Cluster, p steadyPair) error {
		return p.processes[0].Stop(20 * time.Second)
	}},
	{what: "kill -9 of the daemon", to: 1, happen: func(_ context.Context, _ daemon, _ *cluster.Cluster, p steadyPair) error {
		return p.processes[0].Kill()
	}},
	{what: "preemption", to: 0, happen: func(_ context.Context, d daemon, c *cluster.Cluster, _ steadyPair) error {
		_, err := d.Start(c.Directors[0])
		return err
	}},
	{what: "lvsd failover", alone: true, to: 1, happen: ordered("failover")},
	{what: "lvsd standby", alone: true, to: 1, happen: ordered("standby", "--for", "1h")},
}

// ordered gives the first director an order.
func ordered(args ...string) func(context.Context, daemon, *cluster.Cluster, steadyPair) error {
	return func(ctx context.Context, d daemon, c *cluster.Cluster, _ steadyPair) error {
		lvsd, ok := d.Software.(cluster.LVSD)
		if !ok {
			return errors.New("it knows no such order")
		}
		_, err := c.Directors[0].Run(ctx, append([]string{lvsd.Binary}, args...)...)
		return err
	}
}

func (h handover) name() string {
	if h.virtualMAC {
		return h.what + ", virtual MAC"
	}
	return h.what
}
func (h handover) lost() string    { return h.name() + ": echoes lost" }
func (h handover) gap() string     { return h.name() + ": gap" }
func (h handover) holders() string { return h.name() + ": holders" }

// measureHandover lets both daemons take turns with the handovers.
func measureHandover(ctx context.Context, o options) ([]Figure, error) {
	var all []handover
	for _, virtualMAC := range []bool{false, true} {
		for _, h := range handovers {
			h.virtualMAC = virtualMAC
			all = append(all, h)
		}
	}
	var figures []Figure
	for _, h := range all {
		figures = append(figures,
			Figure{Name: h.lost(), Unit: unitCount, Goal: worstAtMost(lostAtMost)},
			Figure{Name: h.gap(), Unit: unitTime, Goal: worstAtMost(handoverGap.Seconds())},
			Figure{Name: h.holders(), Unit: unitCount, Goal: always(1)})
	}
	columns, err := takeTurns(ctx, o, "handover", o.runs, func(ctx context.Context, d daemon, into column) error {
		var attempts []attempt
		for _, h := range all {
			if _, ours := d.Software.(cluster.LVSD); ours || !h.alone {
				attempts = append(attempts, h.watch)
			}
		}
		return atOnce(ctx, d, attempts, into)
	})
	return complete("handover", figures, columns), err
}

// watch lets the role go over, and notes what the client sees of that.
func (h handover) watch(ctx context.Context, d daemon, c *cluster.Cluster, note note) (err error) {
	p, err := startSteady(ctx, d, c, handoverEvery, h.virtualMAC)
	if err != nil {
		return fmt.Errorf("%s: %w", h.name(), err)
	}
	defer func() { err = errors.Join(err, p.echo.Stop()) }()
	if h.to == 0 {
		if err := p.processes[0].Stop(20 * time.Second); err != nil {
			return err
		}
	}
	// The backup has heard an advert at least, and the last announcement is over.
	if err := pause(ctx, 6*time.Second); err != nil {
		return err
	}
	begin := time.Now()
	if err := h.happen(ctx, d, c, p); err != nil {
		return fmt.Errorf("%s: %w", h.name(), err)
	}
	within, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if err := c.WaitHolder(within, c.Directors[h.to], cluster.VIP); err != nil {
		return fmt.Errorf("%s: %w", h.name(), err)
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	held, err := c.Holders(cluster.VIP)
	note(h.lost(), float64(p.echo.Lost(begin)))
	note(h.gap(), p.echo.Gap(begin).Seconds())
	note(h.holders(), float64(len(held)))
	return err
}
