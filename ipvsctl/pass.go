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
	// How many operations are written before a newer table is asked for.
	writeSlice = 4096

	// How often a pass goes on at once when the table turned out to be other
	// than thought. Whoever changes it all the time is repaired at every look.
	passRounds = 4

	// How many refusals of one turn are logged one by one.
	refusalLines = 10

	// The pause after an exchange with the kernel failed: first and longest.
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// A pass is the state of the loop and its steps: what was seen, what is
// wanted, what is ours, and what has to wait. It is told the time.
type pass struct {
	kernel    Kernel
	ledger    Ledger
	log       *slog.Logger
	exclusive bool
	opened    bool
	sifted    bool // the view has lost the services of others
	// superseded tells that a newer table than number is wanted.
	superseded func() bool

	view
	want      Table
	number    uint64 // of want
	converged bool   // the view is what want says
	released  uint64 // the want whose services alone are ours, and recorded so

	ours     map[ServiceKey]bool // by the ledger, and by want
	recorded []ServiceKey        // what the ledger holds
	foreign  map[ServiceKey]Service

	drift   drift
	doubts  map[ServiceKey]bool // services to be read before the next write
	held    holds
	unsure  bool // an exchange failed: the table must be listed again
	pause   time.Duration
	resume  time.Time // nothing is asked of the kernel before
	lookDue time.Time // when the next look is due
	auditee []ServiceKey

	refusals   int // of this turn, as far as they are news
	stats      Stats
	complaints map[string]string // what was last logged, by subject
}

func newPass(k Kernel, l Ledger, log *slog.Logger, exclusive bool) pass {
	return pass{
		kernel: k, ledger: l, log: log, exclusive: exclusive,
		view:       newView(Table{}),
		ours:       map[ServiceKey]bool{},
		doubts:     map[ServiceKey]bool{},
		held:       holds{},
		stats:      Stats{Operations: map[string]uint64{}},
		complaints: map[string]string{},
	}
}

func (p *pass) open(ctx context.Context) error {
	table, err := p.kernel.List(ctx)
	if err != nil {
		return err
	}
	p.view = newView(table)
	keys, err := p.ledger.Load()
	if err != nil {
		p.log.Warn("the record of our IPVS services cannot be read: services that were taken out of the configuration since the last start stay in the kernel", "error", err)
	}
	for _, k := range keys {
		p.ours[k] = true
	}
	p.recorded = keys
	p.opened = true
	return nil
}

// step takes one turn towards want and returns when the next one is due.
func (p *pass) step(ctx context.Context, now time.Time, want Table, number uint64) time.Time {
	p.aim(want, number)
	if p.lookDue.IsZero() {
		p.lookDue = now.Add(lookInterval) // the table has just been listed
	}
	if now.Before(p.resume) {
		return p.resume
	}
	err := p.turn(ctx, now)
	p.report()
	if err != nil && ctx.Err() == nil {
		p.fail(now, err)
		return p.resume
	}
	p.pause = 0
	p.settle("kernel")
	next := p.lookDue
	if held := p.held.next(); held.After(now) && held.Before(next) {
		next = held
	}
	return next
}

// aim takes a newer table as the goal. Its services are ours from now on;
// those that were ours stay so until the kernel is rid of them.
func (p *pass) aim(want Table, number uint64) {
	if p.number == number {
		return
	}
	p.want, p.number, p.converged = want, number, false
	for key := range want {
		p.ours[key] = true
		if _, others := p.foreign[key]; others {
			p.doubts[key] = true
		}
	}
	if !p.sifted {
		p.sift()
	}
}

// sift takes the services of others out of a table that was listed whole.
func (p *pass) sift() {
	p.sifted = true
	p.foreign = map[ServiceKey]Service{}
	for key, vs := range p.table {
		if !p.owns(key) {
			p.foreign[key] = vs.Service
			p.drop(key)
		}
	}
	p.stats.Foreign = len(p.foreign)
}

func (p *pass) owns(key ServiceKey) bool { return p.exclusive || p.ours[key] }

func (p *pass) turn(ctx context.Context, now time.Time) error {
	if p.unsure {
		table, err := p.kernel.List(ctx)
		if err != nil {
			return err
		}
		counters := p.counters
		p.view, p.unsure = newView(table), false
		maps.Copy(p.counters, counters) // as of the last audit, as before
		p.sift()
	}
	if !now.Before(p.lookDue) {
		p.lookDue = now.Add(lookInterval)
		if err := p.lookAround(ctx); err != nil {
			return err
		}
		if err := p.audit(ctx, now); err != nil {
			return err
		}
	}
	return p.converge(ctx, now)
}

// converge writes what the view lacks. It begins again where the kernel's
// refusals showed that the view was wrong.
func (p *pass) converge(ctx context.Context, now time.Time) error {
	for range passRounds {
		for _, key := range slices.SortedFunc(maps.Keys(p.doubts), ServiceKey.Compare) {
			if _, err := p.reread(ctx, key); err != nil {
				return err
			}
		}
		left := Diff(p.table, p.want, p.owns)
		p.held.keep(left)
		due := p.held.due(now, left)
		p.stats.Pending = len(left)
		p.converged = len(left) == 0
		if len(due) == 0 {
			break
		}
		p.record(union(p.recorded, p.want.Keys()))
		for ops := range slices.Chunk(due, writeSlice) {
			if err := p.write(ctx, now, ops); err != nil {
				return err
			}
			if p.superseded() {
				return nil
			}
		}
	}
	if p.converged {
		p.share(p.want)
	}
	if p.released != p.number {
		return p.release(ctx)
	}
	return nil
}

