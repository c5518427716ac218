package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// The flood parts let a third host send packets to both directors, which share one
// processor.
const floodAdvert = 100 * time.Millisecond

// perPacket is the goal of what a packet costs that is refused.
const perPacket = 10 * time.Microsecond

// A floodPart is a pair without services under several floods, one after the other.
type floodPart struct {
	name   string
	crowd  int // further virtual routers
	floods []flood
}

// A flood is what the third host sends.
type flood struct {
	name      string
	perSecond int
	packets   []cluster.Forgery
	// refused packets have a goal; others take the address, as VRRP has it.
	refused bool
}

var (
	floodRefused = floodPart{"flood", 0, []flood{
		{"strangers, 10,000 a second", 10_000, []cluster.Forgery{cluster.Stranger}, true},
		{"strangers, 60,000 a second", 60_000, []cluster.Forgery{cluster.Stranger}, true},
		{"broken ones, 11,000 a second", 11_000, []cluster.Forgery{cluster.Broken}, true},
	}}
	floodCrowded = floodPart{"crowd", 99, []flood{
		{"strangers of 255 addresses, 5,000 a second", 5_000, []cluster.Forgery{cluster.Crowded}, true},
	}}
	floodForged = floodPart{"forged", 0, []flood{
		{"priority 255 and 0 in turn, 500 a second", 500, []cluster.Forgery{cluster.Claimed, cluster.Left}, false},
		{"priority 255, interval 10 ms, 20 a second", 20, []cluster.Forgery{cluster.Hurried}, false},
	}}
)

// The figures of each flood, in their order.
const (
	floodShare = ": share of a processor"
	floodEach  = ": each"
	floodSent  = ": sent a second"
	floodLines = ": lines of the log a minute"
	floodHeld  = ": the backup had the address"
)

// measure lets both daemons take turns with the floods.
func (p floodPart) measure(ctx context.Context, o options) ([]Figure, error) {
	columns, err := takeTurns(ctx, o, p.name, o.share(3), func(ctx context.Context, d daemon, into column) error {
		return p.once(ctx, d, o.flood, into)
	})
	var figures []Figure
	for _, f := range p.floods {
		figures = append(figures, Figure{Name: f.name + floodShare, Unit: unitShare})
		if f.refused {
			figures = append(figures,
				Figure{Name: f.name + floodEach, Unit: unitTime, Goal: atMost(perPacket.Seconds())},
				Figure{Name: f.name + floodSent, Unit: unitCount})
		}
		figures = append(figures, Figure{Name: f.name + floodLines, Unit: unitCount},
			Figure{Name: f.name + floodHeld, Unit: unitCount, Goal: always(0)})
	}
	return complete(p.name, figures, columns), err
}

// once floods a pair, each time for so long.
func (p floodPart) once(ctx context.Context, d daemon, lasts time.Duration, into column) (err error) {
	c, err := cluster.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	setup := cluster.NewSetup()
	setup.Advert, setup.Servers, setup.Crowd = floodAdvert, nil, p.crowd
	for _, h := range c.Directors {
		if err := h.Pin(0); err != nil {
			return err
		}
	}
	processes, _, err := d.startPair(c, setup)
	if err != nil {
		return err
	}
	if err := waitMaster(ctx, c); err != nil {
		return err
	}
	if err := pause(ctx, 6*time.Second); err != nil { // The last announcement is over.
		return err
	}
	backup := processes[1]
	rest, err := flood{}.send(ctx, c, backup, min(lasts, 10*time.Second))
	if err != nil {
		return err
	}
	for _, f := range p.floods {
		if err := waitMaster(ctx, c); err != nil {
			return err
		}
		r, err := f.send(ctx, c, backup, lasts)
		if err != nil {
			return err
		}
		r.add(f.name, rest.share(), into)
	}
	return nil
}

// A flooding is what came of a flood at the backup.
type flooding struct {
	used    float64 // processor time of its processes, in seconds
	lasted  time.Duration
	packets int
	lines   int // that it logged
	held    int // how often it had the address, which was asked for all the time
}

func (r flooding) share() float64 { return r.used / r.lasted.Seconds() }

// add notes the figures of a flood; at rest the backup uses a share anyway.
func (r flooding) add(name string, rest float64, into column) {
	share := max(0, r.share()-rest)
	into.add(name+floodShare, share)
	into.add(name+floodEach, share*r.lasted.Seconds()/float64(max(1, r.packets)))
	into.add(name+floodSent, float64(r.packets)/r.lasted.Seconds())
	into.add(name+floodLines, float64(r.lines)/r.lasted.Minutes())
	into.add(name+floodHeld, float64(r.held))
}

// send sends the packets from the client to the directors; a flood without any is
// rest.
func (f flood) send(ctx context.Context, c *cluster.Cluster, backup *cluster.Process, lasts time.Duration) (r flooding, err error) {
	before, err := cpu(backup.Host)
	if err != nil {
		return r, err
	}
	said := strings.Count(backup.Log(), "\n")
	begin := time.Now()
	s, err := cluster.StartFlood(c.Client, "eth0", f.perSecond, f.packets...)
	if err != nil {
		return r, err
	}
	for err == nil && time.Since(begin) < lasts {
		var held bool
		if held, err = backup.Host.Holds(cluster.VIP); held {
			r.held++
		}
		err = errors.Join(err, pause(ctx, 10*time.Millisecond))
	}
	after, failed := cpu(backup.Host)
	r.used, r.lasted, r.lines = after-before, time.Since(begin), strings.Count(backup.Log(), "\n")-said
	err = errors.Join(err, failed, s.Stop())
	r.packets = s.Sent
	if err != nil {
		return r, fmt.Errorf("flooding with %s: %w", f.name, err)
	}
	return r, nil
}
