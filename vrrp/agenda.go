package vrrp

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// What follows keeps the groups without a name in the order in which they are due: of a
// thousand routers hardly any has something to do in a turn. Those with a name are looked
// at in each turn, since what one router hears may concern the others.

// deadline is when something is due for one of a group's routers; zero: nothing is.
func (g *group) deadline() (first time.Time) {
	for _, m := range g.members {
		first = earliest(first, m.router.Deadline(), m.resumeAt, m.lookAt)
	}
	return first
}

// schedule begins with these groups.
func (s *Session) schedule() {
	s.agenda, s.touched, s.named = nil, nil, nil
	for i, g := range s.groups {
		g.place = i
		if g.name != "" {
			s.named = append(s.named, g)
			continue
		}
		g.at, g.index, g.touched = g.deadline(), len(s.agenda), false
		s.agenda = append(s.agenda, g)
	}
	heap.Init(&s.agenda)
}

// touch notes that something has happened to a group, which may be due at another time.
func (s *Session) touch(g *group) {
	if g.name == "" && !g.touched {
		g.touched = true
		s.touched = append(s.touched, g)
	}
}

// reschedule finds out when the groups are due to which something has happened.
func (s *Session) reschedule() {
	for _, g := range s.touched {
		g.at, g.touched = g.deadline(), false
		heap.Fix(&s.agenda, g.index)
	}
	s.touched = s.touched[:0]
}

// next returns the groups to look at now, in the order of all groups.
func (s *Session) next(now time.Time) []*group {
	s.reschedule()
	all := s.agenda.due(now, 0, slices.Clone(s.named))
	slices.SortFunc(all, func(a, b *group) int { return cmp.Compare(a.place, b.place) })
	return all
}

// due appends those that are due of a group in the agenda and of those below it.
func (a agenda) due(now time.Time, i int, all []*group) []*group {
	if i >= len(a) || !due(a[i].at, now) {
		return all
	}
	return a.due(now, 2*i+2, a.due(now, 2*i+1, append(all, a[i])))
}

// Len, Less, Swap, Push and Pop are heap.Interface. What is never due comes last.
func (a agenda) Len() int { return len(a) }

func (a agenda) Less(i, j int) bool {
	return !a[i].at.IsZero() && (a[j].at.IsZero() || a[i].at.Before(a[j].at))
}

func (a agenda) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].index, a[j].index = i, j
}

func (a *agenda) Push(g any) { *a = append(*a, g.(*group)) }

func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}
