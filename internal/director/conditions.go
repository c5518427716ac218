package director

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/text"
	"github.com/lvsd/lvsd/vrrp"
)

// A watch is what is known of the conditions that the director watches. What a
// condition means for a virtual router is worked out by the keeper.
type watch struct {
	conditions []config.Condition
	// checks are those of each condition, in its order.
	checks [][]watched
	// places are where a target's results go.
	places map[checker.Target][]checkPlace
	// services has for each condition the place of its service in the configuration.
	services []int
	// judged are the conditions as they were told last.
	judged []vrrp.Condition
}

// A watched is one check of a condition.
type watched struct {
	checker.Health
	detail string // of its last failure
	number int    // of its last success
}

// A checkPlace is where a check is: checks[condition][check].
type checkPlace struct{ condition, check int }

// configure makes these the conditions that are watched. What is known of a check
// with the same target stays. One with another target begins as its condition is: a
// first result that decided alone would take a Master's role for one lost packet.
func (w *watch) configure(c *config.Config) {
	old := *w
	*w = watch{conditions: c.Conditions, places: make(map[checker.Target][]checkPlace), judged: old.judged}
	for i := range c.Conditions {
		condition := &c.Conditions[i]
		checks := make([]watched, len(condition.Checks))
		for j := range condition.Checks {
			t := condition.Checks[j].Target
			checks[j] = watched{Health: checker.NewHealth(condition.Initial)}
			if known := old.places[t]; len(known) == 0 {
				checks[j] = old.anew(condition)
			} else if was := old.checks[known[0].condition][known[0].check]; was.heard() {
				checks[j] = was
			}
			w.places[t] = append(w.places[t], checkPlace{i, j})
		}
		w.checks = append(w.checks, checks)
		w.services = append(w.services, slices.IndexFunc(c.Services, func(s config.Service) bool { return s.Name == condition.Service }))
	}
}

// heard reports whether there was a result.
func (w *watched) heard() bool { return w.Last().Outcome != 0 }

// anew is a check of a condition as its results judged the condition before, if there
// were any; else as the configuration says.
func (w *watch) anew(c *config.Condition) watched {
	i := slices.IndexFunc(w.conditions, func(was config.Condition) bool { return was.Name == c.Name })
	j := slices.IndexFunc(w.judged, func(v vrrp.Condition) bool { return v.Name == c.Name })
	switch {
	case i < 0 || j < 0 || w.judged[j].Unknown || !slices.ContainsFunc(w.checks[i], func(k watched) bool { return k.heard() }):
		return watched{Health: checker.NewHealth(c.Initial)}
	case w.judged[j].OK:
		return watched{Health: checker.NewHealth(checker.Up), number: w.judged[j].Number}
	default:
		return watched{Health: checker.NewHealth(checker.Down), detail: "there was no other result since the reload"}
	}
}

// observe takes a result, and reports whether it changes what a check says.
func (w *watch) observe(now time.Time, t checker.Target, r checker.Result) (changed bool) {
	for _, p := range w.places[t] {
		check, of := &w.checks[p.condition][p.check], w.conditions[p.condition].Checks[p.check]
		switch r.Outcome {
		case checker.Failed:
			check.detail = r.Detail
		case checker.Passed:
			changed = changed || check.number != r.Number
			check.number = r.Number
		}
		changed = check.Observe(now, r, of.Rules()) || changed
	}
	return changed
}

// unheard is how many checks have not been run yet. One that cannot be run is not
// awaited: the condition counts as met until it is known.
func (w *watch) unheard() (n int) {
	for _, checks := range w.checks {
		for i := range checks {
			if checks[i].Last().Outcome == 0 {
				n++
			}
		}
	}
	return n
}

// judge returns the conditions as they are now.
func (w *watch) judge(h *Healths, below func(service int) bool) []vrrp.Condition {
	all := make([]vrrp.Condition, 0, len(w.conditions))
	for i := range w.conditions {
		c := &w.conditions[i]
		switch {
		case c.Own && h.services[w.services[i]].Policed().MinHealthy.N > 0:
			v := vrrp.Condition{Name: c.Name, Tracked: true, OK: !below(w.services[i])}
			if !v.OK {
				v.Reason = fmt.Sprintf("fewer real servers of virtual service %q take connections than its min_healthy", c.Service)
			}
			all = append(all, v)
		case c.Service != "":
			all = append(all, judgeService(c, h, w.services[i]))
		default:
			all = append(all, judgeChecks(c, w.checks[i]))
		}
	}
	return all
}

// judgeChecks judges a condition by its checks.
func judgeChecks(c *config.Condition, checks []watched) vrrp.Condition {
	up, unknown, why := 0, 0, ""
	for i := range checks {
		switch checks[i].State() {
		case checker.Up:
			up++
		case checker.Unknown:
			unknown++
		default:
			if why == "" {
				why = found(c.Checks[i].Target, cmp.Or(checks[i].detail, "there was no result yet"))
			}
		}
	}
	if len(checks) > 1 {
		why = fmt.Sprintf("%d of %d answer, and %d must; %s", up, len(checks), c.Minimum, why)
	}
	v := judged(c, up, unknown, c.Minimum, why)
	if v.Counts = c.Counts; v.Counts && v.OK {
		v.Number = checks[0].number
	}
	return v
}

// found says what a probe found, and of whom.
func found(t checker.Target, detail string) string {
	if t.Addr.IsValid() {
		return fmt.Sprintf("%v: %s", t.Addr, detail)
	}
	return detail
}

// judgeService judges a condition about the servers of a service.
func judgeService(c *config.Condition, h *Healths, service int) vrrp.Condition {
	up, unknown, all := 0, 0, 0
	for j := range h.services[service].Servers[:h.services[service].Real()] {
		if h.services[service].Servers[j].Destination.Weight == 0 {
			continue
		}
		all++
		switch h.State(service, j) {
		case checker.Up:
			up++
		case checker.Unknown:
			unknown++
		}
	}
	needed, words := c.Minimum, fmt.Sprint(c.Minimum)
	if c.Percent {
		needed, words = max(1, (all*c.Minimum+99)/100), fmt.Sprintf("%d%%", c.Minimum)
	}
	return judged(c, up, unknown, needed, fmt.Sprintf("%d of %s of virtual service %q %s up, and %s must be", up, text.Count(all, "real server"), c.Service, text.Be(up), words))
}

// judged is a condition of which so many must be up as are needed. It is unknown while
// those decide that have had no result.
func judged(c *config.Condition, up, unknown, needed int, why string) vrrp.Condition {
	v := vrrp.Condition{Name: c.Name, Tracked: true}
	switch {
	case up >= needed:
		v.OK = true
	case up+unknown >= needed:
		v.Unknown = true
	default:
		v.Reason = why
	}
	return v
}
