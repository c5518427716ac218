package director

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"iter"
	"math/bits"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
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
	// base is the time from which since is counted.
	base     time.Time
	services []config.Service
	servers  [][]server
	// reasons are why the checks that say down say so, as far as it was told, by
	// their places in checks.
	reasons map[int]reason
	// transitions are those of each service's servers, since the daemon started.
	transitions []api.Transitions
	// probed are the results of each service's checks, since the daemon started.
	probed []probed
	// checks are those of all servers, in the order of the configuration.
	checks []checker.Health
	// waiters are all checks in the order of their targets' marks and of the targets, so
	// that those which share one are next to each other. Unheard is how many targets have had no
	// result yet.
	waiters []waiter
	unheard int
	// targets is how many there are in the network, and silent how many of them were when
	// they were asked last. Several: not all are of one address.
	targets, silent int
	several         bool
	// shifts counts how often checks that failed have failed in the other way, by
	// silence or not, and advices how often a check has said something else of a weight.
	shifts, advices uint64
}

// A Standing is what is known of a real server at one moment, beside its
// configuration.
type Standing struct {
	State checker.State
	// Since is when it came into that state.
	Since time.Time
	// Recovered: it was down before it came up.
	Recovered bool
	// Fell: it was up before it came down, and no operator has let it in since.
	Fell bool
	// KeptOut: it has failed, and manual_resume keeps it out. Resumed is when an operator
	// has let it in the last time.
	KeptOut bool
	Resumed time.Time
	// Silent: it is down, since nothing comes back from it.
	Silent bool
	// Full: it has reached its upper threshold.
	Full bool
	// advised is what its checks say of its weight.
	advised advised
}

// A waiter is one check that waits for its target's results, by its place:
// Services[service].Servers[server].Checks[check].
type waiter struct {
	service, server, check int32
	// mark is the target's. It is here because to look at ten targets, to find one, takes
	// longer than all else that a result costs (measured: 4 µs of 10).
	mark uint16
	// heard: the target has had a result, and silent: nothing came back when it was
	// asked last; the first that waits for it knows. asleep: it is not asked (ha_suspend).
	heard, silent, asleep bool
}

// seed is that of the marks.
var seed = maphash.MakeSeed()

// mark returns a hash of a target.
func mark(t *checker.Target) uint16 {
	addr := t.Addr.As16()
	x := maphash.String(seed, string(t.Spec)) ^ binary.BigEndian.Uint64(addr[:8]) ^ bits.RotateLeft64(binary.BigEndian.Uint64(addr[8:]), 16) ^ uint64(t.Port)
	return uint16(x * 0x9e3779b97f4a7c15 >> 48)
}

// eachCheck yields the checks of all real servers by their places, in the order
// of the configuration.
func eachCheck(services []config.Service) iter.Seq2[waiter, *config.Check] {
	return func(yield func(waiter, *config.Check) bool) {
		for i := range services {
			for j := range services[i].Servers {
				checks := services[i].Servers[j].Checks
				for k := range checks {
					if !yield(waiter{service: int32(i), server: int32(j), check: int32(k)}, &checks[k]) {
						return
					}
				}
			}
		}
	}
}

// countChecks counts the checks of all real servers.
func countChecks(services []config.Service) (n int) {
	for range eachCheck(services) {
		n++
	}
	return n
}

// A server is the health of one real server in one service.
type server struct {
	// first is the place of the first of its checks, which are as many as in the
	// configuration and in its order.
	first int32
	// recovered: it was down before its state became what it is. fell: it was up, and no
	// operator has let it in since.
	recovered, fell bool
	// since is when its state was entered.
	since time.Duration
}

// A reason is why a check fails, and when it was told that this is another one
// than before; zero: it was not.
type reason struct {
	detail string
	told   time.Time
}

// reasonPause is how long no other reason of a check is told: some servers fail
// in two ways by turns.
const reasonPause = time.Minute

