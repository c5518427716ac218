package vrrp

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// tellEvery bounds how often the worker tells of a router's addresses that somebody else
// keeps adding.
const tellEvery = time.Minute

// A worker makes the kernel agree with what the routers want to hold, and
// announces it. It may wait for the kernel as long as it takes, and then goes
// on with what is wanted then: what was wanted in between is never done.
type worker struct {
	edge   Holder
	report func(Event)
	idle   func() // called when the worker has nothing more to do
	wake   chan struct{}

	mu   sync.Mutex
	jobs map[routerKey]*job
	// pending are those that may have something to do, or to be dropped.
	pending map[routerKey]*job
	auditAt time.Time // of the first that is due for an audit
	busy    bool
	// sweep: what an earlier process left is to be removed, but for kept.
	sweep   bool
	kept    []InterfaceAddress
	unswept string // why they could not be, as last reported
}

func newWorker(edge Holder, report func(Event), idle func()) *worker {
	return &worker{edge: edge, report: report, idle: idle, wake: make(chan struct{}, 1), jobs: make(map[routerKey]*job), pending: make(map[routerKey]*job)}
}

// change applies f to a router's job, also one that is not known yet, and wakes
// the worker.
func (w *worker) change(key routerKey, f func(*job)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	j := w.jobs[key]
	if j == nil {
		j = &job{key: key}
		w.jobs[key] = j
	}
	j.forgotten = false
	f(j)
	w.call(j)
}

// call has the worker look at a job.
func (w *worker) call(j *job) {
	w.pending[j.key] = j
	token(w.wake)
}

// set sets what a router wants to hold. The director's own address is not touched
// on its interface, even if it is wanted.
func (w *worker) set(key routerKey, name string, want Holdings, own netip.Addr) {
	w.change(key, func(j *job) {
		for l := range j.layers {
			j.layers[l].complete = j.layers[l].complete && j.want.same(want)
		}
		j.announce = j.announce && !want.empty()
		if !j.want.same(want) {
			j.unannounced = nil
		}
		j.name, j.want, j.own = name, want, own
		j.layers[ofAddresses].due = true
	})
}

// announce announces what a router holds, once it is there.
func (w *worker) announce(key routerKey, how Announcing) {
	w.change(key, func(j *job) { j.announce, j.how = true, how })
}

// adopt notes holdings that are there and ours, and does not touch them.
func (w *worker) adopt(key routerKey, name string, have Holdings) {
	w.change(key, func(j *job) { j.name, j.have = name, have })
}

// remove removes what somebody else has added. What was ours is on its way out.
func (w *worker) remove(key routerKey, name string, foreign Holdings) {
	w.change(key, func(j *job) {
		foreign = foreign.without(j.have)
		j.foreign = slices.Concat(j.foreign, foreign.Addresses)
		j.have = j.have.with(foreign)
		j.name = name
		j.layers[ofAddresses].due = j.layers[ofAddresses].due || !foreign.empty()
	})
}

// keep makes what a router holds permanent. Adopted holdings stay as they were
// found.
func (w *worker) keep(key routerKey) {
	w.change(key, func(j *job) {
		if !j.want.empty() {
			j.want.Lease, j.layers[ofAddresses].due = 0, true
		}
	})
}

// forget drops a job as soon as it has nothing left to do.
func (w *worker) forget(key routerKey) {
	w.change(key, func(j *job) { j.forgotten = true })
}

// audit applies the jobs of which something is missing.
func (w *worker) audit(present presence) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, j := range w.jobs {
		if j.layers[ofAddresses].complete && slices.ContainsFunc(j.touched(key.Interface).Addresses, func(a InterfaceAddress) bool { return !present.has(a) }) {
			j.layers[ofAddresses].due = true
			w.call(j)
		}
		// Of routes no interface tells: those of one that was down are gone.
		if j.layers[ofPaths].complete && !j.want.paths().empty() {
			j.layers[ofPaths].due = true
			w.call(j)
		}
	}
}

// sweepUp removes, once, what an earlier process has left and no router has any more. The
// addresses that are kept are the routers' own business, whoever is Master.
func (w *worker) sweepUp(keep []InterfaceAddress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sweep, w.kept = true, keep
	token(w.wake)
}

// sweepNow does that, where it is due. What fails is tried again with the next task.
func (w *worker) sweepNow() {
	w.mu.Lock()
	if !w.sweep {
		w.mu.Unlock()
		return
	}
	keep := Holdings{Addresses: w.kept}
	for _, j := range w.jobs {
		keep = keep.with(j.want).with(j.have)
	}
	w.mu.Unlock()
	err := w.edge.Sweep(keep)
	w.mu.Lock()
	if w.sweep = err != nil; !w.sweep {
		w.kept = nil
	}
	w.mu.Unlock()
	if err != nil && err.Error() != w.unswept {
		w.unswept = err.Error()
		w.report(Event{At: time.Now(), Code: AddressesFailed, Level: slog.LevelWarn, Text: "addresses, routes and rules of an earlier process may be left: " + firstOf(err)})
	}
}

