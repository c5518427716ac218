package sim

import (
	"slices"

	"github.com/lvsd/lvsd/vrrp"
)

// present: whatever happened before, the routers of a site have the priorities, and stand
// back or not, as the conditions of the moment say. It looks when something has happened.
func (w *groupWatch) present(s *Site) {
	if s.session == nil || s.ending || w.broken != nil || !s.stirred {
		return
	}
	s.stirred = false
	for _, st := range s.session.StatusesAt(s.clock()) {
		i := slices.IndexFunc(s.routers, func(r vrrp.Config) bool { return r.Name == st.Name })
		if i < 0 || !s.settled {
			continue // It is leaving the configuration, or not all sockets are open.
		}
		m := s.meant()[i]
		resumes := st.Fault == "listening for another Master before it resumes"
		waits := m.back && st.Question.Step == vrrp.Leave
		switch {
		case s.undecided(m):
		case st.Priority != m.priority:
			w.fail(s.Name, "router %s has priority %d, and by its conditions %d: %+v", st.Name, st.Priority, m.priority, st.Conditions)
		case m.back != (st.State == vrrp.Initialize) && !resumes && !waits:
			w.fail(s.Name, "router %s is %s, and is to stand back: %t: %s", st.Name, st.State, m.back, st.Fault)
		}
	}
}

// A meaning is what conditions mean for a router.
type meaning struct {
	priority uint8
	back     bool // it is to stand back
	damped   bool // that depends on a condition which is damped
}

// undecided reports whether a condition that is damped may still count as what it was.
func (s *Site) undecided(m meaning) bool {
	return m.damped && s.clock().Sub(s.turned) <= max(dampedUp, dampedDown)
}

// meant is what the conditions of the moment mean for the routers of a site.
func (s *Site) meant() []meaning {
	if s.meanings == nil {
		for i := range s.routers {
			s.meanings = append(s.meanings, s.meaning(i))
		}
	}
	return s.meanings
}

// meaning works that out in the words of the manual.
func (s *Site) meaning(i int) meaning {
	r := &s.routers[i]
	m, sum, counted := meaning{back: s.standby}, int(r.Priority), map[string]bool{} // by their weights
	for j, other := range append([]vrrp.Config{*r}, s.routers...) {
		if j > 0 && (j == i+1 || other.SyncGroup == "" || other.SyncGroup != r.SyncGroup) {
			continue
		}
		m.back = m.back || s.down[s.group.network(vrrp.Port{Interface: other.Interface})]
		for _, t := range other.Track {
			effect, unmet := s.effect(t)
			m.back, m.damped = m.back || unmet, m.damped || t.UpAfter > 0
			if t.Weight != 0 && !counted[t.Condition] {
				counted[t.Condition] = true // As the router itself tracks it, or the first other one.
				sum += effect
			}
		}
	}
	m.priority = uint8(min(max(sum, 1), 254))
	if r.Priority == 255 {
		m.priority = 255
	}
	return m
}

// effect is what a condition changes the priority by, and whether it makes the router
// stand back.
func (s *Site) effect(t vrrp.Track) (effect int, unmet bool) {
	c := s.conditions[slices.IndexFunc(s.conditions, func(c vrrp.Condition) bool { return c.Name == t.Condition })]
	met := c.Unknown || c.OK != t.Reverse
	switch {
	case c.Counts && c.OK && t.Reverse:
		return -t.Weight * c.Number, false
	case c.Counts && c.OK:
		return t.Weight * c.Number, false
	case c.Counts:
		return 0, false
	case t.Weight == 0:
		return 0, !met
	case met == (t.Weight > 0):
		return t.Weight, false
	}
	return 0, false
}
