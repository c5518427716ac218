package resource

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

// Programs runs programs.
type Programs interface {
	Run(context.Context, spawn.Command) (spawn.Outcome, error)
}

// A Runner does what its Core decides. Its methods are safe for concurrent use; none but
// Finish waits.
type Runner struct {
	programs Programs
	answer   func(vrrp.Answer)
	tell     event.Sink
	work     context.Context
	end      context.CancelFunc
	running  sync.WaitGroup
	changed  chan struct{}

	mu    sync.Mutex // guards what follows
	core  Core
	timer *time.Timer       // of the core's deadline; nil: there is none
	idle  chan struct{}     // closed when nothing is under way; nil: nobody waits
	told  map[string]string // Barred, as told last
}

// NewRunner returns a Runner without resources, which answers the keeper's questions, and
// reports events to tell. Neither may block.
func NewRunner(programs Programs, answer func(vrrp.Answer), tell event.Sink) *Runner {
	r := &Runner{programs: programs, answer: answer, tell: tell, changed: make(chan struct{}, 1)}
	r.work, r.end = context.WithCancel(context.Background())
	return r
}

// Configure makes these the resources, of these routers.
func (r *Runner) Configure(routers []vrrp.Config, resources []config.Resource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.carryOut(r.core.Configure(time.Now(), routers, resources))
}

// Take takes what the keeper has told: events, the first one first, and then how all
// routers are; nil: nothing is said of that.
func (r *Runner) Take(statuses []*vrrp.Status, events []vrrp.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.carryOut(r.core.Take(time.Now(), statuses, events))
}

// Barred are why virtual routers must not be Master, by the names of their conditions.
// Changed tells of others.
func (r *Runner) Barred() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.core.Barred()
}

// Changed receives a token when Barred has changed.
func (r *Runner) Changed() <-chan struct{} { return r.changed }

// Retry lets what could not be started be started again.
func (r *Runner) Retry() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, effects := r.core.Retry(time.Now())
	r.carryOut(effects)
}

// Statuses are how the resources of each router and of each sync group are.
func (r *Runner) Statuses() (routers, groups map[string][]api.Resource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.core.Statuses()
}

// Finish stops what still runs when every router has stopped, and waits for it. What is
// under way when the context ends is ended.
func (r *Runner) Finish(ctx context.Context) {
	idle := make(chan struct{})
	r.mu.Lock()
	r.idle = idle
	r.carryOut(r.core.Finish(time.Now()))
	r.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
		r.tell(event.Event{At: time.Now(), Severity: event.Error, Code: "resources-cut-short", Text: "lvsd ends, although its resources have not all stopped",
			Attributes: []slog.Attr{slog.Any("why", context.Cause(ctx))}})
	}
	r.end()
	r.running.Wait()
}

// carryOut does what the core wants done, and sets the timer to its deadline.
func (r *Runner) carryOut(effects []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case Tell:
			r.tell(e.Event)
		case Answer:
			r.answer(e.Answer)
		case Run:
			r.running.Go(func() { r.run(e) })
		}
	}
	if r.idle != nil && r.core.Idle() {
		close(r.idle)
		r.idle = nil
	}
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	if at := r.core.Deadline(); !at.IsZero() && r.work.Err() == nil {
		r.timer = time.AfterFunc(time.Until(at), r.expire)
	}
	barred := r.core.Barred()
	if maps.Equal(barred, r.told) {
		return
	}
	r.told = barred
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

func (r *Runner) expire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.work.Err() == nil {
		r.carryOut(r.core.Expire(time.Now()))
	}
}

// run does something about one resource.
func (r *Runner) run(e Run) {
	var result Result
	if e.Action == Look && e.Resource.Directory != "" {
		result = mounted(e.Resource.Directory)
	} else {
		_, err := os.Stat(systemd)
		o, err := r.programs.Run(r.work, command(e.Action, e.Resource, err == nil))
		result = outcome(e.Action, o, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.carryOut(r.core.Ended(time.Now(), e.ID, result))
}
