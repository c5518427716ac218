package vrrp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// auditEvery is how often permanent addresses are looked after.
	auditEvery = 10 * time.Second
	// workAgain is how soon the worker tries again what the kernel refused.
	workAgain = time.Second
	// renewals is how often an address is renewed during its lifetime.
	renewals = 3
)

// A worker holds and releases addresses and announces them. It may wait for
// the kernel as long as it takes, and then goes on with what is wanted then:
// what was wanted in between is never done.
type worker struct {
	addrs  Addresses
	report func(Event)
	settle func() // called when the worker has nothing more to do
	wake   chan struct{}

	mu    sync.Mutex
	jobs  map[memberKey]*job
	queue []*job
	busy  bool
}

// A job is the addresses of one router.
type job struct {
	key      memberKey
	name     string
	want     []InterfaceAddress
	lifetime time.Duration
	announce bool
	// touch: the addresses are to be held or released, not only announced.
	touch  bool
	queued bool
	// forgotten: the router is gone, and the job goes when it is done.
	forgotten bool

	// have are addresses that may be there and are ours.
	have []InterfaceAddress
	// settled: what is wanted was there, so that what is missing was removed
	// by somebody else.
	settled  bool
	auditAt  time.Time
	failure  string // as last reported
	restored uint64
}

func newWorker(addrs Addresses, report func(Event), settle func()) *worker {
	return &worker{addrs: addrs, report: report, settle: settle, wake: make(chan struct{}, 1), jobs: make(map[memberKey]*job)}
}

// change applies f to a router's job, which is done after start.
func (w *worker) change(key memberKey, f func(*job)) {
	w.mu.Lock()
	j := w.jobs[key]
	if j == nil {
		j = &job{key: key}
		w.jobs[key] = j
	}
	j.forgotten = false
	f(j)
	w.enqueue(j)
	w.mu.Unlock()
}

// start has the changes done.
func (w *worker) start() { token(w.wake) }

func (w *worker) enqueue(j *job) {
	if !j.queued {
		j.queued = true
		w.queue = append(w.queue, j)
	}
}

func (w *worker) hold(key memberKey, name string, addrs []InterfaceAddress, lifetime time.Duration) {
	w.change(key, func(j *job) {
		j.settled = j.settled && slices.Equal(j.want, addrs)
		j.name, j.want, j.lifetime, j.touch = name, addrs, lifetime, true
	})
}

func (w *worker) release(key memberKey) {
	w.change(key, func(j *job) { j.want, j.announce, j.settled, j.touch = nil, false, false, true })
}

func (w *worker) announce(key memberKey) {
	w.change(key, func(j *job) { j.announce = true })
}

// adopt tells of addresses that are there and ours, without touching them.
func (w *worker) adopt(key memberKey, name string, addrs []InterfaceAddress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.jobs[key] == nil {
		w.jobs[key] = &job{key: key}
	}
	j := w.jobs[key]
	j.name, j.have, j.forgotten = name, addrs, false
}

// forget lets go of a job as soon as it has nothing left to do.
func (w *worker) forget(key memberKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if j := w.jobs[key]; j != nil {
		j.forgotten = true
		w.clean(key, j)
	}
}

func (w *worker) clean(key memberKey, j *job) {
	if j.forgotten && !j.queued && len(j.have) == 0 {
		delete(w.jobs, key)
	}
}

// keep makes addresses permanent where they are held.
func (w *worker) keep(key memberKey) {
	w.change(key, func(j *job) { j.lifetime, j.touch = 0, true })
}

// audit queues the jobs of which an address is missing.
func (w *worker) audit(present map[InterfaceAddress]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range w.jobs {
		if j.settled && slices.ContainsFunc(j.want, func(a InterfaceAddress) bool { return !present[a] }) {
			j.touch = true
			w.enqueue(j)
			w.start()
		}
	}
}

func (w *worker) restored(key memberKey) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if j := w.jobs[key]; j != nil {
		return j.restored
	}
	return 0
}

// quiet tells that nothing is left to do.
func (w *worker) quiet() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.busy && len(w.queue) == 0
}

