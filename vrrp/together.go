package vrrp

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// regroup finds out anew which routers move together. Those that are leaving the
// configuration go alone.
func (s *Session) regroup(now time.Time) {
	byName := make(map[string]*group)
	s.groups = nil
	for _, m := range s.members {
		name := m.router.c.SyncGroup
		if m.removed {
			name = ""
		}
		g := byName[name]
		if name == "" || g == nil {
			g = &group{name: name}
			s.groups = append(s.groups, g)
			byName[name] = g
		}
		m.group, g.members = g, append(g.members, m)
		m.router.Lead(now, name != "")
	}
	for _, g := range s.groups {
		slices.SortFunc(g.members, func(a, b *member) int { return a.router.c.first().Compare(b.router.c.first()) })
	}
	slices.SortFunc(s.groups, func(a, b *group) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.members[0].router.c.Name, b.members[0].router.c.Name))
	})
	s.schedule()
}

// each goes through the routers, those of a group one after the other.
func (s *Session) each() iter.Seq[*member] {
	return func(yield func(*member) bool) {
		for _, g := range s.groups {
			for _, m := range g.members {
				if !yield(m) {
					return
				}
			}
		}
	}
}

// has reports whether a router is in the group.
func (g *group) has(router string) bool {
	return slices.ContainsFunc(g.members, func(m *member) bool { return m.router.c.Name == router })
}

// A concern is what counts once in a group: what a condition changes the priority by, or
// that no router runs while it is so.
type concern struct {
	condition     string
	hard, reverse bool
}

func (t Track) concern() concern {
	hard := t.Weight == 0
	return concern{t.Condition, hard, hard && t.Reverse}
}

// others returns what the other members of a router's group demand, as demands of its
// own. What it tracks itself, or several of them do, counts once. A weight of its own
// does not outweigh that another one cannot run.
func (g *group) others(m *member) (all []demand) {
	counted := make(map[concern]bool)
	for _, d := range m.demands {
		counted[d.Track.concern()] = true
	}
	for _, other := range g.members {
		for _, d := range other.demands {
			tracked := d.Track.Condition != ""
			if other == m || counted[d.Track.concern()] && tracked || !tracked && (d.OK || d.given) {
				continue
			}
			counted[d.Track.concern()] = true
			if d.Reason != "" {
				d.Reason = fmt.Sprintf("%s of group %s: %s", other.router.c.Name, g.name, d.Reason)
			}
			d.Silent = false
			all = append(all, d)
		}
	}
	return all
}

// position is how the member of a group stands.
func (m *member) position(now time.Time) position {
	p := position{stand: m.router.stand(now)}
	if e := &m.router.election; m.router.state == Backup && e.leaving {
		p.left = e.leftAt
	}
	return p
}

// lead has the routers of a group do what it wants.
func (s *Session) lead(now time.Time, g *group) {
	all := make([]position, len(g.members))
	for i, m := range g.members {
		all[i] = m.position(now)
	}
	g.note(now, all)
	wanted, left := moves(all)
	wait := g.enters(all, wanted) && g.asks(now) && !s.clear(now, g)
	for i, m := range g.members {
		if wanted[i] != promote {
			s.do(now, m, m.router.Withdraw(now))
		}
		switch wanted[i] {
		case promote:
			if wait {
				continue
			}
			why := ""
			if all[i].stand == ahead {
				why = fmt.Sprintf("moves with %s of group %s", g.first(all, leading), g.name)
			}
			s.do(now, m, m.router.Promote(now, why))
		case demote:
			// Two directors may each be better for one of the routers, and both have
			// left them all. The first router then decides who is back sooner.
			var patience time.Duration
			if all[0].stand == behind {
				patience = m.router.c.Interval
			}
			s.do(now, m, m.router.Demote(now, fmt.Sprintf("moves with %s of group %s", g.first(all, behind), g.name), patience))
		case doubt:
			m.router.Doubt(now, left)
		}
	}
}

// enters reports whether all of a group's routers are to become Master. One that joins
// the others asks nobody, since the group has been won already.
func (g *group) enters(all []position, wanted []move) bool {
	return wanted[0] == promote && !slices.ContainsFunc(all, func(p position) bool { return p.stand == leading })
}

// asks reports whether a group that would be Master now has to ask first: the other
// director fell silent in all networks. Where it is heard, it lives, and one that has left
// in one network has not died in the others.
func (g *group) asks(now time.Time) (asks bool) {
	for _, m := range g.members {
		e := &m.router.election
		if e.master.IsValid() && e.gives(&m.router.c, now) {
			return false
		}
		asks = asks || m.router.asksToEnter(now)
	}
	return asks
}

// clear reports whether all routers of a group may become Master, and has those ask that
// have not yet. Where they have not asked the same, since one has joined the others, all
// ask anew.
func (s *Session) clear(now time.Time, g *group) (all bool) {
	all = true
	anew := g.apart()
	for _, m := range g.members {
		if anew {
			m.router.entering = clearing{}
		}
		acts, ok := m.router.clear(now)
		s.do(now, m, acts)
		all = all && ok
	}
	return all
}

// apart reports whether those of a group's routers that have to ask have not all asked the
// same.
func (g *group) apart() bool {
	asks := func(m *member) bool { return m.router.c.Enter.Timeout > 0 }
	first := slices.IndexFunc(g.members, asks)
	return first >= 0 && slices.ContainsFunc(g.members[first:], func(m *member) bool {
		return asks(m) && m.router.entering.question.Number != g.members[first].router.entering.question.Number
	})
}

// silenced reports whether the adverts of one of a group's routers cannot be heard any more.
func (g *group) silenced() bool {
	return slices.ContainsFunc(g.members, func(m *member) bool {
		return slices.ContainsFunc(m.demands, func(d demand) bool { return d.Silent && !d.OK })
	})
}

// first returns the name of the first member that stands so.
func (g *group) first(all []position, s stand) string {
	return g.members[slices.IndexFunc(all, func(p position) bool { return p.stand == s })].router.c.Name
}

// note notes since when only some of a group's routers are Master.
func (g *group) note(now time.Time, all []position) {
	masters := 0
	for _, p := range all {
		if p.stand == leading {
			masters++
		}
	}
	switch {
	case masters == 0 || masters == len(all):
		g.splitAt = time.Time{}
	case g.splitAt.IsZero():
		g.splitAt = now
	}
}

// split is for how long that has been so, if it should be over.
func (g *group) split(now time.Time) time.Duration {
	var patience time.Duration
	for _, m := range g.members {
		c := &m.router.c
		patience = max(patience, c.masterDown(max(c.Interval, m.router.election.interval)))
	}
	if lasted := now.Sub(g.splitAt); !g.splitAt.IsZero() && lasted > patience {
		return lasted
	}
	return 0
}
