package director

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// Run is the director, until ctx ends or something fails that it cannot work
// without. When ctx ends it hands over first, which may take four intervals of
// the slowest virtual router.
func (d *Director) Run(ctx context.Context) error {
	defer close(d.stopped)
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.work = work
	defer d.running.Wait()
	defer cancel()

	l := d.first
	l.keptOut, l.tuned = d.o.KeptOut, d.o.Tuned
	d.first = Loaded{} // it is garbage after the first reload
	l.open(ctx, d.o.OpenTable, d.o.Owned)
	switch {
	case l.Err != nil && ctx.Err() != nil:
		return nil // It was stopped before there was anything to hand over.
	case l.Err != nil:
		return l.Err
	}
	facts, err := d.o.Machine(answering(l.Config.Services), beyondParameters(l.Config)) // now that the kernel has IPVS, with its parameters
	if err != nil {
		return err
	}
	d.beside("checker", func(ctx context.Context) error { return d.o.Probes.Run(ctx, d.report) })
	d.beside("connections", d.o.Connections.Run)
	d.beside("rules", d.o.Rules.Run)
	d.adopt(l)
	core, effects := Begin(time.Now(), d.o.Path, l, facts)
	d.core = core
	d.carryOut(effects)
	if d.o.Standby != nil {
		d.carryOut(core.Handle(time.Now(), StandbyKept(*d.o.Standby)))
	}

	err = d.loop(ctx)
	cancel()
	d.running.Wait()
	if err == nil && d.table != nil && !d.core.config.Director.KeepTable {
		err = errors.Join(d.table.Clear(context.WithoutCancel(ctx)), d.o.Rules.Clear())
	}
	return err
}

// open opens the IPVS table if the configuration needs it, or if rows of ours
// are in it that no longer are configured. Listing a large one takes seconds, so
// a reload does it beside the loop.
func (l *Loaded) open(ctx context.Context, openTable func(context.Context) (Table, ipvsctl.Table, error), owned bool) {
	if l.Err != nil || l.Config == nil || len(l.Config.Services) == 0 && !owned {
		return
	}
	table, found, err := openTable(ctx)
	if err != nil && len(l.Config.Services) == 0 {
		return // nothing is configured that has need of it
	}
	if err != nil {
		first := &l.Config.Services[0]
		l.Err = fmt.Errorf("opening the IPVS table for virtual service %q (%s): %w", first.Name, first.Source, err)
		return
	}
	l.table, l.Found = table, found
	if found == nil {
		l.Found = ipvsctl.Table{}
	}
}

// adopt begins to work with the table that was opened, if one was.
func (d *Director) adopt(l Loaded) {
	if l.table != nil && d.table == nil {
		d.table, d.applied = l.table, l.table.Applied()
		d.beside("reconciler", l.table.Run)
	}
}

// beside starts one of the loops beside this one. Its end is the daemon's,
// except when that ends anyway.
func (d *Director) beside(name string, loop func(context.Context) error) {
	d.running.Go(func() {
		if err := loop(d.work); err != nil && d.work.Err() == nil {
			d.failed <- fmt.Errorf("the %s ended: %w", name, err)
		}
	})
}

// learn listens until other directors have told of all connections.
func (d *Director) learn(daemon ipvsctl.SyncDaemon) Input {
	err := d.o.Connections.Learn(d.work, daemon, func() { d.give(RoundHeard{}) })
	return RoundHeard{Whole: err == nil, Err: err}
}

// look looks at the machine.
func (d *Director) look(l Look) Input {
	facts, err := d.o.Machine(l.To, l.IPVS)
	return MachineSeen{Facts: facts, Err: err}
}

// report hands results to the loop; probes wait for it if it is behind.
func (d *Director) report(all []checker.Observation) {
	r := results.Get().(*observations)
	for _, o := range all {
		r.all = append(r.all, Observation{*o.Target, o.Result})
	}
	select {
	case d.results <- r:
	case <-d.work.Done():
	}
}

// loop feeds the core until it is told to stop and has handed over.
func (d *Director) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	stop := ctx.Done()
	var gathered gathering
	for {
		var in Input
		timer.Reset(time.Until(earliest(d.core.Deadline(), gathered.due())))
		select {
		case <-stop:
			stop, in = nil, Stop{}
		case err := <-d.failed:
			return err
		case in = <-d.inputs:
			if reading, ok := in.(ReadingEnded); ok {
				d.adopt(reading.Loaded)
			}
		case first := <-d.results:
			d.burst(&gathered, first)
			if !gathered.ripe(time.Now()) {
				continue
			}
		case <-d.o.Keeper.Changed():
			in = RoutersSeen(d.o.Keeper.Statuses())
		case <-d.o.Resources.Changed():
			in = ResourcesBarred(d.o.Resources.Barred())
		case <-d.o.MachineChanges:
			in = MachineChanged{}
		case <-d.applied:
		case <-d.o.Rules.Tried():
		case <-d.reloads:
			in = Reload{}
		case call := <-d.calls:
			call()
		case <-timer.C:
		}
		now := time.Now()
		if in == nil && gathered.ripe(now) {
			d.wake(now, gathered.all)
			gathered.told(now, time.Now())
			continue
		}
		d.wake(now, in)
		if _, over := in.(HandedOver); over {
			return nil
		}
	}
}

// wake tells the core what happened, if anything did, what is due, and how the
// table is.
func (d *Director) wake(now time.Time, in Input) {
	if in != nil {
		d.carryOut(d.core.Handle(now, in))
	} else {
		d.carryOut(d.core.Expire(now))
	}
	if d.table != nil {
		s := d.table.Snapshot()
		d.carryOut(d.core.Handle(now, TableSeen{Converged: s.Converged, Refused: s.Stats.LastError != "", Unruled: !d.o.Rules.Settled(), Packets: s.Packets}))
		d.carryOut(d.core.Handle(now, Counted(s.Counters)))
	}
}

