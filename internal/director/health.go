package director

import (
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// Healths holds the health of every real server in every virtual service, and
// knows which of them a result concerns. Rise and fall belong to the server in
// its service; the probe itself is shared by whoever asks for the same target.
type Healths struct {
	servers map[ServerKey]*server
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

// A server is the health of one real server in one service.
type server struct {
	names  Change // who it is, for the log
	checks []check
	since  time.Time
	// quiet: it was found in the table with weight 0 at the start, and stays
	// so until rise or fall results say otherwise. Failures counts the failed
	// results in a row meanwhile.
	quiet    bool
	failures int
}

// A check is one check of one server.
type check struct {
	target checker.Target
	fall   int
	health checker.Health
}

// A waiter is one check that waits for a target's results.
type waiter struct {
	server *server
	check  int
}

// A Change is one real server that stands otherwise than before.
type Change struct {
	Service  string // the service's name
	Server   string // the server's name
	Address  ipvsctl.DestinationKey
	Standing Standing
	// Detail says what the deciding probe found.
	Detail string
}

// NewHealths returns the healths of no servers.
func NewHealths() *Healths {
	return &Healths{}
}

// Configure makes the services' servers those that are known. Servers known
// before keep their health, also where their checks are others now: a change
// of a check is no reason to take a server out. New ones are taken over as
// they are found in the table, and wait for their first result otherwise.
func (h *Healths) Configure(now time.Time, services []config.Service, found ipvsctl.Table) {
	old := *h
	h.servers = make(map[ServerKey]*server, len(old.servers))
	h.watches = make(map[checker.Target]*watch, len(old.watches))
	h.unheard = 0
	for i := range services {
		s := &services[i]
		for j := range s.Servers {
			srv := &s.Servers[j]
			key := ServerKey{s.Key, srv.Key}
			n := &server{
				names: Change{Service: s.Name, Server: srv.Name, Address: srv.Key},
				since: now,
			}
			if o := old.servers[key]; o != nil {
				n.inherit(o, srv)
			} else {
				row, present := found[s.Key].Destinations[srv.Key]
				n.begin(srv, row, present)
			}
			h.enlist(key, n, &old)
		}
	}
}

// enlist adds a server, and its checks to those that wait for results. A
// target that was heard before is not unheard again.
func (h *Healths) enlist(key ServerKey, n *server, old *Healths) {
	h.servers[key] = n
	for i := range n.checks {
		t := n.checks[i].target
		w := h.watches[t]
		if w == nil {
			before := old.watches[t]
			w = &watch{heard: before != nil && before.heard}
			if !w.heard {
				h.unheard++
			}
			h.watches[t] = w
		}
		w.waiters = append(w.waiters, waiter{n, i})
	}
}

// inherit gives a server the health that it had under the last configuration.
func (s *server) inherit(o *server, c *config.Server) {
	was := o.standing()
	s.since, s.quiet, s.failures = o.since, o.quiet, o.failures
	for _, want := range c.Checks {
		k := check{target: want.Target, fall: want.Fall}
		if same := o.check(want.Target); same != nil {
			k.health = same.health
			k.health.Reconfigure(want.Rise, want.Fall)
		} else if was == Unknown {
			k.health = checker.NewHealth(want.Rise, want.Fall)
		} else {
			k.health = checker.Adopted(want.Rise, want.Fall, was == Up)
		}
		s.checks = append(s.checks, k)
	}
}

// begin gives a server its first health: as found in the table, else as the
// configuration says, else unknown.
func (s *server) begin(c *config.Server, row ipvsctl.Destination, present bool) {
	// A weight of 0 that the configuration itself gives says nothing of the
	// server's health.
	s.quiet = present && row.Weight == 0 && c.Destination.Weight > 0 && len(c.Checks) > 0
	for _, want := range c.Checks {
		k := check{target: want.Target, fall: want.Fall}
		switch {
		case present:
			k.health = checker.Adopted(want.Rise, want.Fall, !s.quiet)
		case c.InitialUp:
			k.health = checker.Adopted(want.Rise, want.Fall, true)
		default:
			k.health = checker.NewHealth(want.Rise, want.Fall)
		}
		s.checks = append(s.checks, k)
	}
}

// check returns the server's check of a target, nil where it has none.
func (s *server) check(t checker.Target) *check {
	for i := range s.checks {
		if s.checks[i].target == t {
			return &s.checks[i]
		}
	}
	return nil
}

// standing returns what the checks say together: up are those that pass all of
// them, and those that have none.
func (s *server) standing() Standing {
	all := Up
	for i := range s.checks {
		switch {
		case s.checks[i].health.Up():
		case s.checks[i].health.Known():
			all = Down
		case all == Up:
			all = Unknown
		}
	}
	if all == Down && s.quiet {
		return Quiet
	}
	return all
}

// Standing tells how a real server stands; one that is not configured is
// unknown.
func (h *Healths) Standing(k ServerKey) Standing {
	if s := h.servers[k]; s != nil {
		return s.standing()
	}
	return Unknown
}

// Observe hands a target's result to every server that waits for it, and
// returns those that stand otherwise since.
func (h *Healths) Observe(now time.Time, t checker.Target, r checker.Result) []Change {
	var changes []Change
	watch := h.watches[t]
	if watch == nil {
		return nil // it was removed while it was asked
	}
	if r.Outcome != checker.Local && !watch.heard {
		watch.heard = true
		h.unheard--
	}
	for _, w := range watch.waiters {
		before := w.server.standing()
		w.server.observe(now, w.check, r)
		if after := w.server.standing(); after != before {
			w.server.since = now
			c := w.server.names
			c.Standing, c.Detail = after, r.Detail
			changes = append(changes, c)
		}
	}
	return changes
}

// observe hands a result to one check. A server that was found at weight 0
// leaves that standing when it rises, or when it has failed as often in a row
// as would have taken it out.
func (s *server) observe(now time.Time, i int, r checker.Result) {
	c := &s.checks[i]
	c.health.Observe(now, r)
	if !s.quiet {
		return
	}
	switch r.Outcome {
	case checker.Passed:
		s.failures = 0
	case checker.Failed:
		s.failures++
	}
	if s.failures >= c.fall || s.standing() == Up {
		s.quiet = false
	}
}

// Unheard is how many targets have had no result yet.
func (h *Healths) Unheard() int { return h.unheard }
