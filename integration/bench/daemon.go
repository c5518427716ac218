package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// A daemon is what the parts measure.
type daemon struct {
	cluster.Software
	name string
	// services are those of a fleet, in the daemon's words.
	services func(fleet) string
	// routers are many virtual routers, in the daemon's words, with this priority.
	routers func(many, int) string
	// reloaded is what its log says when a reload that changes nothing is
	// over. Where it says nothing, the reload is over when it comes to rest.
	reloaded string
	// reloads is how many reloads of a kind are measured together.
	reloads int
}

// daemons are lvsd and keepalived, in the order of a figure's columns.
func daemons(o options) [2]daemon {
	return [2]daemon{
		{cluster.LVSD{Binary: o.lvsd}, "lvsd", fleet.hcl, many.hcl, "configuration is unchanged", 10},
		{cluster.Keepalived{}, "keepalived", fleet.keepalived, many.keepalived, "", 1},
	}
}

// configure writes a fleet behind the cluster's ordinary virtual router.
func (d daemon) configure(h *cluster.Host, f fleet) error {
	router := cluster.NewSetup()
	router.Servers, router.More = nil, d.services(f)
	if f.advert > 0 {
		router.Advert = f.advert
	}
	return d.Configure(h, router)
}

// reread writes a fleet as configure does, and has the daemon read it.
func (d daemon) reread(p *cluster.Process, f fleet) error {
	if err := d.configure(p.Host, f); err != nil {
		return err
	}
	return p.Signal(syscall.SIGHUP)
}

// startPair starts the daemon on both directors, which it has configured, and
// returns when the first of them began.
func (d daemon) startPair(c *cluster.Cluster, s cluster.Setup) (
	processes []*cluster.Process, begin time.Time, err error) {
	for _, h := range c.Directors {
		if err := d.Configure(h, s); err != nil {
			return nil, begin, err
		}
	}
	begin = time.Now()
	for _, h := range c.Directors {
		p, err := d.Start(h)
		if err != nil {
			return processes, begin, err
		}
		processes = append(processes, p)
	}
	return processes, begin, nil
}

// reload lets the daemon read what has not changed, and returns when that was
// over.
func (d daemon) reload(ctx context.Context, p *cluster.Process) (end time.Time, err error) {
	said := len(p.Log())
	if err := p.Signal(syscall.SIGHUP); err != nil {
		return end, err
	}
	if d.reloaded == "" {
		return settle(ctx, p.Host, time.Second)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err = cluster.Until(ctx, fmt.Sprintf("%q in the log", d.reloaded), func() (bool, error) {
		return strings.Contains(p.Log()[said:], d.reloaded), nil
	})
	return time.Now(), err
}
