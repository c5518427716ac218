package director

import (
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// Healths holds the health of every real server in every virtual service, and
// knows which of them a result concerns. Rise and fall belong to the server in
// its service; the probe itself is shared by whoever asks for the same target.
//
// A server is known by its place in the configuration, Services[i].Servers[j]:
// with ten thousand of them, what is said there is not said here again.
type Healths struct {
	services []config.Service
	servers  [][]server
	// watches are the targets, and unheard is how many of them have had no
	// result yet.
	watches map[checker.Target]*watch
	unheard int
}

// A watch is a target with the checks that its results go to.
type watch struct {
	waiters []waiter
	heard   bool
}

// A waiter is one check that waits for a target's results, by its place:
// Services[service].Servers[server].Checks[check].
type waiter struct{ service, server, check int32 }

// A server is the health of one real server in one service.
type server struct {
	// checks are as many as in the configuration, in its order.
	checks []checker.Health
	since  time.Time
}

// A Change is a real server whose state has become another one.
type Change struct {
	Service string // the service's name
	Server  string // the server's name
	Address ipvsctl.DestinationKey
	State   checker.State
	// Detail says what the deciding probe found.
	Detail string
}

// Configure makes the services' servers those that are known. Servers known
// before keep their health, also where their checks are others now: a change
// of a check is no reason to take a server out. New ones are taken over as
// they are found in the table, and wait for their first result otherwise.
func (h *Healths) Configure(now time.Time, services []config.Service, found ipvsctl.Table) {
	old := *h
	*h = Healths{
		services: services,
		servers:  make([][]server, len(services)),
		watches:  make(map[checker.Target]*watch, len(old.watches)),
	}
	places := make(map[ipvsctl.ServiceKey]int, len(old.services))
	for i := range old.services {
		places[old.services[i].Key] = i
	}
	known := make(map[ipvsctl.DestinationKey]int)
	for i := range services {
		clear(known)
		was, ok := places[services[i].Key]
		if ok {
			for j := range old.services[was].Servers {
				known[old.services[was].Servers[j].Key] = j
			}
		}
		rows := found[services[i].Key].Destinations
		h.servers[i] = make([]server, len(services[i].Servers))
		for j := range services[i].Servers {
			c := &services[i].Servers[j]
			if k, ok := known[c.Key]; ok {
				h.servers[i][j] = inherited(&old.servers[was][k], &old.services[was].Servers[k], c)
			} else {
				row, present := rows[c.Key]
				h.servers[i][j] = begun(now, c, row, present)
			}
			h.enlist(i, j, &old)
		}
	}
}

// enlist adds a server's checks to those that wait for results. A target that
// was heard before is not unheard again.
func (h *Healths) enlist(service, server int, old *Healths) {
	for k := range h.services[service].Servers[server].Checks {
		t := h.services[service].Servers[server].Checks[k].Target
		w := h.watches[t]
		if w == nil {
			before := old.watches[t]
			w = &watch{heard: before != nil && before.heard}
			if !w.heard {
				h.unheard++
			}
			h.watches[t] = w
		}
		w.waiters = append(w.waiters, waiter{int32(service), int32(server), int32(k)})
	}
}

// inherited is the health of a server that was known under the last
// configuration: o is what it was, was what it said of it.
func inherited(o *server, was, c *config.Server) server {
	s := server{since: o.since, checks: make([]checker.Health, 0, len(c.Checks))}
	state := o.state()
	for i := range c.Checks {
		want := &c.Checks[i]
		same := slices.IndexFunc(was.Checks, func(k config.Check) bool { return k.Target == want.Target })
		health := checker.NewHealth(want.Rise, want.Fall, state)
		if same >= 0 {
			health = o.checks[same]
			health.Reconfigure(want.Rise, want.Fall)
		}
		s.checks = append(s.checks, health)
	}
	return s
}

// begun is the first health of a server: as found in the table, else as the
// configuration says, else unknown.
func begun(now time.Time, c *config.Server, row ipvsctl.Destination, present bool) server {
	state := checker.Unknown
	switch {
	// A weight of 0 that the configuration itself gives does not tell anything
	// about the server's health.
	case present && row.Weight == 0 && c.Destination.Weight > 0:
		state = checker.Drained
	case present, c.InitialUp:
		state = checker.Up
	}
	s := server{since: now, checks: make([]checker.Health, 0, len(c.Checks))}
	for _, want := range c.Checks {
		s.checks = append(s.checks, checker.NewHealth(want.Rise, want.Fall, state))
	}
	return s
}

// state returns what the checks say together: up are those that pass all of
// them, and those that have none.
func (s *server) state() checker.State {
	all := checker.Up
	for i := range s.checks {
		switch one := s.checks[i].State(); {
		case one == checker.Down:
			return one
		case one == checker.Drained, all == checker.Up:
			all = one
		}
	}
	return all
}

// State returns the state of the real server Services[service].Servers[server].
func (h *Healths) State(service, server int) checker.State {
	return h.servers[service][server].state()
}

// Observe hands a target's result to every server that waits for it, and
// returns those that stand otherwise since.
func (h *Healths) Observe(now time.Time, t checker.Target, r checker.Result) []Change {
	var changes []Change
	watch := h.watches[t]
	if watch == nil {
		return nil // it was removed while it was asked
	}
	if r.Outcome != checker.NotRun && !watch.heard {
		watch.heard = true
		h.unheard--
	}
	for _, w := range watch.waiters {
		s, c := &h.servers[w.service][w.server], &h.services[w.service].Servers[w.server]
		before := s.state()
		s.checks[w.check].Observe(now, r)
		if after := s.state(); after != before {
			s.since = now
			changes = append(changes, Change{
				Service: h.services[w.service].Name, Server: c.Name, Address: c.Key,
				State: after, Detail: r.Detail,
			})
		}
	}
	return changes
}

// Unheard is how many targets have had no result yet.
func (h *Healths) Unheard() int { return h.unheard }