// A Change is a real server whose state has become another one, or that is down
// for another reason.
type Change struct {
	Service string // the service's name
	Server  string // the server's name
	Address ipvsctl.DestinationKey
	State   checker.State
	// Detail says what the deciding probe found, and Before what was told of the
	// same check before; empty: its state has changed.
	Detail, Before string
	// Mode is what its checks demand now, where that is what has changed.
	Mode checker.Mode
}

// Configure makes the services' servers those that are known. Servers known
// before keep their health, also where their checks are others now: a change
// of a check is no reason to take a server out. New ones are taken over as
// they are found in the table, know what is known of their checks' targets from
// elsewhere, and wait for their first result otherwise.
func (h *Healths) Configure(now time.Time, services []config.Service, found ipvsctl.Table) {
	old := *h
	*h = Healths{
		base:     old.base,
		services: services,
		servers:  make([][]server, len(services)),

		reasons:     make(map[int]reason),
		transitions: make([]api.Transitions, len(services)),
		probed:      make([]probed, len(services)),
		checks:      make([]checker.Health, 0, countChecks(services)),
	}
	if h.base.IsZero() {
		h.base = now
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
			h.transitions[i], h.probed[i] = old.transitions[was], old.probed[was]
			for j := range old.services[was].Servers {
				known[old.services[was].Servers[j].Key] = j
			}
		}
		rows := found[services[i].Key].Destinations
		h.servers[i] = make([]server, len(services[i].Servers))
		for j := range services[i].Servers {
			c := &services[i].Servers[j]
			h.servers[i][j] = server{first: int32(len(h.checks)), since: now.Sub(h.base)}
			if k, ok := known[c.Key]; ok {
				of := &old.servers[was][k]
				h.servers[i][j].since, h.servers[i][j].recovered, h.servers[i][j].fell = of.since, of.recovered, of.fell
				h.inherit(c, &old.services[was].Servers[k], old.of(was, k))
			} else {
				row, present := rows.Get(c.Key)
				h.begin(now, c, row, present, &old)
			}
		}
	}
	h.enlist(&old)
}

// of returns the checks of the real server Services[service].Servers[server].
func (h *Healths) of(service, server int) []checker.Health {
	first := h.servers[service][server].first
	return h.checks[first:][:len(h.services[service].Servers[server].Checks)]
}

// enlist lets all checks wait for results. A target that was heard before is not
// unheard again. Where all targets are in the places that they had, as after most
// changes, there is nothing to sort.
func (h *Healths) enlist(old *Healths) {
	if sameTargets(h.services, old.services) {
		h.waiters, h.unheard = old.waiters, old.unheard
		h.targets, h.silent, h.several = old.targets, old.silent, old.several
		return
	}
	h.waiters = make([]waiter, 0, len(h.checks))
	for w, c := range eachCheck(h.services) {
		w.mark = mark(&c.Target)
		h.waiters = append(h.waiters, w)
	}
	slices.SortFunc(h.waiters, func(a, b waiter) int {
		if c := cmp.Compare(a.mark, b.mark); c != 0 {
			return c
		}
		if c := h.target(a).Compare(*h.target(b)); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.server, b.server), cmp.Compare(a.check, b.check))
	})
	var first netip.Addr
	for rest := h.waiters; len(rest) > 0; {
		t := h.target(rest[0])
		before := old.waiting(*t)
		rest[0].heard = len(before) > 0 && before[0].heard
		if !rest[0].heard {
			h.unheard++
		}
		if t.Addr.IsValid() { // Others are asked on this machine, and hear nothing of the network.
			h.targets++
			h.several = h.several || first.IsValid() && t.Addr != first
			first = t.Addr
		}
		h.hush(&rest[0], len(before) > 0 && before[0].silent)
		rest = rest[len(h.waiting(*t)):]
	}
}

// hush notes whether a target was silent when it was asked last.
func (h *Healths) hush(first *waiter, silent bool) {
	switch {
	case first.asleep:
	case silent && !first.silent:
		h.silent++
	case !silent && first.silent:
		h.silent--
	}
	first.silent = silent
}

// Silent reports whether nothing came back from any target when it was asked last,
// and these are not of one address only.
func (h *Healths) Silent() bool { return h.several && h.silent == h.targets }

