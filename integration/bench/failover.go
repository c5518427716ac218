package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
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

var events = []event{
	{"link cut", masterDown + 50*time.Millisecond,
		func(c *cluster.Cluster, _ *cluster.Process) error { return c.Directors[0].Cut("eth0") }},
	{"proper stop", 10 * time.Millisecond,
		func(_ *cluster.Cluster, d *cluster.Process) error { return d.Stop(20 * time.Second) }},
	{"kill -9 of the daemon", 10 * time.Millisecond,
		func(_ *cluster.Cluster, d *cluster.Process) error { return d.Kill() }},
}

// measureFailover lets each event happen to a fresh pair of each daemon. Both
// daemons' pairs run at the same time: they wait most of it.
func measureFailover(ctx context.Context, o options) ([]Figure, error) {
	say("failover: %d runs of %d events", o.runs, len(events))
	ours, theirs := column{}, column{}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return failovers(ctx, o, routersOnly{cluster.LVSD{Binary: o.lvsd}}, ours) })
	g.Go(func() error { return failovers(ctx, o, vrrpOnly{}, theirs) })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var figures []Figure
	for _, e := range events {
		gap, holders := e.name+": gap", e.name+": holders"
		figures = append(figures,
			Figure{Part: "failover", Name: gap, Unit: unitTime, LVSD: ours[gap], Peer: theirs[gap], Goal: atMost(e.goal.Seconds())},
			Figure{Part: "failover", Name: holders, Unit: unitCount, LVSD: ours[holders], Peer: theirs[holders]})
	}
	return figures, nil
}

func failovers(ctx context.Context, o options, s cluster.Software, c column) error {
	for range o.runs {
		for _, e := range events {
			if err := failOnce(ctx, s, e, c); err != nil {
				return fmt.Errorf("%s with %T: %w", e.name, s, err)
			}
		}
	}
	return nil
}

// failOnce builds a pair, waits until it is steady, and notes what the client
// sees of an event.
func failOnce(ctx context.Context, s cluster.Software, e event, into column) (err error) {
	c, err := cluster.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	master, err := startPair(ctx, c, s)
	if err != nil {
		return err
	}
	echo, err := cluster.StartEcho(c.Client, cluster.VIP)
	if err != nil {
		return err
	}
	defer echo.Stop()
	// The backup has heard an advert at least, and the moment is any of an interval.
	if err := pause(ctx, advert+rand.N(advert)); err != nil {
		return err
	}
	begin := time.Now()
	if err := e.happen(c, master); err != nil {
		return err
	}
	if err := pause(ctx, time.Until(begin.Add(masterDown+advert))); err != nil {
		return err
	}
	into.addTime(e.name+": gap", echo.Gap(begin))
	holders, err := c.Holders(cluster.VIP)
	into.add(e.name+": holders", float64(len(holders)))
	return err
}

// startPair starts the daemon on both directors and waits until the first one
// is Master. It returns that one's process.
func startPair(ctx context.Context, c *cluster.Cluster, s cluster.Software) (*cluster.Process, error) {
	setup := cluster.NewSetup()
	setup.Advert = advert
	var processes []*cluster.Process
	for _, h := range c.Directors {
		if err := s.Configure(h, setup); err != nil {
			return nil, err
		}
		p, err := s.Start(h)
		if err != nil {
			return nil, err
		}
		processes = append(processes, p)
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	return processes[0], c.WaitHolder(ctx, c.Directors[0], cluster.VIP)
}

// routersOnly is lvsd without virtual services, which need no IPVS.
type routersOnly struct{ cluster.LVSD }

func (r routersOnly) Configure(h *cluster.Host, s cluster.Setup) error {
	dir := r.ConfigPath(h)
	return errors.Join(
		os.MkdirAll(dir, 0o755),
		os.WriteFile(filepath.Join(dir, "router.hcl"), []byte(s.RouterHCL()), 0o644),
	)
}

// vrrpOnly is keepalived without its checkers, which need IPVS.
type vrrpOnly struct{ cluster.Keepalived }

func (vrrpOnly) Start(h *cluster.Host) (*cluster.Process, error) {
	return h.Start("keepalived", "keepalived", "--vrrp", "--dont-fork", "--log-console", "-f", filepath.Join(h.Dir, "keepalived.conf"))
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
