package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// firstPage is the figure of the start part.
const firstPage = "both directors started to the client's first page"

// pageTimeout is how long the client waits for a page before it asks anew.
const pageTimeout = 200 * time.Millisecond

// measureStart lets both daemons take turns with a start of the pair.
func measureStart(ctx context.Context, o options) ([]Figure, error) {
	columns := [2]column{{}, {}}
	software := [2]cluster.Software{cluster.LVSD{Binary: o.lvsd}, cluster.Keepalived{}}
	for n := range o.runs {
		for i, d := range daemons(o) {
			say("start: run %d of %d, %s", n+1, o.runs, d.name)
			if err := startOnce(ctx, d, software[i], columns[i]); err != nil {
				return nil, fmt.Errorf("%s: %w", d.name, err)
			}
		}
	}
	return inLab(o, "start", []Figure{{Name: firstPage, Unit: unitTime, Goal: ratioAtMost(1)}}, columns), nil
}

// startOnce builds a cluster whose servers answer, starts the daemon on both
// directors, and notes when the client has its first page.
func startOnce(ctx context.Context, d daemon, s cluster.Software, into column) (err error) {
	c, err := cluster.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := c.StartWebs(); err != nil {
		return err
	}
	setup := cluster.NewSetup()
	for _, h := range c.Directors {
		if err := s.Configure(h, setup); err != nil {
			return err
		}
	}
	begin := time.Now()
	var processes []*cluster.Process
	for _, h := range c.Directors {
		p, err := d.start(h)
		if err != nil {
			return err
		}
		processes = append(processes, p)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	err = cluster.Until(ctx, "the first page", func() (bool, error) {
		for _, p := range processes {
			select {
			case <-p.Done():
				return false, fmt.Errorf("it ended by itself: %w", p.Wait(0))
			default:
			}
		}
		return cluster.Get(c.Client, setup.Service(), pageTimeout).Err == nil, nil
	})
	into.addTime(firstPage, time.Since(begin))
	return err
}
