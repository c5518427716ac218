package main

import (
	"context"
	"errors"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// firstPage is the figure of the start part.
const firstPage = "both directors started to the client's first page"

// pageTimeout is how long the client waits for a page before it asks anew.
const pageTimeout = 200 * time.Millisecond

// measureStart lets both daemons take turns with a start of the pair.
func measureStart(ctx context.Context, o options) ([]Figure, error) {
	columns, err := takeTurns(ctx, o, "start", o.runs, startOnce)
	return complete("start", []Figure{{Name: firstPage, Unit: unitTime, Goal: ratioAtMost(1)}}, columns), err
}

// startOnce builds a cluster whose servers answer, starts the daemon on both
// directors, and notes when the client has its first page.
func startOnce(ctx context.Context, d daemon, into column) (err error) {
	c, err := cluster.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := c.StartWebs(); err != nil {
		return err
	}
	setup := cluster.NewSetup()
	processes, begin, err := d.startPair(c, setup)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	err = cluster.Until(ctx, "the first page", func() (bool, error) {
		for _, p := range processes {
			if err := p.Ended(); err != nil {
				return false, err
			}
		}
		return cluster.Get(c.Client, setup.Service(), pageTimeout).Err == nil, nil
	})
	into.addTime(firstPage, time.Since(begin))
	return err
}
