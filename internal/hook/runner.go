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
	// forever is longer than any timer runs.
	forever = 1 << 62
	// inspection is the time between two looks at whether the programs can be run.
	inspection = time.Minute
)

// Programs runs programs, and knows which it could run.
type Programs interface {
	Run(context.Context, spawn.Command) (spawn.Outcome, error)
	// Keep runs one that stays, which reads what feed returns, and tells what it says.
	Keep(ctx context.Context, c spawn.Command, feed func(context.Context) []byte, said func(output []byte, cut int64)) (spawn.Outcome, error)
	// Check returns why a command could not be run now.
	Check(spawn.Command) error
}

// A Runner runs the hooks and the streams that its Core decides on. Its methods are safe for concurrent
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
	cancels  map[uint64]context.CancelFunc // by the number of the run
	feeds    map[uint64]chan struct{}      // get a token when there are lines for that run
	timer    *time.Timer                   // calls expire at the core's deadline
	hooks    []config.Hook
	unusable map[string]string // why, by user and program
	looking  bool
	looked   time.Time
}

// NewRunner returns a Runner without hooks, which reports events to tell, and answers the
// questions of virtual routers by answer. Neither may block.
func NewRunner(programs Programs, answer func(vrrp.Answer), tell event.Sink) *Runner {
	r := &Runner{programs: programs, tell: tell, answer: answer, cancels: make(map[uint64]context.CancelFunc), feeds: make(map[uint64]chan struct{}), slots: make(chan struct{}, maxRunning)}
	r.work, r.end = context.WithCancel(context.Background())
	r.timer = time.AfterFunc(forever, r.expire)
	r.timer.Stop()
	return r
}

// Configure makes these the hooks and the streams that run, for these routers.
func (r *Runner) Configure(routers []vrrp.Config, hooks []config.Hook, streams []config.Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hooks, r.looked = hooks, time.Time{}
	r.core.Follow(streams)
	r.carryOut(r.core.Configure(time.Now(), routers, hooks))
	r.inspect()
}

// Take takes what the keeper has told: events, the first one first, and then how all
// routers are; nil: nothing is said of that.
func (r *Runner) Take(statuses []*vrrp.Status, events []vrrp.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.carryOut(r.core.Take(time.Now(), statuses, events))
	r.inspect()
}

// Hear takes the states that virtual services and their servers are in. It never blocks.
func (r *Runner) Hear(states []api.ServiceState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.carryOut(r.core.Hear(time.Now(), states))
	r.inspect()
}

// Assert runs hooks again, as the core's Assert does, and calls done with what came of
// them.
func (r *Runner) Assert(names []string, by api.User, done func(api.Ordered)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.carryOut(r.core.Assert(time.Now(), names, by, done))
}

// Statuses are how the hooks of each owner are.
func (r *Runner) Statuses() map[config.Owner][]api.Hook {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.core.Statuses()
	for _, hooks := range all {
		for i := range hooks {
			hooks[i].Unusable = r.unusable[hooks[i].User+":"+hooks[i].Program]
		}
	}
	return all
}

// Streams are how the streams are.
func (r *Runner) Streams() []api.Stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.core.Streams()
}

// Finish runs the hooks that are told of the end of every router, once all have handed
// over, ends the input of streams, and waits for the last one. What still runs when the context ends is ended.
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
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timer.Stop()
}

// expire does what the core has scheduled.
func (r *Runner) expire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.carryOut(r.core.Expire(time.Now()))
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
		case Conclude:
			e.Asker(e.Outcome)
		case Start:
			r.begin(e.ID, func(ctx context.Context) (spawn.Outcome, error) { return r.run(ctx, e) })
		case Keep:
			r.feeds[e.ID] = make(chan struct{}, 1)
			r.begin(e.ID, func(ctx context.Context) (spawn.Outcome, error) { return r.keep(ctx, e) })
		case Feed:
			select {
			case r.feeds[e.ID] <- struct{}{}:
			default:
			}
		}
	}
	if next := r.core.Deadline(); next.IsZero() {
		r.timer.Stop()
	} else {
		r.timer.Reset(time.Until(next))
	}
}

// begin runs one program, which can be ended by its number.
func (r *Runner) begin(id uint64, run func(context.Context) (spawn.Outcome, error)) {
	ctx, cancel := context.WithCancel(r.work)
	r.cancels[id] = cancel
	r.running.Go(func() {
		o, err := run(ctx)
		r.mu.Lock()
		defer r.mu.Unlock()
		cancel()
		delete(r.cancels, id)
		delete(r.feeds, id)
		r.carryOut(r.core.Ended(time.Now(), id, o, err))
	})
}

// run runs one program, and waits for its end. One that is not urgent waits until there
// is room for it.
func (r *Runner) run(ctx context.Context, s Start) (spawn.Outcome, error) {
	if !s.Urgent {
		select {
		case r.slots <- struct{}{}:
			defer func() { <-r.slots }()
		case <-ctx.Done():
			return spawn.Outcome{}, context.Cause(ctx)
		}
	}
	return r.programs.Run(ctx, s.Command)
}

// keep runs a program that stays, and waits for its end.
func (r *Runner) keep(ctx context.Context, k Keep) (spawn.Outcome, error) {
	return r.programs.Keep(ctx, k.Command, func(ctx context.Context) []byte { return r.feed(ctx, k.ID) }, func(output []byte, cut int64) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.carryOut(r.core.Said(time.Now(), k.ID, output, cut))
	})
}

// feed waits until there are lines for a program, and returns them; nil: there will be
// none.
func (r *Runner) feed(ctx context.Context, id uint64) []byte {
	for ctx.Err() == nil {
		lines, more, last := r.lines(id)
		if lines != nil || last {
			return lines
		}
		select {
		case <-more:
		case <-ctx.Done():
		}
	}
	return nil
}

func (r *Runner) lines(id uint64) (lines []byte, more <-chan struct{}, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines, last, effects := r.core.Lines(time.Now(), id)
	r.carryOut(effects)
	return lines, r.feeds[id], last
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
