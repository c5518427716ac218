package director

import (
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// overdueEvery is how many heartbeats pass between two looks at how old results are.
const overdueEvery = 5

// maxOverdue is how many targets are watched at most that have no new result.
const maxOverdue = 1000

// longestInterval is the longest time between two probes of a target.
func longestInterval(t *checker.Target) time.Duration {
	return max(t.Interval, t.Pace.Down.Duration(), t.Pace.Idle.Duration())
}

// patience is how long after its last result a target is overdue: the next probe begins an
// interval later, ends by its timeout, and has three intervals more.
func patience(t *checker.Target) time.Duration { return t.Timeout + 4*longestInterval(t) }

// watchChecks looks for targets that are overdue. The checker bounds each probe by its timeout,
// so there should be none: what is found is a probe that hangs in a system call, or a result
// that was lost. It is to be given up when it is still so after another interval and timeout:
// a director that was stopped itself sees all targets overdue until their results are here.
func (c *Core) watchChecks(now time.Time) {
	stalled := now.Sub(c.watched) > 2*overdueEvery*tick
	c.watched = now
	found := make(map[checker.Target]overdue)
	for t, subject := range c.overdueTargets(now) {
		was, again := c.overdue[*t]
		switch {
		case len(found) == maxOverdue:
			continue
		case !again || stalled && was.restarted.IsZero():
			was = overdue{subject: subject(), since: now}
		}
		found[*t] = was
	}
	c.overdue = nil
	var restart Restart
	for t, o := range found {
		if last := latest(o.since, o.restarted); now.Sub(last) >= t.Timeout+longestInterval(&t) {
			o.restarted = now
			found[t] = o
			restart = append(restart, t)
		}
		c.overdue = found
	}
	if len(restart) > 0 {
		slices.SortFunc(restart, checker.Target.Compare)
		c.do(restart)
	}
}

// overdueTargets yields the targets that are overdue, and how their first check is called. One
// that several checks share may come several times.
func (c *Core) overdueTargets(now time.Time) func(yield func(*checker.Target, func() string) bool) {
	late := func(h *checker.Health, t *checker.Target) bool {
		last := latest(h.LastAt(), c.asked)
		return now.Sub(last) >= patience(t)
	}
	return func(yield func(*checker.Target, func() string) bool) {
		n := 0
		for w, check := range eachCheck(c.config.Services) {
			name := func() string {
				return c.config.Services[w.service].Name + "/" + c.config.Services[w.service].Servers[w.server].Name
			}
			if late(&c.healths.checks[n], &check.Target) && !c.asleep[c.config.Services[w.service].Key] && !yield(&check.Target, name) {
				return
			}
			n++
		}
		for i := range c.watch.conditions {
			condition := &c.watch.conditions[i]
			for j := range condition.Checks {
				t := &condition.Checks[j].Target
				if late(&c.watch.checks[i][j].Health, t) && !yield(t, func() string { return condition.Name }) {
					return
				}
			}
		}
	}
}

// latest returns the later of two moments.
func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// overdueChecks finds the checks whose probes were given up, and have no result since.
func (c *Core) overdueChecks() findings {
	var all findings
	var names []string
	for _, o := range c.overdue {
		if !o.restarted.IsZero() {
			names = append(names, o.subject)
		}
	}
	if len(names) > 0 {
		slices.Sort(names)
		all.add(api.Error, "checks-overdue", "", "look what they wait for: a device, a file system over the network, a program; and whether lvsd has processor time",
			"the probes of %s do not end, or their results are lost, so what was known before holds; three intervals after their timeout they were given up, and others begun: %s",
			text.Count(len(names), "check"), text.Few(names))
	}
	return all
}