// describe adds to a router's status what became of its addresses.
func (w *worker) describe(key routerKey, s *Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if j := w.jobs[key]; j != nil {
		s.Counters.AddressesRestored, s.Counters.AddressesRemoved = j.restored, j.removed
		s.Counters.PathsRestored, s.Counters.Faults = j.paths, maps.Clone(j.faults)
		if s.State == Master && j.layers[ofPaths].complete || !j.missing.paths().empty() {
			s.PathsHeld = j.want.paths().without(j.missing).count()
		}
		if missing := j.missing.paths().String(); missing != "" {
			s.Missing = strings.TrimPrefix(s.Missing+", "+missing, ", ")
		}
		s.AddressesFailure = j.failure()
	}
}

// staticKey is the job of what is kept without a router.
var staticKey routerKey

// static tells how that stands; nil: there is none.
func (w *worker) static() *StaticStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	j := w.jobs[staticKey]
	if j == nil || j.want.empty() {
		return nil
	}
	all, missing := j.want.count(), j.missing.count()
	if !j.layers[ofAddresses].complete && missing == 0 {
		missing = all // It has not been tried yet.
	}
	return &StaticStatus{Wanted: j.want.Names(), Held: all - missing, Missing: j.missing.String(), Failure: j.failure(), Restored: j.restored + j.paths}
}

// gist is what describe tells, in short.
func (w *worker) gist(key routerKey) (g work) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if j := w.jobs[key]; j != nil {
		g = work{j.restored, j.paths, j.removed, j.complete(), j.missing.count(), j.failure()}
	}
	return g
}

// done reports whether nothing is left to do.
func (w *worker) done() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range w.jobs {
		if j.pending() {
			return false
		}
	}
	return !w.busy
}

// run works until the channel is closed.
func (w *worker) run(end <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-end:
			return
		case <-w.wake:
		case <-timer.C:
		}
		for w.work(time.Now()) {
			select {
			case <-end:
				return
			default:
			}
		}
		w.sweepNow()
		w.idle()
		timer.Stop()
		if at := w.deadline(); !at.IsZero() {
			timer.Reset(time.Until(at))
		}
	}
}

// work does what is due first, and reports whether anything was.
func (w *worker) work(now time.Time) bool {
	w.renew(now)
	if t := w.next(now); t != nil {
		w.perform(t)
		return true
	}
	return w.announceNext(now)
}

// renew begins leases anew, many at once, if one is due and nothing has changed, which
// comes first.
func (w *worker) renew(now time.Time) {
	w.mu.Lock()
	var r renewal
	if due(w.auditAt, now) && !slices.ContainsFunc(slices.Collect(maps.Values(w.pending)), (*job).pending) {
		r = renewalOf(w.jobs, now)
	}
	w.mu.Unlock()
	if len(r.jobs) == 0 {
		return
	}
	missing, err := w.edge.Renew(r.of)
	w.mu.Lock()
	defer w.mu.Unlock()
	r.done(now, missing, err)
	for _, j := range r.jobs {
		w.pending[j.key] = j
	}
}

// announceNext sends the next packet of an announcement that takes its time.
func (w *worker) announceNext(now time.Time) bool {
	w.mu.Lock()
	var next Holdings
	var of *job
	for _, j := range w.jobs {
		if len(j.unannounced) > 0 && due(j.nextAt, now) {
			of, next.Addresses = j, j.unannounced[:1]
			j.unannounced, j.nextAt = j.unannounced[1:], now.Add(j.how.Interval)
			break
		}
	}
	w.mu.Unlock()
	if of == nil {
		return false
	}
	if err := w.edge.Announce(next); err != nil {
		w.report(Event{At: now, Code: AddressesFailed, Level: slog.LevelWarn, Router: of.name, Text: firstOf(err)})
	}
	return true
}

// begin makes an announcement: at once, or the first packet of those that take their
// time.
func (w *worker) begin(t *task, now time.Time) error {
	all := t.how.packets(t.want.Addresses)
	if t.how.Interval == 0 {
		return w.edge.Announce(Holdings{Addresses: all})
	}
	w.mu.Lock()
	t.of.unannounced, t.of.nextAt = all, now
	w.mu.Unlock()
	return nil
}

// next takes the next task: the addresses of all routers come before the routes and rules of
// any, since only they decide who answers; and what has changed before what is
// audited.
func (w *worker) next(now time.Time) *task {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = true
	for l := range layers {
		for key, j := range w.pending {
			switch {
			case j.layers[l].due || l == ofAddresses && j.announce:
				return w.take(key, j, l, now)
			case !j.pending() && !j.forgotten:
				delete(w.pending, key)
			case !j.pending() && j.have.empty():
				delete(w.pending, key)
				delete(w.jobs, key)
			}
		}
		if !due(w.auditAt, now) {
			continue
		}
		for key, j := range w.jobs {
			if due(j.layers[l].auditAt, now) {
				return w.take(key, j, l, now)
			}
		}
	}
	w.busy = false
	if len(w.pending) == 0 { // Go's maps keep the room for all that were in them.
		w.pending = make(map[routerKey]*job)
	}
	return nil
}