// carryOut does what the core wants done. Nothing of it blocks.
func (d *Director) carryOut(effects []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case TellConnections:
			d.o.Connections.Set(e.Telling)
		case LearnConnections:
			d.aside(func() Input { return d.learn(e.SyncDaemon) })
		case SetTable:
			d.table.Set(ipvsctl.Desired(e))
		case SetRules:
			d.o.Rules.Set(ipvsctl.Ruleset(e))
		case SetTargets:
			d.o.Probes.Set(e)
		case Retry:
			d.o.Probes.Retry()
		case Suspect:
			d.o.Probes.Suspect(e)
		case SetIdle:
			d.o.Probes.SetIdle(e)
		case Restart:
			d.o.Probes.Restart(e)
		case Configure:
			d.o.Configure(config.Director(e))
		case TellKeeper:
			d.o.Keeper.Set(vrrp.Desired(e))
		case SetHooks:
			d.o.Hooks.Configure(e.Routers, e.Hooks, e.Streams)
		case TellHooks:
			d.o.Hooks.Hear(e)
		case AssertHooks:
			d.o.Hooks.Assert(e.Names, e.By, e.Asker)
		case SetResources:
			d.o.Resources.Configure(e.Routers, e.Resources)
		case RetryResources:
			d.o.Resources.Retry()
		case Heartbeat:
			d.o.Keeper.Heartbeat()
			d.judgeTrial()
		case Notify:
			d.o.Notify(string(e) + "=1")
		case Describe:
			d.o.Notify("STATUS=" + string(e))
		case Answer:
			e.Asker(e.Outcome)
		case SaveStandby, SaveConfiguration, SaveKeptOut:
			d.aside(func() Input { return d.save(e) })
		case Conclude:
			e.Asker(e.Outcome)
		case Tell:
			d.o.Events(e.Event)
		case Read:
			d.aside(func() Input {
				l := d.o.Load(e.Running)
				if e.Open {
					l.open(d.work, d.o.OpenTable, false)
				}
				return ReadingEnded{Number: e.Number, Loaded: l}
			})
		case Look:
			d.aside(func() Input { return d.look(e) })
		case Tune:
			d.aside(func() Input { return d.tune(e) })
		case HandOver:
			d.running.Go(func() { d.give(d.handOver(e)) })
		}
	}
}

// judgeTrial ends a configuration's trial that has lost what it must not.
func (d *Director) judgeTrial() {
	stake := d.o.Trial.Stake()
	if stake == nil {
		return
	}
	if lost := d.core.lost(stake); lost != "" {
		go d.o.Trial.Fail(lost)
	}
}

// save keeps something beyond this process.
func (d *Director) save(e Effect) Input {
	switch e := e.(type) {
	case SaveStandby:
		return StandbySaved{e.Number, d.o.SaveStandby(e.Number, e.Standby)}
	case SaveConfiguration:
		return ConfigurationSaved{d.o.SaveConfiguration(e)}
	case SaveKeptOut:
		return KeptOutSaved{d.o.SaveKeptOut(e)}
	default:
		return nil
	}
}

// tune sets parameters of the kernel.
func (d *Director) tune(t Tune) Input {
	refused, err := d.o.Tune(t.Values, t.Before)
	return Tuned{t, refused, err}
}

// aside does what may take long on a goroutine of its own, and gives the core
// what came of it. Nobody waits for it, in the end either: a disk may hang, and
// whoever deletes a thousand interfaces holds the kernel's lock over them for
// seconds.
func (d *Director) aside(work func() Input) {
	go func() { d.give(work()) }()
}

// give hands an input to the loop, if it still runs.
func (d *Director) give(in Input) {
	select {
	case d.inputs <- in:
	case <-d.stopped:
	case <-d.work.Done():
	}
}

// lastHooks is how long the hooks for the end of the virtual routers may take.
const lastHooks = 30 * time.Second

// handOver makes the keeper hand over, while the loop keeps the table equal to
// the servers' health until the peer has the address and the last hooks have run.
func (d *Director) handOver(h HandOver) Input {
	ctx, cancel := context.WithTimeout(d.work, h.Limit)
	defer cancel()
	err := d.o.Keeper.Stop(ctx)
	d.o.Resources.Finish(ctx)
	last, cancelLast := context.WithTimeoutCause(d.work, lastHooks, fmt.Errorf("they have %v", lastHooks))
	defer cancelLast()
	d.o.Hooks.Finish(last)
	d.giveBack(h)
	return HandedOver{Err: err}
}

// giveBack gives parameters of the kernel their values back. What is refused is left to the
// next process, unless its interface is gone.
func (d *Director) giveBack(h HandOver) {
	if len(h.Restore) == 0 {
		return
	}
	all := maps.Clone(h.Restore)
	maps.Copy(all, h.Kept)
	refused, _ := d.o.Tune(h.Restore, all)
	left := copied(h.Kept)
	for s, err := range refused {
		if !errors.Is(err, fs.ErrNotExist) {
			left[s] = h.Restore[s]
		}
	}
	_, _ = d.o.Tune(nil, left)
}

// burst gathers results, and those that wait behind them, so that they are planned for
// once.
func (d *Director) burst(gathered *gathering, first *observations) {
	for o := first; ; {
		gathered.add(o.all)
		o.recycle()
		if len(gathered.all) >= burstLimit {
			return
		}
		select {
		case o = <-d.results:
		default:
			return
		}
	}
}
