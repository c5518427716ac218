package hook

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/internal/text"
)

// A queue has the hooks of one owner, of which one runs at a time.
type queue struct {
	config.Owner
	wanted bool // the owner is configured
	hooks  []*entry
	// state is the owner's as last taken, and reason is why; empty: nothing was heard yet.
	state, reason string
	// dissolved: it was a sync group that is gone, though its routers are not: what was
	// known of them then. It hears nothing more.
	dissolved *facts
	pending   []run
	running   *run
}

// An entry is a hook, and how it has done.
type entry struct {
	config.Hook
	status api.Hook
	due    time.Time // when it is run again by its interval; zero: it is not
}

// A run is one of a hook, for a change.
type run struct {
	id    uint64
	hook  *entry
	cause change
	began time.Time
	// about is what a service's hook is told of; nil: the owner's state.
	about *api.ServiceState
	// outcome is where an order is told what came of it; nil: there was none.
	outcome *api.Asserted
	// overtaken: the state has changed since, so that it is ended.
	overtaken bool
}

// configure takes the hooks of a new configuration, and returns those that are new. One
// that was there before keeps its history.
func (q *queue) configure(hooks []config.Hook) (fresh []*entry) {
	before := q.hooks
	q.hooks = make([]*entry, 0, len(hooks))
	for _, h := range hooks {
		i := slices.IndexFunc(before, func(e *entry) bool { return same(e.Hook, h) })
		if i >= 0 {
			q.hooks = append(q.hooks, before[i])
			before = slices.Delete(slices.Clone(before), i, i+1)
			continue
		}
		e := &entry{Hook: h, status: api.Hook{Server: h.Server, On: h.On, Program: h.Run[0], User: h.User, Before: h.Before}}
		q.hooks, fresh = append(q.hooks, e), append(fresh, e)
	}
	q.pending = slices.DeleteFunc(q.pending, func(r run) bool { return !slices.Contains(q.hooks, r.hook) })
	return fresh
}

// welcome tells hooks that are new of the state that there is.
func (q *queue) welcome(fresh []*entry) {
	for _, e := range fresh {
		if q.state != "" && e.isFor(q.state) {
			q.pending = append(q.pending, run{hook: e, cause: change{to: q.state, reason: "the hook is new"}})
		}
	}
}

func same(a, b config.Hook) bool {
	return a.On == b.On && a.Before == b.Before && a.AtStart == b.AtStart && a.AtStop == b.AtStop && a.Server == b.Server && a.Required == b.Required && a.User == b.User && a.Timeout == b.Timeout && a.Assert == b.Assert && a.KillChildren == b.KillChildren && slices.Equal(a.Run, b.Run)
}

func (e *entry) isFor(state string) bool {
	return !e.Before && (e.On == state || e.On == config.AnyState)
}

// enter takes the state that the owner is in; empty: that is not certain. What has not begun for the one before
// it is left out, and reported.
func (q *queue) enter(now time.Time, state, reason string) []Effect {
	if state == q.state || state == "" {
		return nil
	}
	c := change{from: q.state, to: state, reason: reason}
	q.state, q.reason = state, reason
	effects := q.overtake()
	if len(q.pending) > 0 {
		var skipped []string
		for _, r := range q.pending {
			skipped = append(skipped, r.cause.to)
		}
		effects = append(effects, q.tell(now, event.Info, "hook-skipped", "hooks were skipped, because the state has changed again",
			slog.Any("skipped", slices.Compact(skipped)), slog.String("state", state)))
		q.pending = nil
	}
	for _, e := range q.hooks {
		if e.isFor(state) {
			q.pending = append(q.pending, run{hook: e, cause: c})
		}
	}
	return effects
}

// next begins what is pending first.
func (q *queue) next(now time.Time, id uint64, f facts) Start {
	r := q.pending[0]
	q.pending = q.pending[1:]
	r.id, r.began = id, now
	q.running = &r
	return r.start(f)
}

// start begins a run.
func (r *run) start(f facts) Start {
	r.hook.status.Running = true
	h, env := r.hook, r.cause.variables(f)
	if r.about != nil {
		env = r.cause.serviceVariables(r.about)
	}
	return Start{r.id, spawn.Command{Args: h.Run, Env: env, User: h.User, Timeout: h.Timeout, KillChildren: h.KillChildren}, h.Before}
}

// ended takes the outcome of what was running.
func (q *queue) ended(now time.Time, o spawn.Outcome, err error) []Effect {
	r := q.running
	q.running = nil
	if h := r.hook; h.Assert > 0 && q.state != stop && h.isFor(q.state) && slices.Contains(q.hooks, h) {
		h.due = now.Add(h.Assert)
	}
	if r.overtaken {
		r.hook.status.Running = false
		return []Effect{q.tell(now, event.Info, "hook-overtaken", "hook was ended, because the state has changed since", slog.String("state", r.cause.to), slog.String("program", r.hook.status.Program))}
	}
	return q.record(now, r, o, err)
}

