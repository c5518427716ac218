package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// failuresPerRun is how often servers fail in either way for each run that was asked for:
// 200 times with the default.
const failuresPerRun = 40

// The figures of the detection part. Of a figure there is one value for each failure, but
// for those that 99 of 100 failures are below.
const (
	refuses    = "a server refuses connections"
	silent     = "a server hangs (SIGSTOP)"
	out99      = ": out of the table, 99 of 100"
	probed     = ": out of the table after a check has failed"
	probed99   = probed + ", 99 of 100"
	failedMost = ": requests failed, the most"
)

// measureDetection lets lvsd's servers fail, each time at another moment between two checks.
func measureDetection(ctx context.Context, o options) ([]Figure, error) {
	into := column{}
	err := detect(ctx, daemons(o)[0], o.runs*failuresPerRun, into)
	for _, step := range []string{refuses, silent} {
		into[step+out99] = percentile(into[step+out], 99)
		into[step+failedMost] = into[step+failed]
	}
	into[refuses+probed99] = percentile(into[refuses+probed], 99)
	return complete("detection", []Figure{
		{Name: refuses + out, Unit: unitTime, Goal: atMost(0.8)},
		{Name: refuses + out99, Unit: unitTime, Goal: atMost(1.3)},
		{Name: refuses + probed99, Unit: unitTime, Goal: atMost(0.3)},
		{Name: refuses + failed, Unit: unitCount, Goal: atMost(13)},
		{Name: refuses + failedMost, Unit: unitCount, Goal: worstAtMost(22)},
		{Name: silent + out, Unit: unitTime},
		{Name: silent + out99, Unit: unitTime, Goal: atMost(1.9)},
		{Name: silent + failed, Unit: unitCount},
		{Name: silent + failedMost, Unit: unitCount, Goal: worstAtMost(40)},
	}, [2]column{into, {}}), err
}

// percentile is the value that so many of 100 are not above, alone; of none it is none.
func percentile(values []float64, of100 int) []float64 {
	if len(values) == 0 {
		return nil
	}
	s := slices.Sorted(slices.Values(values))
	return []float64{s[(len(s)*of100+99)/100-1]}
}

// detect lets a server of a pair fail so many times in either way.
func detect(ctx context.Context, d daemon, failures int, into column) (err error) {
	c, err := cluster.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	t := &trial{Cluster: c, setup: cluster.NewSetup(), into: into}
	for i := range t.setup.Servers {
		t.setup.Servers[i].Weight = 1
	}
	t.setup.Rise, t.setup.Fall, t.setup.Timeout, t.setup.FastInterval = 1, 3, 200*time.Millisecond, 100*time.Millisecond
	if err := t.begin(ctx, d); err != nil {
		return err
	}
	defer t.load.Stop()
	for n := range failures {
		if n%10 == 0 {
			say("detection: failure %d of %d", n+1, failures)
		}
		server := n % 2 // the third one is asked from another address
		if err := t.refuse(ctx, server); err != nil {
			return fmt.Errorf("%s: %w", refuses, err)
		}
		if err := t.silence(ctx, server); err != nil {
			return fmt.Errorf("%s: %w", silent, err)
		}
	}
	return nil
}

// anyMoment returns after a time by chance, within which each check comes due once.
func (t *trial) anyMoment(ctx context.Context) error {
	return pause(ctx, rand.N(t.setup.Interval))
}

// refuse ends a server's process, and starts another one.
func (t *trial) refuse(ctx context.Context, i int) (err error) {
	if err := t.anyMoment(ctx); err != nil {
		return err
	}
	checks, err := watchChecks(t.Servers[i], firstDirector)
	if err != nil {
		return err
	}
	defer checks.Close()
	begin := time.Now()
	if err := t.webs[i].Kill(); err != nil {
		return err
	}
	dead := time.Now()
	if err := t.note(ctx, refuses, out, begin, t.Directors[0], t.setup.Weights(t.Servers[i].Name)); err != nil {
		return err
	}
	first, err := checks.next(dead)
	if err != nil {
		return err
	}
	took := t.into[refuses+out]
	t.into.add(refuses+probed, took[len(took)-1]-first.Sub(begin).Seconds())
	if t.webs[i], err = cluster.StartWeb(t.Servers[i]); err != nil {
		return err
	}
	return t.waitWhole(ctx, t.Directors[0])
}

// silence stops a server, so that it still accepts connections but never answers.
func (t *trial) silence(ctx context.Context, i int) error {
	if err := t.anyMoment(ctx); err != nil {
		return err
	}
	begin := time.Now()
	if err := t.webs[i].Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	if err := t.note(ctx, silent, out, begin, t.Directors[0], t.setup.Weights(t.Servers[i].Name)); err != nil {
		return err
	}
	if err := t.webs[i].Signal(syscall.SIGCONT); err != nil {
		return err
	}
	return t.waitWhole(ctx, t.Directors[0])
}
