package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lvsd/lvsd/integration/cluster"
)

// An attempt is what happens once to a pair of directors, and notes figures of that.
type attempt func(context.Context, daemon, *cluster.Cluster, note) error

// A note notes a figure by its name.
type note func(name string, v float64)

// atOnce makes attempts, each with a pair of its own, which mostly wait, at the same time.
// What is dear to the kernel, to build and to remove the pairs, is done before and after.
func atOnce(ctx context.Context, d daemon, attempts []attempt, into column) (err error) {
	clusters := make([]*cluster.Cluster, len(attempts))
	for i := range attempts {
		c, err := cluster.New()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.Close()) }()
		clusters[i] = c
	}
	var mu sync.Mutex
	note := func(name string, v float64) {
		mu.Lock()
		defer mu.Unlock()
		into.add(name, v)
	}
	g, ctx := errgroup.WithContext(ctx)
	for i, try := range attempts {
		g.Go(func() error { return try(ctx, d, clusters[i], note) })
	}
	return g.Wait()
}

// A steadyPair is a pair without services whose first director is Master, and a client that
// asks for its address all the time.
type steadyPair struct {
	processes []*cluster.Process
	echo      *cluster.Echo
}

// startSteady starts a pair, and waits until it is steady.
func startSteady(ctx context.Context, d daemon, c *cluster.Cluster, advert time.Duration, virtualMAC bool) (p steadyPair, err error) {
	if p.processes, _, err = d.startPair(c, pairSetup(advert, virtualMAC)); err != nil {
		return p, err
	}
	if err := waitMaster(ctx, c); err != nil {
		return p, err
	}
	p.echo, err = cluster.StartEcho(c.Client, cluster.VIP)
	return p, err
}

func pairSetup(advert time.Duration, virtualMAC bool) cluster.Setup {
	s := cluster.NewSetup()
	s.Advert, s.VirtualMAC, s.Servers = advert, virtualMAC, nil
	return s
}