// record takes the outcome of a run.
func (q *queue) record(now time.Time, r *run, o spawn.Outcome, err error) []Effect {
	s := &r.hook.status
	was := s.Last
	s.Running = false
	s.Runs++
	s.Last = api.HookRun{At: r.began, State: r.cause.to, Asserted: r.cause.asserted, Took: now.Sub(r.began), TookText: api.Duration(now.Sub(r.began)), OK: err == nil && o.OK(), Result: o.String()}
	if err != nil {
		s.Last.Result = err.Error()
	}
	if !s.Last.OK {
		s.Failures++
	}
	if r.outcome != nil {
		r.outcome.Outcome, r.outcome.HookRun = api.AssertedRun, s.Last
	}
	attrs := []slog.Attr{slog.String("state", r.cause.to), slog.String("program", s.Program)}
	if r.about != nil {
		s.Last.Server = r.about.Server
		attrs = append(attrs, serverAttr(r.about)...)
	}
	if r.cause.asserted != "" {
		attrs = append(attrs, slog.String("asserted", r.cause.asserted))
	}
	var effects []Effect
	for _, line := range o.Lines() {
		effects = append(effects, q.tell(now, event.Info, "hook-output", "hook: "+text.Printable(line), attrs...))
	}
	if r.cause.asserted == byInterval && s.Last.OK == was.OK && s.Last.Result == was.Result {
		return effects // as it was every time before
	}
	attrs = append(attrs, slog.String("result", s.Last.Result), slog.Duration("took", s.Last.Took.Round(time.Millisecond)))
	for _, n := range []struct {
		name  string
		count int64
	}{{"output_cut", o.Cut}, {"processes_ended", int64(o.Ended)}, {"processes_staying", int64(o.Staying)}, {"processes_not_ended", int64(o.Survived)}} {
		if n.count > 0 {
			attrs = append(attrs, slog.Int64(n.name, n.count))
		}
	}
	if s.Last.OK {
		return append(effects, q.tell(now, event.Info, "hook-run", "hook has run", attrs...))
	}
	return append(effects, q.tell(now, event.Warning, "hook-failed", "hook failed", attrs...))
}

// calledOff takes that a program was ended because nobody waits for it any more, which tells
// nothing of how it would have done.
func (q *queue) calledOff(now time.Time, r *run) []Effect {
	s := &r.hook.status
	s.Running = false
	s.Runs++
	s.CalledOff++
	return []Effect{q.tell(now, event.Info, "hook-called-off", "hook was ended, because the virtual router does not wait for it any more", slog.String("state", r.cause.to), slog.String("program", s.Program))}
}

// repeat adds what is to be run again by its interval, where nothing else is to be run.
func (q *queue) repeat(now time.Time) {
	if !q.idle() {
		return
	}
	for _, e := range q.hooks {
		if !e.due.IsZero() && !now.Before(e.due) {
			q.assert(e, byInterval, fmt.Sprintf("nothing has changed, and it is run every %v", e.Assert), nil)
		}
	}
}

// assert adds a run in the state that there is.
func (q *queue) assert(e *entry, why, reason string, outcome *api.Asserted) {
	e.due = time.Time{}
	q.pending = append(q.pending, run{hook: e, cause: change{q.state, q.state, reason, why}, outcome: outcome})
}

// overtake takes back the runs that were for the state before: in a new one they may do
// harm.
func (q *queue) overtake() []Effect {
	for _, e := range q.hooks {
		e.due = time.Time{}
	}
	q.pending = slices.DeleteFunc(q.pending, func(r run) bool { return r.cause.asserted != "" })
	if r := q.running; r != nil && r.cause.asserted != "" && !r.overtaken {
		r.overtaken = true
		return []Effect{Cancel{r.id}}
	}
	return nil
}

// deadline is when repeat has something to do; zero: it has not.
func (q *queue) deadline() (next time.Time) {
	for _, e := range q.hooks {
		if q.idle() {
			next = earliest(next, e.due)
		}
	}
	return next
}

// has reports whether an order waits for the queue.
func (q *queue) has(outcome *api.Asserted) bool {
	return q.running != nil && q.running.outcome == outcome || slices.ContainsFunc(q.pending, func(r run) bool { return r.outcome == outcome })
}

// idle reports whether nothing runs, nor will.
func (q *queue) idle() bool { return q.running == nil && len(q.pending) == 0 }

func (q *queue) tell(now time.Time, s slog.Level, code, what string, attrs ...slog.Attr) Effect {
	return Tell{event.Event{At: now, Severity: s, Code: code, Subject: q.Name(), Text: what,
		Attributes: append([]slog.Attr{q.Attr()}, attrs...)}}
}
