package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lvsd/lvsd/integration/cluster"
)

// The adverts of the pair, and what its backup, of priority 100, waits after
// the last one (RFC 9568 section 6.1).
const (
	advert     = time.Second
	masterDown = 3*advert + advert*(256-100)/256
)

// An event is what happens to the Master.
type event struct {
	name   string
	goal   time.Duration
	happen func(*cluster.Cluster, *cluster.Process) error
}

// gap and holders are the figures' names.
func (e event) gap() string     { return e.name + ": gap" }
func (e event) holders() string { return e.name + ": holders" }

var events = []event{
	{"link cut", masterDown + 50*time.Millisecond,
		func(c *cluster.Cluster, _ *cluster.Process) error { return c.Directors[0].Cut("eth0") }},
	{"proper stop", 10 * time.Millisecond,
		func(_ *cluster.Cluster, d *cluster.Process) error { return d.Stop(20 * time.Second) }},
	{"kill -9 of the daemon", 10 * time.Millisecond,
		func(_ *cluster.Cluster, d *cluster.Process) error { return d.Kill() }},
}

// measureFailover lets both daemons take turns with the events.
func measureFailover(ctx context.Context, o options) ([]Figure, error) {
	columns, err := takeTurns(ctx, o, "failover", o.runs, failoverOnce)
	var figures []Figure
	for _, e := range events {
		figures = append(figures,
			Figure{Name: e.gap(), Unit: unitTime, Goal: atMost(e.goal.Seconds())},
			Figure{Name: e.holders(), Unit: unitCount, Goal: always(1)})
	}
	return complete("failover", figures, columns), err
}

// failoverOnce lets each event happen to a pair of its own. The pairs of one
// daemon run at the same time: they wait most of it. What is dear to the kernel,
// to build and to remove them, is done before and after.
func failoverOnce(ctx context.Context, d daemon, into column) (err error) {
	clusters := make([]*cluster.Cluster, len(events))
	for i := range events {
		c, err := cluster.New()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.Close()) }()
		clusters[i] = c
	}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	for i, e := range events {
		g.Go(func() error {
			gap, holders, err := e.watch(ctx, d, clusters[i])
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			into.addTime(e.gap(), gap)
			into.add(e.holders(), float64(holders))
			return nil
		})
	}
	return g.Wait()
}

// watch starts a pair without services, waits until it is steady, and returns
// what the client sees of the event, and how many directors hold the address in
// the end.
func (e event) watch(ctx context.Context, d daemon, c *cluster.Cluster) (gap time.Duration, holders int, err error) {
	setup := cluster.NewSetup()
	setup.Advert, setup.Servers = advert, nil
	processes, _, err := d.startPair(c, setup)
	if err != nil {
		return gap, holders, err
	}
	if err := waitMaster(ctx, c); err != nil {
		return gap, holders, err
	}
	echo, err := cluster.StartEcho(c.Client, cluster.VIP)
	if err != nil {
		return gap, holders, err
	}
	defer echo.Stop()
	// The backup has heard an advert at least, and the moment is any of an interval.
	if err := pause(ctx, advert+rand.N(advert)); err != nil {
		return gap, holders, err
	}
	begin := time.Now()
	if err := e.happen(c, processes[0]); err != nil {
		return gap, holders, err
	}
	if err := pause(ctx, time.Until(begin.Add(masterDown+advert))); err != nil {
		return gap, holders, err
	}
	gap = echo.Gap(begin)
	held, err := c.Holders(cluster.VIP)
	return gap, len(held), err
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
