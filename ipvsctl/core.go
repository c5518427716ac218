package ipvsctl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"time"
)

const (
	// How many operations are written before a newer goal is asked for.
	writeSlice = 4096

	// How often a step goes on at once when the table turned out to be other
	// than thought. Whoever changes it all the time is repaired at every look.
	writeRounds = 4
)

// A core is the Reconciler without its loop: it is told the time and the goal,
// and waits for nothing but the kernel's answers.
type core struct {
	kernel     Kernel
	superseded func() bool // there is a newer goal than this one
	goal       *Desired    // nil before the first; another one is another pointer
	converged  bool        // the kernel holds what the goal says, as far as is known

	ours    *ownership
	seen    observer
	refused refused
	backoff backoff
	events  reporter
	stats   Stats
}

// openCore lists the table as it was found, and loads the ledger.
func openCore(ctx context.Context, k Kernel, l Ledger, report func(Event)) (*core, error) {
	table, err := k.List(ctx)
	if err != nil {
		return nil, err
	}
	ours := &ownership{ledger: l}
	if err := ours.load(); err != nil {
		report(Event{LedgerUnreadable, slog.LevelWarn,
			"lvsd's record of its IPVS services cannot be read: services that were removed from the configuration since the last start stay in the kernel's table until you delete them (ipvsadm -D)",
			[]slog.Attr{slog.Any("error", err)}})
	}
	return &core{
		kernel:  k,
		ours:    ours,
		seen:    observer{kernel: k, ours: ours, table: table, listed: map[ServiceKey]bool{}, stale: map[ServiceKey]bool{}},
		refused: refused{},
		events:  reporter{report: report, lasting: map[string]string{}},
		stats:   Stats{Operations: map[string]uint64{}},
	}, nil
}

// step works towards the goal and returns when the next step is due.
func (c *core) step(ctx context.Context, now time.Time, g *Desired) time.Time {
	c.aim(now, g)
	if now.Before(c.backoff.until) {
		return c.backoff.until
	}
	err := c.pursue(ctx, now)
	c.stats.Drift += uint64(c.seen.drift.rows)
	c.events.endStep(c.seen.drift, len(c.refused))
	c.seen.drift = drift{}
	if err != nil && ctx.Err() == nil {
		c.converged = false
		c.failed(KernelUnreachable, "the IPVS table cannot be read or written; trying again", err)
		c.backoff.extend(now, firstPause, lastPause)
		return c.backoff.until
	}
	c.events.worked(KernelUnreachable, KernelReached, "the IPVS table can be read and written again")
	c.backoff = backoff{}
	return c.refused.next(now, c.seen.audit.due)
}

// aim takes over a newer goal. Its services are ours from now on; those that
// were ours stay so until the kernel is rid of them.
func (c *core) aim(now time.Time, g *Desired) {
	if g == c.goal {
		return
	}
	first, other := c.goal == nil, c.ours.exclusive != g.Exclusive
	c.goal, c.converged, c.seen.counting = g, false, g.Packets
	c.seen.watched = g.Watched
	c.ours.claim(g)
	if first {
		c.seen.list(c.seen.table)
		c.seen.audit.due = now.Add(lookInterval) // the table has just been listed
	} else if other {
		c.seen.unlisted = true
	}
	for key := range g.Table {
		if _, foreign := c.seen.foreign[key]; foreign {
			c.seen.stale[key] = true
		}
	}
}

// pursue makes the kernel's table the goal's: it observes, writes what the
// kernel lacks, and begins again where refusals showed that it is other than thought.
func (c *core) pursue(ctx context.Context, now time.Time) error {
	for range writeRounds {
		if err := c.seen.observe(ctx, now, func() bool { return !c.superseded() }); err != nil {
			return err
		}
		left := Diff(c.seen.table, c.goal.Table, c.ours.owns)
		c.stats.Pending, c.converged = len(left), len(left) == 0
		c.refused.keepOnly(left)
		due := c.refused.due(now, left)
		if len(due) == 0 {
			break
		}
		c.saveLedger()
		for ops := range slices.Chunk(due, writeSlice) {
			if err := c.write(ctx, now, ops); err != nil || c.superseded() {
				return err
			}
		}
	}
	if c.converged {
		c.seen.table = c.goal.Table // they are equal: one copy serves as both
	}
	return c.release(ctx)
}

