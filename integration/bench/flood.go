package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// The flood part lets a third host send packets to both directors.
const (
	floodAdvert = 100 * time.Millisecond
	floodRate   = 10_000 // a second
	floodFast   = 60_000
	floodLasts  = 8 * time.Second
)

// perPacket is the goal of what a packet costs.
const perPacket = 10 * time.Microsecond

// The figures of the flood part, in their order.
const (
	strangers = "strangers, 10,000 a second, each"
	forged    = "broken ones, 10,000 a second, each"
	share     = "strangers, 60,000 a second: share of one processor"
	sent      = "packets a second that were sent then"
	tookOver  = "the backup had the address, of the times it was asked"
)

// measureFlood lets both daemons take turns with the floods.
func measureFlood(ctx context.Context, o options) ([]Figure, error) {
	columns, err := takeTurns(ctx, o, "flood", o.share(3), floodOnce)
	figures := []Figure{
		{Name: strangers, Unit: unitTime, Goal: atMost(perPacket.Seconds())},
		{Name: forged, Unit: unitTime, Goal: atMost(perPacket.Seconds())},
		{Name: share, Unit: unitShare},
		{Name: sent, Unit: unitCount},
		{Name: tookOver, Unit: unitCount, Goal: always(0)},
	}
	return complete("flood", figures, columns), err
}

// floodOnce floods a pair without services in three ways.
func floodOnce(ctx context.Context, d daemon, into column) (err error) {
	c, err := cluster.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	setup := cluster.NewSetup()
	setup.Advert, setup.Servers = floodAdvert, nil
	if _, _, err := d.startPair(c, setup); err != nil {
		return err
	}
	if err := waitMaster(ctx, c); err != nil {
		return err
	}
	if err := pause(ctx, 5*time.Second); err != nil { // The last announcement is over.
		return err
	}
	rest, err := flood(ctx, c, 0, nil)
	if err != nil {
		return err
	}
	held := 0
	for _, f := range []struct {
		name   string
		packet []byte
	}{{strangers, cluster.StrangersAdvert()}, {forged, cluster.BrokenAdvert()}} {
		r, err := flood(ctx, c, floodRate, f.packet)
		if err != nil {
			return err
		}
		into.addTime(f.name, max(0, r.used-rest.used)/time.Duration(max(1, r.packets)))
		held += r.held
	}
	for _, h := range c.Directors {
		if err := h.Pin(0); err != nil {
			return err
		}
	}
	r, err := flood(ctx, c, floodFast, cluster.StrangersAdvert())
	if err != nil {
		return err
	}
	into.add(share, max(0, r.used-rest.used).Seconds()/floodLasts.Seconds())
	into.add(sent, float64(r.packets)/floodLasts.Seconds())
	into.add(tookOver, float64(held+r.held))
	return nil
}

// A flooding is what came of a flood at the backup.
type flooding struct {
	used    time.Duration // processor time of its processes
	packets int
	held    int // how often it had the address when it was asked
}

// flood sends packets from the client to the directors.
func flood(ctx context.Context, c *cluster.Cluster, perSecond int, packet []byte) (r flooding, err error) {
	backup := c.Directors[1]
	before, err := cpu(backup)
	if err != nil {
		return r, err
	}
	f, err := cluster.StartFlood(c.Client, "eth0", perSecond, packet)
	if err != nil {
		return r, err
	}
	for end := time.Now().Add(floodLasts); err == nil && time.Now().Before(end); {
		var held bool
		if held, err = backup.Holds(cluster.VIP); held {
			r.held++
		}
		err = errors.Join(err, pause(ctx, 10*time.Millisecond))
	}
	err = errors.Join(err, f.Stop())
	after, failed := cpu(backup)
	if err = errors.Join(err, failed); err != nil {
		return r, fmt.Errorf("flooding: %w", err)
	}
	r.used, r.packets = time.Duration((after-before)*float64(time.Second)), f.Sent
	return r, nil
}
