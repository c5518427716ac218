package vrrp

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// auditEvery is how often permanent holdings are looked after.
	auditEvery = 10 * time.Second
	// retryAfter is how soon the worker tries again what the kernel refused.
	retryAfter = time.Second
	// renewals is how often a lease is renewed before it ends.
	renewals = 3
)

// A worker makes the kernel agree with what the routers want to hold, and
// announces it. It may wait for the kernel as long as it takes, and then goes
// on with what is wanted then: what was wanted in between is never done.
type worker struct {
	edge   Holder
	report func(Event)
	idle   func() // called when the worker has nothing more to do
	wake   chan struct{}

	mu    sync.Mutex
	jobs  map[memberKey]*job
	queue []*job
	busy  bool
}

// A job is the holdings of one router.
type job struct {
	key      memberKey
	name     string
	want     Holdings
	announce bool
	// apply: the kernel is to be made to agree; without it there is only
	// something to announce.
	apply  bool
	queued bool
	// forgotten: the router is gone, and the job goes when it is done.
	forgotten bool

	// have may be there and is ours.
	have Holdings
	// complete: all that is wanted was there, so that what is missing was
	// removed by somebody else.
	complete bool
	auditAt  time.Time
	failure  string // as last reported
	restored uint64
}

func newWorker(edge Holder, report func(Event), idle func()) *worker {
	return &worker{edge: edge, report: report, idle: idle, wake: make(chan struct{}, 1), jobs: make(map[memberKey]*job)}
}

// set sets what a router wants to hold. It is applied once the
// worker is woken.
func (w *worker) set(key memberKey, name string, want Holdings) {
	w.change(key, func(j *job) {
		j.complete = j.complete && j.want.same(want)
		j.announce = j.announce && !want.empty()
		j.name, j.want, j.apply = name, want, true
	})
}

// keep makes what a router holds permanent. Adopted holdings stay as they were
// found.
func (w *worker) keep(key memberKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if j := w.jobs[key]; j != nil && !j.want.empty() {
		j.want.Lease, j.apply = 0, true
		w.enqueue(j)
	}
}

// announce announces what a router holds, once it is there.
func (w *worker) announce(key memberKey) {
	w.change(key, func(j *job) { j.announce = true })
}

// change applies f to a router's job, which is done once the worker is woken.
func (w *worker) change(key memberKey, f func(*job)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	j := w.job(key)
	f(j)
	w.enqueue(j)
}

// job returns a router's job, also one that does not know of it yet.
func (w *worker) job(key memberKey) *job {
	j := w.jobs[key]
	if j == nil {
		j = &job{key: key}
		w.jobs[key] = j
	}
	j.forgotten = false
	return j
}

func (w *worker) enqueue(j *job) {
	if !j.queued {
		j.queued = true
		w.queue = append(w.queue, j)
	}
}

// adopt notes holdings that are there and ours, and does not touch them.
func (w *worker) adopt(key memberKey, name string, have Holdings) {
	w.mu.Lock()
	defer w.mu.Unlock()
	j := w.job(key)
	j.name, j.have = name, have
}

// forget drops a job as soon as it has nothing left to do.
func (w *worker) forget(key memberKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if j := w.jobs[key]; j != nil {
		j.forgotten = true
		w.clean(j)
	}
}

func (w *worker) clean(j *job) {
	if j.forgotten && !j.queued && j.have.empty() {
		delete(w.jobs, j.key)
	}
}

// audit queues the jobs of which something is missing.
func (w *worker) audit(present map[InterfaceAddress]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range w.jobs {
		if j.complete && slices.ContainsFunc(j.want.Addresses, func(a InterfaceAddress) bool { return !present[a] }) {
			j.apply = true
			w.enqueue(j)
			token(w.wake)
		}
	}
}

// restored returns how often something was put back that somebody else had
// removed.
func (w *worker) restored(key memberKey) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if j := w.jobs[key]; j != nil {
		return j.restored
	}
	return 0
}

// done reports whether nothing is left to do.
func (w *worker) done() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.busy && len(w.queue) == 0
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
		for t := w.next(time.Now()); t != nil; t = w.next(time.Now()) {
			w.perform(t)
			select {
			case <-end:
				return
			default:
			}
		}
		w.idle()
		timer.Stop()
		if at := w.deadline(); !at.IsZero() {
			timer.Reset(time.Until(at))
		}
	}
}

