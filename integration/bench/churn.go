package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// churned is the fleet of the churn part. In turns it has ten services fewer.
var churned = fleet{services: 100, interval: time.Second, scraped: true}

const (
	// churnReload is how often the configuration changes, and churnFlap how often all
	// servers fail or return.
	churnReload = 500 * time.Millisecond
	churnFlap   = 4 * time.Second
	// churnSettle is how long everything is left alone before it is looked at.
	churnSettle = 10 * time.Second
)

// The figures of the churn part, each once after a tenth of the time and once at its end.
const (
	churnMemory      = "memory"
	churnDescriptors = "descriptors"
	churnThreads     = "threads"
	churnGoroutines  = "goroutines of the director"
	churnEarly       = ", after a tenth of the time"
	churnLate        = ", at the end by that"
	churnReloads     = "reloads"
)

// churnFigures are what is looked at, and by how much it may have grown. The collector
// leaves more or less of what is free, and a runtime starts threads as it needs them.
var churnFigures = []struct {
	name, unit string
	growth     float64
	look       func(*rig) (float64, error)
}{
	{churnMemory, unitBytes, 1.1, func(r *rig) (float64, error) { return pss(r.director) }},
	{churnDescriptors, unitCount, 1, func(r *rig) (float64, error) { return descriptors(r.director) }},
	{churnThreads, unitCount, 1.2, func(r *rig) (float64, error) { return threads(r.director) }},
	{churnGoroutines, unitCount, 1, goroutines},
}

// measureChurn changes everything again and again for as long as a flood lasts, and looks
// whether lvsd grows.
func measureChurn(ctx context.Context, o options) ([]Figure, error) {
	into := column{}
	err := churn(ctx, daemons(o)[0], o.flood, into)
	figures := []Figure{{Name: churnReloads, Unit: unitCount}}
	for _, f := range churnFigures {
		figures = append(figures, Figure{Name: f.name + churnEarly, Unit: f.unit}, Figure{Name: f.name + churnLate, Unit: unitCount, Goal: atMost(f.growth)})
	}
	return complete("churn", figures, [2]column{into, {}}), err
}

func churn(ctx context.Context, d daemon, lasts time.Duration, into column) (err error) {
	r, err := newRig(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := d.configure(r.director, churned); err != nil {
		return err
	}
	ctx, p, err := r.run(ctx, d)
	if err != nil {
		return err
	}
	if _, err := waitTable(ctx, r.director, churned, time.Now()); err != nil {
		return err
	}
	early, err := r.churnFor(ctx, d, p, lasts/10, into)
	if err != nil {
		return err
	}
	late, err := r.churnFor(ctx, d, p, lasts-lasts/10, into)
	if err != nil {
		return err
	}
	for i, f := range churnFigures {
		into.add(f.name+churnEarly, early[i])
		into.add(f.name+churnLate, late[i]/early[i])
	}
	return nil
}

// churnFor reloads and flaps, and looks when everything is as it was in the beginning.
func (r *rig) churnFor(ctx context.Context, d daemon, p *cluster.Process, lasts time.Duration, into column) (found []float64, err error) {
	f, reloads := churned, 0
	end, flap := time.Now().Add(lasts), time.Now().Add(churnFlap)
	for time.Now().Before(end) {
		f.changed, f.services = !f.changed, churned.services-10*(reloads%2)
		if err := d.reread(p, f); err != nil {
			return nil, err
		}
		reloads++
		if time.Now().After(flap) {
			flap = flap.Add(churnFlap)
			if err := r.flap(); err != nil {
				return nil, err
			}
		}
		if err := cluster.Read(io.Discard, p.Host, metricsAt, "/metrics", 30*time.Second); err != nil {
			return nil, fmt.Errorf("scraping: %w; its last words:\n%s", err, p.LastWords(10))
		}
		if err := pause(ctx, churnReload); err != nil {
			return nil, err
		}
	}
	into[churnReloads] = []float64{float64(reloads) + median(into[churnReloads])}
	if r.listener < 0 {
		if err := r.listen(); err != nil {
			return nil, err
		}
	}
	if err := d.reread(p, churned); err != nil {
		return nil, err
	}
	if _, err := waitTable(ctx, r.director, churned, time.Now()); err != nil {
		return nil, err
	}
	if err := pause(ctx, churnSettle); err != nil {
		return nil, err
	}
	for _, figure := range churnFigures {
		v, err := figure.look(r)
		if err != nil {
			return nil, err
		}
		found = append(found, v)
	}
	return found, nil
}

// flap has the servers accept connections, or none.
func (r *rig) flap() error {
	if r.listener < 0 {
		return r.listen()
	}
	return r.deafen()
}

// descriptors counts the open files of the processes on the host.
func descriptors(h *cluster.Host) (sum float64, err error) {
	pids, err := h.PIDs()
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		if err != nil {
			return 0, err
		}
		sum += float64(len(open))
	}
	return sum, nil
}

// threads counts those of the processes on the host.
func threads(h *cluster.Host) (float64, error) {
	return eachProcess(h, "status", func(text string) (n float64, err error) {
		_, rest, _ := strings.Cut(text, "\nThreads:")
		_, err = fmt.Sscan(rest, &n)
		return n, err
	})
}

// goroutines are those that the director's metrics tell.
func goroutines(r *rig) (n float64, err error) {
	var text bytes.Buffer
	if err := cluster.Read(&text, r.director, metricsAt, "/metrics", 30*time.Second); err != nil {
		return 0, fmt.Errorf("scraping: %w", err)
	}
	_, rest, _ := strings.Cut(text.String(), "\ngo_goroutines ")
	_, err = fmt.Sscan(rest, &n)
	return n, err
}
