package resource

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
)

// tryAgain is how long after it failed a resource is stopped again.
const tryAgain = 30 * time.Second

// A list has the resources of one owner. One thing is done at a time.
type list struct {
	config.Owner
	configured bool
	routers    []string // its owner, or those of that group
	items      []*item  // in the order in which they are started
	// retired are no longer configured, and are stopped before anything else is done.
	retired  []*item
	standing standing
	// barred is why it is not started until somebody asks for that: one of it could not
	// be started.
	barred  string
	retryAt time.Time // when what could not be stopped is stopped again; zero: nothing
	// does is what is being done, about subject.
	does    Action
	subject *item
	id      uint64
}

// configure takes the resources of a new configuration. One that is the same but for how
// it is looked at or stopped stays as it is.
func (l *list) configure(wanted []config.Resource) {
	before := l.items
	l.items = make([]*item, 0, len(wanted))
	changed := len(before) != len(wanted)
	for _, r := range wanted {
		i := slices.IndexFunc(before, func(b *item) bool { return sameThing(b.Resource, r) })
		if i < 0 {
			changed = true
			l.items = append(l.items, &item{Resource: r})
			continue
		}
		before[i].Resource = r
		l.items = append(l.items, before[i])
		before = slices.Delete(slices.Clone(before), i, i+1)
	}
	for _, b := range before {
		if b.state != stopped {
			l.retired = append(l.retired, b)
		}
	}
	if changed || len(before) > 0 {
		l.barred = ""
	}
}

// sameThing reports whether two resources are started in the same way.
func sameThing(a, b config.Resource) bool {
	return a.Kind == b.Kind && a.Name == b.Name && a.User == b.User && slices.Equal(a.Start, b.Start)
}

// want takes what the owner's routers want now.
func (l *list) want(s standing) {
	if s.wish != l.standing.wish {
		l.retryAt = time.Time{}
		for _, i := range l.all() {
			if i.state == stuck {
				i.state = unknown
			}
		}
	}
	l.standing = s
}

// all are its items, in the order in which they were started.
func (l *list) all() []*item { return slices.Concat(l.items, l.retired) }

// wanted is what is wanted of its items, all things considered.
func (l *list) wanted() wish {
	if l.standing.wish == up && l.barred != "" {
		return down
	}
	return l.standing.wish
}

// idle reports that everything is done that can be done now.
func (l *list) idle() bool {
	_, next := l.next()
	return next == "" && l.does == ""
}

// stopped reports whether all of it has stopped; ok: nothing is stuck.
func (l *list) stopped() (all, ok bool) {
	for _, i := range l.all() {
		if i.state != stopped && i.state != stuck {
			return false, false
		}
	}
	return l.does == "", !slices.ContainsFunc(l.all(), func(i *item) bool { return i.state == stuck })
}

// stuck names what could not be stopped, and why.
func (l *list) stuck() (all []string) {
	for _, i := range l.all() {
		if i.state == stuck {
			all = append(all, fmt.Sprintf("%v could not be stopped: %s", i, i.failure))
		}
	}
	return all
}

// next is what has to be done next; nil: nothing.
func (l *list) next() (*item, Action) {
	if l.does != "" {
		return nil, ""
	}
	if i, a := lastToStop(l.retired); i != nil {
		return i, a
	}
	switch l.wanted() {
	case up:
		for _, i := range l.items {
			if i.state != running {
				return i, i.first(Start)
			}
		}
	case down:
		return lastToStop(l.items)
	}
	return nil, ""
}

// lastToStop is the last that has not stopped.
func lastToStop(items []*item) (*item, Action) {
	for _, i := range slices.Backward(items) {
		if i.state != stopped && i.state != stuck {
			return i, i.first(Stop)
		}
	}
	return nil, ""
}

// begin begins what is next, if there is anything.
func (l *list) begin(id uint64) (effects []Effect, begun bool) {
	i, a := l.next()
	if i == nil {
		return nil, false
	}
	l.subject, l.does, l.id = i, a, id
	return []Effect{Run{ID: id, Action: a, Resource: i.Resource}}, true
}

// ended takes what came of it.
func (l *list) ended(now time.Time, r Result) []Effect {
	i, did := l.subject, l.does
	l.subject, l.does = nil, ""
	i.take(now, did, r)
	switch {
	case did == Start && !r.OK:
		l.barred = fmt.Sprintf("%v could not be started: %s", i, r.Text)
		return l.tell(now, event.Error, "resource-failed", i, "resource could not be started, so this director stands back until \"lvsd resume\"", r)
	case did == Start:
		return l.tell(now, event.Info, "resource-started", i, "resource is running", r)
	case did == Stop && !r.OK:
		l.retryAt = now.Add(tryAgain)
		return l.tell(now, event.Error, "resource-stuck", i, fmt.Sprintf("resource could not be stopped, and may still be in use here; it is tried again every %v", tryAgain), r)
	case did == Stop:
		l.retired = slices.DeleteFunc(l.retired, func(r *item) bool { return r.state == stopped })
		return l.tell(now, event.Info, "resource-stopped", i, "resource has stopped", r)
	case r.Runs && l.wanted() == up:
		return l.tell(now, event.Info, "resource-adopted", i, "resource is running already, and is taken over", r)
	}
	l.retired = slices.DeleteFunc(l.retired, func(r *item) bool { return r.state == stopped })
	return nil
}

// expire tries again to stop what could not be stopped.
func (l *list) expire(now time.Time) {
	if l.retryAt.IsZero() || now.Before(l.retryAt) {
		return
	}
	l.retryAt = time.Time{}
	for _, i := range l.all() {
		if i.state == stuck {
			i.state = doubtful
		}
	}
}

func (l *list) statuses() (all []api.Resource) {
	for _, i := range l.all() {
		does := Action("")
		if i == l.subject {
			does = l.does
		}
		all = append(all, i.status(does))
	}
	return all
}

func (l *list) tell(now time.Time, s slog.Level, code string, i *item, what string, r Result) []Effect {
	attrs := []slog.Attr{l.Attr(), slog.String("kind", i.Kind), slog.String("name", i.Name)}
	if r.Text != "" {
		attrs = append(attrs, slog.String("result", r.Text))
	}
	return []Effect{Tell{event.Event{At: now, Severity: s, Code: code, Subject: l.Name(), Text: what, Attributes: attrs}}}
}