// A task is what there is to do for a job at one moment.
type task struct {
	job      *job
	name     string
	hold     Holdings
	drop     Holdings
	apply    bool
	announce bool
	audit    bool // all was there before
}

// next takes the next task: first what has changed, then what is due for an
// audit.
func (w *worker) next(now time.Time) *task {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = false
	if len(w.queue) == 0 {
		for _, j := range w.jobs {
			if due(j.auditAt, now) {
				j.apply = true
				w.enqueue(j)
			}
		}
	}
	if len(w.queue) == 0 {
		return nil
	}
	j := w.queue[0]
	w.queue = w.queue[1:]
	w.busy = true
	return w.take(j)
}

// take copies what a job wants now.
func (w *worker) take(j *job) *task {
	t := &task{job: j, name: j.name, hold: j.want, drop: j.have.without(j.want),
		apply: j.apply || !j.complete, announce: j.announce, audit: j.complete}
	// A router that has changed its VRID must not lose an address to its former
	// self.
	for _, o := range w.jobs {
		if t.drop.empty() {
			break
		}
		t.drop = t.drop.without(o.want)
	}
	j.have.Addresses = slices.Concat(j.want.Addresses, t.drop.Addresses)
	j.queued, j.announce, j.apply = false, false, false
	return t
}

// perform makes the system calls of a task: it adds before it removes.
func (w *worker) perform(t *task) {
	var restored Holdings
	var held, released, announced error
	if !t.hold.empty() && t.apply {
		var added Holdings
		if added, held = w.edge.Hold(t.hold); t.audit {
			restored = added
		}
	}
	if !t.drop.empty() {
		released = w.edge.Release(t.drop)
	}
	if !t.hold.empty() && (t.announce || !restored.empty()) && w.wanted(t) {
		announced = w.edge.Announce(t.hold)
	}
	w.finish(t, time.Now(), restored, held, released, announced)
}

// wanted reports whether what a task holds is what is wanted now.
func (w *worker) wanted(t *task) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return t.job.want.same(t.hold)
}

// finish notes what came of a task, and when to look again.
func (w *worker) finish(t *task, now time.Time, restored Holdings, held, released, announced error) {
	w.mu.Lock()
	j := t.job
	if released == nil {
		j.have = j.have.without(t.drop)
	}
	j.restored += uint64(len(restored.Addresses))
	j.complete = held == nil && !t.hold.empty() && j.want.same(t.hold)
	failure := errors.Join(held, released, announced)
	switch {
	case failure != nil:
		j.auditAt = now.Add(retryAfter)
	case !t.apply:
		// When to look again stays as it was.
	case j.want.empty():
		j.auditAt = time.Time{}
	case j.want.Lease > 0:
		j.auditAt = now.Add(j.want.Lease / renewals)
	default:
		j.auditAt = now.Add(auditEvery)
	}
	told := j.failure
	j.failure = ""
	if failure != nil {
		j.failure = failure.Error()
	}
	failed := j.failure
	w.clean(j)
	w.mu.Unlock()

	if failed != told && failed != "" {
		w.report(Event{At: now, Code: AddressesFailed, Level: slog.LevelWarn, Router: t.name, Text: failed})
	}
	if !restored.empty() {
		w.report(Event{At: now, Code: AddressesRestored, Level: slog.LevelWarn, Router: t.name,
			Text: "restored what somebody else had removed: " + restored.String()})
	}
}

// deadline is when the next audit is due.
func (w *worker) deadline() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	var first time.Time
	for _, j := range w.jobs {
		first = earliest(first, j.auditAt)
	}
	return first
}

// String lists the addresses with their interfaces for the log.
func (h Holdings) String() string {
	names := make([]string, 0, maxListed)
	for _, a := range h.Addresses[:min(len(h.Addresses), maxListed)] {
		names = append(names, fmt.Sprintf("%s on %s", a.Prefix, a.Interface))
	}
	text := strings.Join(names, ", ")
	if more := len(h.Addresses) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
