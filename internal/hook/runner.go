package hook

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

const (
	// maxRunning bounds the programs that run at one time, for all routers: a
	// thousand may change their states together.
	maxRunning = 32
	// inspection is the time between two looks at whether the programs can be run.
	inspection = time.Minute
)

// Programs runs programs, and knows which it could run.
type Programs interface {
	Run(context.Context, spawn.Command) (spawn.Outcome, error)
	// Check returns why a command could not be run now.
	Check(spawn.Command) error
}

// A Runner runs the hooks that its Core decides on. Its methods are safe for concurrent
// use; none but Finish waits.
type Runner struct {
	programs Programs
	tell     event.Sink
	answer   func(vrrp.Answer)
	work     context.Context
	end      context.CancelFunc
	slots    chan struct{} // has a token for each program that runs
	running  sync.WaitGroup

	mu       sync.Mutex // guards what follows
	core     Core
	cancels  map[uint64]context.CancelFunc // of what is urgent, by Start.ID
	hooks    []config.Hook
	unusable map[string]string // why, by user and program
	looking  bool
	looked   time.Time
}

// NewRunner returns a Runner without hooks, which reports events to tell, and answers the
// questions of virtual routers by answer. Neither may block.
func NewRunner(programs Programs, answer func(vrrp.Answer), tell event.Sink) *Runner {
	r := &Runner{programs: programs, tell: tell, answer: answer, cancels: make(map[uint64]context.CancelFunc), slots: make(chan struct{}, maxRunning)}
	r.work, r.end = context.WithCancel(context.Background())
	return r
}

// Configure makes these the hooks that run, for these routers.
func (r *Runner) Configure(routers []vrrp.Config, hooks []config.Hook) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hooks, r.looked = hooks, time.Time{}
	r.carryOut(r.core.Configure(time.Now(), routers, hooks))
	r.inspect()
}

// Take takes what the keeper has told: events, the first one first, and then how all
// routers are; nil: nothing is said of that.
func (r *Runner) Take(statuses []vrrp.Status, events []vrrp.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.carryOut(r.core.Take(time.Now(), statuses, events))
	r.inspect()
}

// Statuses are how the hooks of each router and of each sync group are.
func (r *Runner) Statuses() (routers, groups map[string][]api.Hook) {
	r.mu.Lock()
	defer r.mu.Unlock()
	routers, groups = r.core.Statuses()
	for _, all := range []map[string][]api.Hook{routers, groups} {
		for _, hooks := range all {
			for i := range hooks {
				hooks[i].Unusable = r.unusable[hooks[i].User+":"+hooks[i].Program]
			}
		}
	}
	return routers, groups
}

// Finish runs the hooks that are told of the end of every router, once all have handed
// over, and waits for the last one. What still runs when the context ends is ended.
func (r *Runner) Finish(ctx context.Context) {
	r.mu.Lock()
	r.carryOut(r.core.Finish(time.Now()))
	r.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.running.Wait()
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		r.tell(event.Event{At: time.Now(), Severity: event.Warning, Code: "hooks-cut-short", Text: "lvsd ends, so the hooks that still run are ended, and the others are not run",
			Attributes: []slog.Attr{slog.Any("why", context.Cause(ctx))}})
	}
	r.end()
	<-ended
}

// carryOut does what the core wants done.
func (r *Runner) carryOut(effects []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case Tell:
			r.tell(e.Event)
		case Reply:
			r.answer(vrrp.Answer(e))
		case Cancel:
			r.cancels[e.ID]()
		case Start:
			if e.Urgent {
				r.runNow(e)
				continue
			}
			r.running.Go(func() { r.run(e) })
		}
	}
}

// runNow runs one program that others wait for, and that can be called off.
func (r *Runner) runNow(s Start) {
	ctx, cancel := context.WithCancel(r.work)
	r.cancels[s.ID] = cancel
	r.running.Go(func() {
		o, err := r.programs.Run(ctx, s.Command)
		r.mu.Lock()
		defer r.mu.Unlock()
		cancel()
		delete(r.cancels, s.ID)
		r.carryOut(r.core.Ended(time.Now(), s.ID, o, err))
	})
}

// run runs one program, when there is room for it.
func (r *Runner) run(s Start) {
	var o spawn.Outcome
	var err error
	select {
	case r.slots <- struct{}{}:
		o, err = r.programs.Run(r.work, s.Command)
		<-r.slots
	case <-r.work.Done():
		err = context.Cause(r.work)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.carryOut(r.core.Ended(time.Now(), s.ID, o, err))
}

// inspect looks, beside the caller, whether the programs can be run, unless that was
// done shortly before: who learns it when an address moves learns it too late.
func (r *Runner) inspect() {
	now := time.Now()
	if r.looking || len(r.hooks) == 0 || now.Sub(r.looked) < inspection {
		return
	}
	r.looking, r.looked = true, now
	hooks := r.hooks
	go func() { // A disk may hang. Nobody waits for it.
		unusable := make(map[string]string)
		for _, h := range hooks {
			if err := r.programs.Check(spawn.Command{Args: h.Run, User: h.User}); err != nil {
				unusable[h.User+":"+h.Run[0]] = err.Error()
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.unusable, r.looking = unusable, false
	}()
}