// take copies what a job wants now of a layer.
func (w *worker) take(key routerKey, j *job, l layer, now time.Time) *task {
	at := &j.layers[l]
	at.due = at.due || due(at.auditAt, now) || !at.complete && l == ofAddresses
	drop := j.have.without(j.want)
	// A router that has changed its VRID must not lose an address to its former
	// self.
	if !drop.empty() {
		for _, o := range w.jobs {
			if drop.meets(o.want) {
				drop = drop.without(o.want)
			}
		}
	}
	t := &task{job: *j, of: j, layer: l, apply: at.due}
	t.hold, t.drop = j.part(l, j.touched(key.Interface)), j.part(l, drop)
	// What is wanted now is ours, whoever added it.
	j.foreign = j.strays().without(j.strays().without(drop)).Addresses
	t.foreign = j.foreign
	j.have = j.have.without(j.part(l, j.have)).with(t.hold).with(t.drop)
	at.due = false
	if l == ofAddresses {
		j.announce = false
	}
	return t
}

// perform makes the system calls of a task: it adds before it removes.
func (w *worker) perform(t *task) {
	var restored, removed Holdings
	var held, released, announced error
	if !t.hold.empty() && t.apply {
		var added Holdings
		if added, t.missing, held = w.edge.Hold(t.hold); t.layers[t.layer].complete {
			restored = added
		}
	}
	if !t.drop.empty() {
		removed, released = w.edge.Release(t.drop)
	}
	if t.layer == ofAddresses && !t.want.empty() && (t.announce || len(restored.Addresses) > 0) && w.wanted(t) {
		announced = w.begin(t, time.Now())
	}
	w.tell(t, time.Now(), restored, removed.without(removed.without(t.strays())))
	w.finish(t, time.Now(), errors.Join(held, released, announced), held == nil, released == nil)
}

// wanted reports whether what a task holds is what is wanted now.
func (w *worker) wanted(t *task) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return t.of.want.same(t.want)
}

// finish notes what came of a task, and when to look again.
func (w *worker) finish(t *task, now time.Time, err error, held, released bool) {
	w.mu.Lock()
	j, at := t.of, &t.of.layers[t.layer]
	if released {
		j.have, j.foreign = j.have.without(t.drop), j.strays().without(t.drop).Addresses
	}
	j.miss(t)
	j.fault(err)
	at.complete = held && !t.want.empty() && j.want.same(t.want)
	at.failure = ""
	if err != nil {
		at.failure = firstOf(err)
	}
	at.schedule(t, now)
	if t.layer == ofAddresses && t.apply && !j.have.with(j.want).paths().empty() {
		j.layers[ofPaths].due = true // They may need the addresses.
	}
	w.pending[j.key] = j
	failed, was := j.failure(), t.failure()
	w.mu.Unlock()

	switch {
	case failed == was:
	case failed == "":
		w.report(Event{At: now, Code: AddressesMended, Level: slog.LevelInfo, Router: t.name, Text: t.about() + "the addresses are as they should be again"})
	default:
		w.report(Event{At: now, Code: AddressesFailed, Level: slog.LevelWarn, Router: t.name, Text: t.about() + failed})
	}
}

// tell counts and reports what was mended of what somebody else had done.
func (w *worker) tell(t *task, now time.Time, restored, removed Holdings) {
	w.mu.Lock()
	j := t.of
	j.restored += uint64(len(restored.Addresses))
	j.paths += uint64(restored.paths().count())
	j.removed += uint64(len(removed.Addresses))
	count, again := j.removed, !removed.empty() && now.Sub(j.toldAt) >= tellEvery
	if again {
		j.toldAt = now
	}
	w.mu.Unlock()
	if !restored.empty() {
		w.report(Event{At: now, Code: AddressesRestored, Level: slog.LevelWarn, Router: t.name,
			Text: t.about() + "restored what somebody else had removed: " + restored.String()})
	}
	if again {
		w.report(Event{At: now, Code: AddressesRemoved, Level: slog.LevelWarn, Router: t.name,
			Text: fmt.Sprintf("removed what somebody else had added, since only the Master has it: %s (%d so far)", removed, count)})
	}
}

// deadline is when the next audit is due, or the next packet of an announcement.
func (w *worker) deadline() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.auditAt = time.Time{}
	var announce time.Time
	for _, j := range w.jobs {
		for _, at := range j.layers {
			w.auditAt = earliest(w.auditAt, at.auditAt)
		}
		if len(j.unannounced) > 0 {
			announce = earliest(announce, j.nextAt)
		}
	}
	return earliest(w.auditAt, announce)
}

// token puts one in, unless there is one already.
func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
