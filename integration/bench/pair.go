package main

import (
	"context"
	"errors"
	"fmt"
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

// atRestFor is how long a pair is left alone that was started.
const atRestFor = 2 * time.Second

// startSteady starts a pair, and waits until it is steady: both have started, and the client
// knows the Master's MAC address. Without that its kernel would keep what it sends until it
// does, and a gap would be none.
func startSteady(ctx context.Context, d daemon, c *cluster.Cluster, advert time.Duration, virtualMAC bool) (p steadyPair, err error) {
	if p.processes, _, err = d.startPair(c, pairSetup(advert, virtualMAC)); err != nil {
		return p, err
	}
	if err := waitMaster(ctx, c); err != nil {
		return p, err
	}
	began := time.Now()
	if p.echo, err = cluster.StartEcho(c.Client, cluster.VIP); err != nil {
		return p, err
	}
	if err := pause(ctx, atRestFor); err != nil {
		return p, errors.Join(err, p.echo.Stop())
	}
	if !p.echo.Answered(began) {
		return p, errors.Join(fmt.Errorf("the Master does not answer the client; it says:\n%s", p.processes[0].LastWords(10)), p.echo.Stop())
	}
	return p, nil
}

func pairSetup(advert time.Duration, virtualMAC bool) cluster.Setup {
	s := cluster.NewSetup()
	s.Advert, s.VirtualMAC, s.Servers = advert, virtualMAC, nil
	return s
}