// A refusal is an operation that the kernel refused, and why.
type refusal struct {
	op  Op
	err error
}

// write applies operations and takes over what the kernel made of them. A
// service with refused operations is read again: if it was other than thought,
// the next round knows better; if not, they are tried again later.
func (c *core) write(ctx context.Context, now time.Time, ops []Op) error {
	failures, err := c.kernel.Apply(ctx, ops)
	if err != nil {
		c.seen.unlisted = true // nobody knows how far it came
		return err
	}
	failed := make(map[int]error, len(failures))
	for _, f := range failures {
		failed[f.Index] = f.Err
	}
	done := ops[:0]
	refusals := map[ServiceKey][]refusal{}
	for i, op := range ops {
		err, bad := failed[i]
		switch {
		case !bad:
			c.stats.Operations[string(op.Kind)]++
		case op.Kind.deletes() && errors.Is(err, fs.ErrNotExist):
			// Somebody else deleted it.
		default:
			c.fault(err)
			refusals[op.Service] = append(refusals[op.Service], refusal{op, err})
			continue
		}
		done = append(done, op)
	}
	c.seen.apply(done)
	same, err := c.seen.reread(ctx, slices.Values(sorted(refusals)))
	for _, key := range same {
		c.putOff(now, refusals[key])
	}
	return err
}

// putOff lets a service's refused operations wait. Of a service that could not
// be added, its real servers could not be added either, and only the service
// is worth a word.
func (c *core) putOff(now time.Time, refusals []refusal) {
	for _, r := range refusals {
		c.stats.LastError = fmt.Sprintf("%v: %v", r.op, r.err)
		if c.refused.add(now, r.op, r.err.Error()) {
			c.events.refused(r.op, r.err)
		}
		if r.op.Kind == AddService {
			break
		}
	}
}

// release gives up the services that are no longer wanted, each as soon as the
// kernel is rid of it: a row that it refuses elsewhere may never be written.
// Once given up they would be somebody else's, so each is asked for first: the
// table as last seen may lack one because a list was cut short.
func (c *core) release(ctx context.Context) error {
	unwanted := c.ours.unwanted(c.goal.Table)
	exists := func(key ServiceKey) bool { _, ok := c.seen.table[key]; return ok }
	gone := slices.DeleteFunc(slices.Clone(unwanted), exists)
	if _, err := c.seen.reread(ctx, slices.Values(gone)); err != nil {
		return err
	}
	for _, key := range unwanted {
		if exists(key) {
			c.converged = false
		} else {
			c.ours.giveUp(key)
		}
	}
	c.saveLedger()
	return nil
}

// saveLedger records which services are ours. If that fails, serving goes on:
// what may be lost is the knowledge of whose a row is, and only if the process
// dies before the next attempt.
func (c *core) saveLedger() {
	if err := c.ours.save(); err != nil {
		c.failed(LedgerUnwritable, "lvsd's record of its IPVS services cannot be saved: if lvsd is killed now, the next start may not know which services were its own", err)
		return
	}
	c.events.worked(LedgerUnwritable, LedgerWritten, "lvsd's record of its IPVS services is saved again")
}

// fault counts a failure, or a refusal, by its kind.
func (c *core) fault(err error) {
	c.stats.Errors++
	c.stats.Faults = WithFault(c.stats.Faults, err)
}

// failed counts and reports a failure.
func (c *core) failed(code, text string, err error) {
	c.fault(err)
	c.stats.LastError = err.Error()
	c.events.failed(code, text, err)
}

// snapshot returns what is known now.
func (c *core) snapshot() Snapshot {
	if len(c.refused) == 0 && len(c.events.lasting) == 0 {
		c.stats.LastError = ""
	}
	stats := c.stats
	stats.Operations = maps.Clone(stats.Operations)
	stats.Foreign, stats.Audited = len(c.seen.foreign), c.seen.audit.ended
	return Snapshot{
		Table: c.seen.table, Counters: c.seen.counters, Packets: c.seen.packets, Foreign: c.seen.foreign,
		Stats: stats, Converged: c.converged,
	}
}
