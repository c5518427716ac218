package hook

import (
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
	owner
	wanted bool // the owner is configured
	hooks  []*entry
	// state is the owner's as last taken; empty: nothing was heard yet.
	state string
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
}

// A run is one of a hook, for a change.
type run struct {
	id    uint64
	hook  *entry
	cause change
	began time.Time
}

// configure takes the hooks of a new configuration. One that was there before keeps
// its history; a new one is told of the state that there is.
func (q *queue) configure(hooks []config.Hook) {
	before := q.hooks
	q.hooks = make([]*entry, 0, len(hooks))
	for _, h := range hooks {
		i := slices.IndexFunc(before, func(e *entry) bool { return same(e.Hook, h) })
		if i >= 0 {
			q.hooks = append(q.hooks, before[i])
			before = slices.Delete(slices.Clone(before), i, i+1)
			continue
		}
		e := &entry{Hook: h, status: api.Hook{On: h.On, Program: h.Run[0], User: h.User}}
		q.hooks = append(q.hooks, e)
		if q.state != "" && e.isFor(q.state) {
			q.pending = append(q.pending, run{hook: e, cause: change{to: q.state, reason: "the hook is new"}})
		}
	}
	q.pending = slices.DeleteFunc(q.pending, func(r run) bool { return !slices.Contains(q.hooks, r.hook) })
}

func same(a, b config.Hook) bool {
	return a.On == b.On && a.Before == b.Before && a.AtStart == b.AtStart && a.Required == b.Required && a.User == b.User && a.Timeout == b.Timeout && a.KillChildren == b.KillChildren && slices.Equal(a.Run, b.Run)
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
	c := change{q.state, state, reason}
	q.state = state
	var effects []Effect
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
	h := r.hook
	return Start{r.id, spawn.Command{Args: h.Run, Env: r.cause.variables(f), User: h.User, Timeout: h.Timeout, KillChildren: h.KillChildren}, h.Before}
}

// ended takes the outcome of what was running.
func (q *queue) ended(now time.Time, o spawn.Outcome, err error) []Effect {
	r := q.running
	q.running = nil
	return q.record(now, r, o, err)
}

// record takes the outcome of a run.
func (q *queue) record(now time.Time, r *run, o spawn.Outcome, err error) []Effect {
	s := &r.hook.status
	s.Running = false
	s.Runs++
	s.Last = api.HookRun{At: r.began, State: r.cause.to, Took: now.Sub(r.began), TookText: api.Duration(now.Sub(r.began)), OK: err == nil && o.OK(), Result: o.String()}
	if err != nil {
		s.Last.Result = err.Error()
	}
	if !s.Last.OK {
		s.Failures++
	}
	attrs := []slog.Attr{slog.String("state", r.cause.to), slog.String("program", s.Program)}
	var effects []Effect
	for _, line := range o.Lines() {
		effects = append(effects, q.tell(now, event.Info, "hook-output", "hook: "+text.Printable(line), attrs...))
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

// idle reports whether nothing runs, nor will.
func (q *queue) idle() bool { return q.running == nil && len(q.pending) == 0 }

func (q *queue) tell(now time.Time, s slog.Level, code, what string, attrs ...slog.Attr) Effect {
	kind := "router"
	if q.group {
		kind = "sync_group"
	}
	return Tell{event.Event{At: now, Severity: s, Code: code, Subject: q.name, Text: what,
		Attributes: append([]slog.Attr{slog.String(kind, q.name)}, attrs...)}}
}
