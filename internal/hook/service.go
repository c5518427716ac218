package hook

import (
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
)

// A service has the hooks of a virtual service and of its real servers, of which one runs
// at a time. Servers are known by their names, and the service itself by none.
type service struct {
	queue
	own map[string]bool // the servers that have hooks of their own
	// states are those that were taken last.
	states map[string]api.ServiceState
	// waiting are the runs for the state of each of those in line, who come first to last.
	waiting map[string][]run
	line    []string
}

// services are those that have hooks, or had some, by their names.
type services map[string]*service

// set takes the hooks of a configuration. One that is new is told of the states that there
// are, if it asks for that.
func (all services) set(of map[config.Owner][]config.Hook) {
	for _, s := range all {
		s.wanted = false
	}
	for o, hooks := range of {
		if o.Service == "" {
			continue
		}
		if all[o.Service] == nil {
			all[o.Service] = &service{queue: queue{Owner: o}, states: make(map[string]api.ServiceState), waiting: make(map[string][]run)}
		}
		all[o.Service].set(hooks)
	}
	for _, s := range all {
		if !s.wanted {
			s.line = nil
			clear(s.waiting)
			clear(s.states)
		}
	}
}

func (s *service) set(hooks []config.Hook) {
	s.wanted, s.own = true, make(map[string]bool)
	for _, h := range hooks {
		s.own[h.Server] = h.Server != ""
	}
	fresh := s.configure(hooks)
	for server, runs := range s.waiting {
		s.waiting[server] = slices.DeleteFunc(runs, func(r run) bool { return !slices.Contains(s.hooks, r.hook) || !s.tells(r.hook, r.about) })
	}
	for _, server := range slices.Sorted(maps.Keys(s.states)) {
		st := s.states[server]
		for _, e := range fresh {
			if e.AtStart && s.tells(e, &st) {
				s.add(run{hook: e, cause: change{to: st.State, reason: "the hook is new"}, about: &st})
			}
		}
	}
}

// tells reports whether a hook is for a state.
func (s *service) tells(e *entry, st *api.ServiceState) bool {
	server := ""
	if s.own[st.Server] {
		server = st.Server
	}
	return e.On == st.State && (st.Server == "" || e.Server == server)
}

// add has a run wait for those before it.
func (s *service) add(r run) {
	server := r.about.Server
	if _, inLine := s.waiting[server]; !inLine {
		s.line = append(s.line, server)
	}
	s.waiting[server] = append(s.waiting[server], r)
}

// hear takes a state. What has not begun for the one of the same server before is left
// out, and reported.
func (all services) hear(now time.Time, st api.ServiceState) []Effect {
	s := all[st.Service]
	if s == nil || !s.wanted {
		return nil
	}
	was := s.states[st.Server].State
	if was == st.State {
		return nil
	}
	if st.State == "" {
		delete(s.states, st.Server)
		s.drop(st.Server)
		return nil
	}
	s.states[st.Server] = st
	return s.enter(now, change{from: was, to: st.State, reason: st.Reason}, &st, func(e *entry) bool { return was != "" || e.AtStart })
}

// enter adds the runs for a state that those hooks are told of which want it.
func (s *service) enter(now time.Time, c change, st *api.ServiceState, wants func(*entry) bool) (effects []Effect) {
	if skipped := s.drop(st.Server); len(skipped) > 0 {
		effects = append(effects, s.tell(now, event.Info, "hook-skipped", "hooks were skipped, because the state has changed again",
			append(serverAttr(st), slog.Any("skipped", skipped), slog.String("state", st.State))...))
	}
	for _, e := range s.hooks {
		if s.tells(e, st) && wants(e) {
			s.add(run{hook: e, cause: c, about: st})
		}
	}
	return effects
}

// drop drops what waits for a server, which keeps its place in the line, and returns the
// states that it was for.
func (s *service) drop(server string) (states []string) {
	for _, r := range s.waiting[server] {
		states = append(states, r.cause.to)
	}
	if len(states) > 0 {
		s.waiting[server] = nil
	}
	return slices.Compact(states)
}

// finish has those run that are told of a stop of lvsd.
func (all services) finish(now time.Time) (effects []Effect) {
	ends := map[string]string{config.ServerUp: config.ServerDown, config.QuorumReached: config.QuorumLost}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s := all[name]
		for _, server := range slices.Sorted(maps.Keys(s.states)) {
			st := s.states[server]
			to := ends[st.State]
			if to == "" {
				continue
			}
			c := change{from: st.State, to: to, reason: "lvsd stops"}
			st.State = to
			effects = append(effects, s.enter(now, c, &st, func(e *entry) bool { return e.AtStop })...)
		}
	}
	return effects
}

// proceed begins what can begin, by the numbers of next, and forgets what nothing is left of.
func (all services) proceed(now time.Time, next func() uint64) (effects []Effect) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s := all[name]
		for s.idle() && len(s.line) > 0 {
			if first := s.line[0]; len(s.waiting[first]) > 0 {
				s.pending, s.waiting[first] = s.waiting[first][:1], s.waiting[first][1:]
				effects = append(effects, s.next(now, next(), facts{}))
			} else {
				delete(s.waiting, first)
				s.line = s.line[1:]
			}
		}
		if !s.wanted && s.idle() {
			delete(all, name)
		}
	}
	return effects
}