// run works until done is closed.
func (w *worker) run(done <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-done:
			return
		case <-w.wake:
		case <-timer.C:
		}
		for t := w.next(time.Now()); t != nil; t = w.next(time.Now()) {
			w.work(t)
			select {
			case <-done:
				return
			default:
			}
		}
		w.settle()
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
	hold     []InterfaceAddress
	drop     []InterfaceAddress
	lifetime time.Duration
	touch    bool
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
				j.touch = true
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
	return w.begin(j)
}

// begin copies what a job wants now.
func (w *worker) begin(j *job) *task {
	t := &task{job: j, name: j.name, hold: j.want, lifetime: j.lifetime,
		touch: j.touch || !j.settled, announce: j.announce, audit: j.settled}
	have := slices.Clone(j.want)
	for _, a := range j.have {
		if !slices.Contains(j.want, a) && !w.wanted(a) {
			t.drop = append(t.drop, a)
			have = append(have, a)
		}
	}
	j.have = have
	j.queued, j.announce, j.touch = false, false, false
	return t
}

// wanted tells whether any router wants an address: one that has changed its
// VRID must not lose it to its former self.
func (w *worker) wanted(a InterfaceAddress) bool {
	for _, j := range w.jobs {
		if slices.Contains(j.want, a) {
			return true
		}
	}
	return false
}

// work makes the system calls of a task: it adds before it removes.
func (w *worker) work(t *task) {
	var added []InterfaceAddress
	var held, released, announced error
	if len(t.hold) > 0 && t.touch {
		added, held = w.addrs.Hold(t.hold, t.lifetime)
	}
	if len(t.drop) > 0 {
		released = w.addrs.Release(t.drop)
	}
	var restored []InterfaceAddress
	if t.audit {
		restored = added
	}
	if len(t.hold) > 0 && (t.announce || len(restored) > 0) && w.still(t) {
		announced = w.addrs.Announce(t.hold)
	}
	w.end(t, time.Now(), restored, held, released, announced)
}

// still tells whether a task's addresses are the ones that are wanted now.
func (w *worker) still(t *task) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Equal(t.job.want, t.hold)
}

// end notes what came of a task, and tells when to look again.
func (w *worker) end(t *task, now time.Time, restored []InterfaceAddress, held, released, announced error) {
	w.mu.Lock()
	j := t.job
	if released == nil {
		j.have = slices.DeleteFunc(slices.Clone(j.have), func(a InterfaceAddress) bool { return slices.Contains(t.drop, a) })
	}
	j.restored += uint64(len(restored))
	j.settled = held == nil && len(t.hold) > 0 && slices.Equal(j.want, t.hold)
	failure := errors.Join(held, released, announced)
	switch {
	case failure != nil:
		j.auditAt = now.Add(workAgain)
	case !t.touch:
		// When to look again stays as it was.
	case len(j.want) > 0 && j.lifetime > 0:
		j.auditAt = now.Add(j.lifetime / renewals)
	case len(j.want) > 0:
		j.auditAt = now.Add(auditEvery)
	default:
		j.auditAt = time.Time{}
	}
	told := j.failure
	j.failure = ""
	if failure != nil {
		j.failure = failure.Error()
	}
	failed := j.failure
	w.clean(j.key, j)
	w.mu.Unlock()

	if failed != told && failed != "" {
		w.report(Event{At: now, Router: t.name, Text: failed, Failure: true})
	}
	if len(restored) > 0 {
		w.report(Event{At: now, Router: t.name, Text: "restored what somebody else had removed: " + listRestored(restored), Failure: true})
	}
}

// listRestored writes addresses with their interfaces for the log.
func listRestored(addrs []InterfaceAddress) string {
	names := make([]string, 0, maxListed)
	for _, a := range addrs[:min(len(addrs), maxListed)] {
		names = append(names, fmt.Sprintf("%s on %s", a.Prefix, a.Interface))
	}
	text := strings.Join(names, ", ")
	if more := len(addrs) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// deadline is when the next audit is due.
func (w *worker) deadline() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	var first time.Time
	for _, j := range w.jobs {
		if at := j.auditAt; !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}