// sameTargets reports whether services ask for the same targets in the same
// places.
func sameTargets(a, b []config.Service) bool {
	return slices.EqualFunc(a, b, func(a, b config.Service) bool {
		return slices.EqualFunc(a.Servers, b.Servers, func(a, b config.Server) bool {
			return slices.EqualFunc(a.Checks, b.Checks, func(a, b config.Check) bool { return a.Target == b.Target })
		})
	})
}

// target returns what a check waits for.
func (h *Healths) target(w waiter) *checker.Target {
	return &h.services[w.service].Servers[w.server].Checks[w.check].Target
}

// waiting returns the checks that wait for a target's results.
func (h *Healths) waiting(t checker.Target) []waiter {
	first, _ := slices.BinarySearchFunc(h.waiters, mark(&t), func(w waiter, mark uint16) int { return cmp.Compare(w.mark, mark) })
	for first < len(h.waiters) && h.waiters[first].mark == mark(&t) && *h.target(h.waiters[first]) != t {
		first++
	}
	end := first
	for end < len(h.waiters) && *h.target(h.waiters[end]) == t {
		end++
	}
	return h.waiters[first:end]
}

// inherit appends the checks of a server that was known under the last
// configuration, which said was of it.
func (h *Healths) inherit(c, was *config.Server, checks []checker.Health) {
	state := together(checks, was.Rule)
	if state == checker.Unknown && c.InitialUp {
		state = checker.Up
	}
	for i := range c.Checks {
		health := checker.NewHealth(state)
		same := slices.IndexFunc(was.Checks, func(k config.Check) bool { return k.Target == c.Checks[i].Target })
		if same >= 0 && (checks[same].State() != checker.Unknown || !c.InitialUp) {
			health = checks[same]
		}
		h.checks = append(h.checks, health)
	}
}

// begin appends the checks of a new server: as found in the table, else as other
// servers with the same targets were known, else as the configuration says, else
// unknown. A weight that is found there is what a check has said before.
func (h *Healths) begin(now time.Time, c *config.Server, row ipvsctl.Destination, present bool, old *Healths) {
	state := checker.Unknown
	switch {
	// A weight of 0 that the configuration itself gives does not tell anything
	// about the server's health.
	case present && row.Weight == 0 && c.Destination.Weight > 0:
		state = checker.Drained
	case present, c.InitialUp:
		state = checker.Up
	}
	for i := range c.Checks {
		health := checker.NewHealth(state)
		switch {
		case !present:
			health = old.known(now, &c.Checks[i], health)
		case row.Weight != c.Destination.Weight && c.Checks[i].Target.Spec.Advises():
			health.Adopt(row.Weight)
		}
		h.checks = append(h.checks, health)
	}
}

// known returns the health of a new check, given those whose target it shares:
// up where one of them is, and otherwise as their last result, which is its
// first, says. Without either it stays as it begins.
func (h *Healths) known(now time.Time, c *config.Check, begins checker.Health) checker.Health {
	for _, w := range h.waiting(c.Target) {
		shared := h.of(int(w.service), int(w.server))[w.check]
		last, state := shared.Last(), shared.State()
		switch {
		case last.Outcome != 0 && state == checker.Up, last.Outcome == checker.NotRun && state == checker.Down:
			return shared
		case last.Outcome == checker.Passed, last.Outcome == checker.Failed:
			begins = checker.NewHealth(checker.Unknown)
			begins.Observe(now, last, c.Rules())
		}
	}
	return begins
}

// State returns the state of the real server Services[service].Servers[server].
func (h *Healths) State(service, server int) checker.State {
	return together(h.of(service, server), h.rule(service, server))
}

// rule is how many of the checks of Services[service].Servers[server] must pass.
func (h *Healths) rule(service, server int) *checker.Rule {
	return h.services[service].Servers[server].Rule
}