// release gives up the services that were ours and are not wanted any more,
// each as soon as the kernel is rid of it: a row that it refuses elsewhere may
// never be written. Once given up they would be somebody else's, so each is
// asked for first: the view may have lost one to a list that was cut.
func (p *pass) release(ctx context.Context) error {
	left := 0
	for key := range p.ours {
		if _, wanted := p.want[key]; wanted {
			continue
		}
		if _, there := p.table[key]; !there {
			if _, err := p.reread(ctx, key); err != nil {
				return err
			}
		}
		if _, there := p.table[key]; there {
			p.converged = false
			left++
			continue
		}
		delete(p.ours, key)
	}
	if p.record(slices.SortedFunc(maps.Keys(p.ours), ServiceKey.Compare)) && left == 0 {
		p.released = p.number
	}
	return nil
}

// record saves which services are ours. If that fails, serving goes on: what
// may be lost is the knowledge of whose a row is, and only if we die now.
func (p *pass) record(keys []ServiceKey) (saved bool) {
	if slices.Equal(keys, p.recorded) {
		return true
	}
	if err := p.ledger.Save(keys); err != nil {
		p.stats.Errors++
		p.complain("ledger", "the record of our IPVS services cannot be saved: if lvsd is killed now, the next start may not know which services were its own", err)
		return false
	}
	p.recorded = keys
	p.settle("ledger")
	return true
}

// write applies operations and takes over what the kernel made of them.
func (p *pass) write(ctx context.Context, now time.Time, ops []Op) error {
	failures, err := p.kernel.Apply(ctx, ops)
	if err != nil {
		p.unsure = true
		return err
	}
	failed := make(map[int]error, len(failures))
	for _, f := range failures {
		failed[f.Index] = f.Err
	}
	refused := map[ServiceKey][]refusal{}
	for i, op := range ops {
		err, bad := failed[i]
		if bad && !(op.Kind.deletes() && errors.Is(err, fs.ErrNotExist)) {
			refused[op.Service] = append(refused[op.Service], refusal{op, err})
			continue
		}
		p.apply(op)
		if !bad {
			p.stats.Operations[op.Kind.String()]++
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(refused), ServiceKey.Compare) {
		if err := p.refused(ctx, now, key, refused[key]); err != nil {
			return err
		}
	}
	return nil
}

// A refusal is an operation that the kernel refused, and why.
type refusal struct {
	op  Op
	err error
}

// refused reads the service again whose operations were refused. If it was
// other than thought, the next round knows better; if not, they are held. Of a
// service that could not be added, its real servers could not either, and
// only the service is worth a word.
func (p *pass) refused(ctx context.Context, now time.Time, key ServiceKey, refusals []refusal) error {
	p.stats.Errors += uint64(len(refusals))
	changed, err := p.reread(ctx, key)
	if err != nil || changed {
		return err
	}
	for _, f := range refusals {
		p.stats.LastError = fmt.Sprintf("%v: %v", f.op, f.err)
		if p.held.add(now, f.op, f.err.Error()) {
			p.refusals++
			if p.refusals <= refusalLines {
				p.log.Error("the kernel refused a change of the IPVS table, trying again later", "operation", f.op.String(), "error", f.err)
			}
		}
		if f.op.Kind == AddService {
			break
		}
	}
	return nil
}

// fail notes that an exchange with the kernel failed, and waits longer every
// time before the next one.
func (p *pass) fail(now time.Time, err error) {
	p.converged = false
	p.stats.Errors++
	p.pause = min(max(2*p.pause, firstPause), lastPause)
	p.resume = now.Add(p.pause)
	p.complain("kernel", "the IPVS table cannot be read or written, trying again", err)
}

// hurry forgets all pauses, for a last try.
func (p *pass) hurry() {
	p.resume = time.Time{}
	clear(p.held)
}

// complain logs an error once, until it changes or is settled.
func (p *pass) complain(subject, message string, err error) {
	p.stats.LastError = err.Error()
	if p.complaints[subject] != err.Error() {
		p.complaints[subject] = err.Error()
		p.log.Error(message, "error", err)
	}
}

func (p *pass) settle(subject string) { delete(p.complaints, subject) }

// snapshot returns what is known now; the view copies before it changes again.
func (p *pass) snapshot() Snapshot {
	table, counters := p.give()
	if len(p.held)+len(p.complaints) == 0 {
		p.stats.LastError = ""
	}
	stats := p.stats
	stats.Operations = maps.Clone(stats.Operations)
	return Snapshot{
		Table: table, Counters: counters, Foreign: p.foreign,
		Stats: stats, Converged: p.converged,
	}
}

func union(a, b []ServiceKey) []ServiceKey {
	all := slices.Concat(a, b)
	slices.SortFunc(all, ServiceKey.Compare)
	return slices.Compact(all)
}
