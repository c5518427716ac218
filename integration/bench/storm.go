package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
)

// stormy is the fleet of the storm part: all of its servers are one listening socket,
// which is closed and opened.
var stormy = fleet{services: 1000, interval: 10 * time.Second, advert: 100 * time.Millisecond}

// The figures of the storm part, beside those of the adverts meanwhile.
const (
	allFail   = "10,000 servers fail at once"
	allReturn = "they are back at once"
	lastTold  = ": the table is right after the last verdict"
	logged    = ": lines in the log"
)

// measureStorm lets all servers of a large fleet fail at once, and come back at once. It
// measures lvsd alone.
func measureStorm(ctx context.Context, o options) ([]Figure, error) {
	into, i := column{}, interval(stormy.advert)
	var err error
	for n := range o.share(1) {
		say("storm: run %d of %d", n+1, o.share(1))
		if err = stormOnce(ctx, o, i, into); err != nil {
			break
		}
	}
	var figures []Figure
	for _, step := range []string{allFail, allReturn} {
		figures = append(figures,
			Figure{Name: step + lastTold, Unit: unitTime, Goal: worstAtMost(2)},
			Figure{Name: step + logged, Unit: unitCount, Goal: worstAtMost(1000)})
	}
	return complete("storm", append(figures,
		Figure{Name: i.name(late999), Unit: unitTime},
		Figure{Name: i.name(lateWorst), Unit: unitTime, Goal: atMost(i.lateAtMost().Seconds())},
		Figure{Name: i.name(missing), Unit: unitCount, Goal: always(0)},
		Figure{Name: i.name(falseAdvert), Unit: unitCount, Goal: always(0)},
	), [2]column{into, {}}), err
}

// stormOnce runs a pair with the fleet on the first director.
func stormOnce(ctx context.Context, o options, i interval, into column) (err error) {
	d := daemons(o)[0]
	r, err := newRig(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := errors.Join(d.configure(r.director, stormy), d.Configure(r.Directors[1], pairSetup(stormy.advert, false))); err != nil {
		return err
	}
	ctx, p, err := r.run(ctx, d)
	if err != nil {
		return err
	}
	if _, err := waitTable(ctx, r.director, stormy, time.Now()); err != nil {
		return err
	}
	if _, err := d.Start(r.Directors[1]); err != nil {
		return err
	}
	if err := waitMaster(ctx, r.Cluster); err != nil {
		return err
	}
	if err := pause(ctx, stormy.interval); err != nil { // Each server has had its check.
		return err
	}
	l, err := listen(r.Cluster)
	if err != nil {
		return err
	}
	st := storm{r, cluster.LVSD{Binary: o.lvsd}, p, into}
	if err := st.strike(ctx, allFail, fleet{}, r.deafen); err != nil {
		return err
	}
	if err := st.strike(ctx, allReturn, stormy, r.listen); err != nil {
		return err
	}
	return i.note(l, into)
}

// A storm is a director all of whose servers change at once.
type storm struct {
	*rig
	daemon  cluster.LVSD
	process *cluster.Process
	into    column
}

// strike lets happen what changes all servers, and notes how long after the last verdict
// the table is that of a fleet, and what the log says until then.
func (s storm) strike(ctx context.Context, step string, want fleet, happen func() error) error {
	said := len(s.process.Log())
	begin := time.Now()
	if err := happen(); err != nil {
		return err
	}
	took, err := waitTable(ctx, s.director, want, begin)
	if err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	if err := pause(ctx, 2*time.Second); err != nil { // The log may sum up.
		return err
	}
	last, err := s.lastVerdict(ctx)
	if err != nil {
		return err
	}
	s.into.addTime(step+lastTold, begin.Add(took).Sub(last))
	s.into.add(step+logged, float64(strings.Count(s.process.Log()[said:], "\n")))
	return nil
}

// lastVerdict is when a server's health has changed last.
func (s storm) lastVerdict(ctx context.Context) (last time.Time, err error) {
	text, err := s.daemon.Status(ctx, s.director, "-o", "json")
	if err != nil {
		return last, err
	}
	var status api.Status
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		return last, fmt.Errorf("reading the status: %w", err)
	}
	for _, service := range status.Services {
		for _, server := range service.Servers {
			if server.Since.After(last) {
				last = server.Since
			}
		}
	}
	return last, nil
}