// Standing returns what is known of the real server Services[service].Servers[server].
func (h *Healths) Standing(service, server int) Standing {
	s := Standing{State: h.State(service, server), Since: h.base.Add(h.servers[service][server].since)}
	s.Recovered = s.State == checker.Up && h.servers[service][server].recovered
	s.Fell = s.State == checker.Down && h.servers[service][server].fell
	s.Silent = silent(h.of(service, server), h.rule(service, server))
	s.advised = advice(h.of(service, server))
	return s
}

// why is why a real server is down, as far as it was told.
func (h *Healths) why(service, server int) string {
	first := int(h.servers[service][server].first)
	for _, k := range failing(h.of(service, server), h.rule(service, server)) {
		if r, failing := h.reasons[first+k]; failing {
			return r.detail
		}
	}
	return ""
}

// forgive takes the failure of a server that is down as one that an operator knows of.
func (h *Healths) forgive(service, server int) { h.servers[service][server].fell = false }

// passes reports whether a real server is up, and no check speaks against it that has
// failed last.
func (h *Healths) passes(service, server int) bool {
	return passes(h.of(service, server), h.rule(service, server))
}

// Observe hands a target's result to every server that waits for it, and
// returns those that stand otherwise since.
func (h *Healths) Observe(now time.Time, t checker.Target, r checker.Result) []Change {
	var changes []Change
	waiting := h.waiting(t)
	if len(waiting) == 0 {
		return nil // it was removed while it was asked
	}
	if r.Outcome != checker.NotRun {
		if !waiting[0].heard {
			waiting[0].heard = true
			h.unheard--
		}
		h.hush(&waiting[0], r.Silent)
	}
	for _, w := range waiting {
		c, checks := &h.services[w.service].Servers[w.server], h.of(int(w.service), int(w.server))
		before, mode := together(checks, c.Rule), advice(checks).mode
		h.probed[w.service].count(r)
		silent, said := checks[w.check].Silent(), checks[w.check].Advice()
		checks[w.check].Observe(now, r, c.Checks[w.check].Rules())
		if checks[w.check].Advice() != said {
			h.advices++
		}
		if checks[w.check].Silent() != silent {
			h.shifts++
		}
		change := Change{Service: h.services[w.service].Name, Server: c.Name, Address: c.Key, State: together(checks, c.Rule), Detail: r.Detail}
		if other := h.otherReason(now, w, r); change.State == checker.Down {
			change.Before = other
		}
		if change.State != before {
			if change.State == checker.Down && r.Outcome == checker.NotRun && checks[w.check].State() != checker.Down {
				change.Detail = h.why(int(w.service), int(w.server)) // This one only does not speak for the server.
			}
			h.count(int(w.service), before, change.State)
			server := &h.servers[w.service][w.server]
			server.since, server.recovered, server.fell = now.Sub(h.base), before == checker.Down, before == checker.Up
			change.Before = ""
		} else if change.Before == "" {
			change.Mode = advice(checks).mode
			if max(mode, checker.Ready) == max(change.Mode, checker.Ready) {
				continue
			}
			change.Mode = max(change.Mode, checker.Ready)
		}
		changes = append(changes, change)
	}
	return changes
}

// otherReason notes why a check says down, and returns what was told of it before
// if that was another reason and it is time to tell.
func (h *Healths) otherReason(now time.Time, w waiter, r checker.Result) (before string) {
	at := int(h.servers[w.service][w.server].first + w.check)
	known, failing := h.reasons[at]
	switch {
	case h.checks[at].State() != checker.Down:
		delete(h.reasons, at)
	case r.Outcome != checker.Failed, known.detail == r.Detail:
	case !failing:
		h.reasons[at] = reason{detail: r.Detail}
	case now.Sub(known.told) >= reasonPause:
		h.reasons[at] = reason{r.Detail, now}
		return known.detail
	}
	return ""
}

// count counts that a server of a service has changed between up and down.
func (h *Healths) count(service int, before, after checker.State) {
	switch t := &h.transitions[service]; {
	case before == checker.Unknown:
	case after == checker.Up:
		t.ToUp++
	case after == checker.Down:
		t.ToDown++
	}
}

// Unheard is how many targets have had no result yet.
func (h *Healths) Unheard() int { return h.unheard }
