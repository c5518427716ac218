package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// A groupWatch holds the sites of a group to what a group promises. It is measured
// from the last disturbance, and rests while packets are lost at random.
type groupWatch struct {
	*Group
	disturbed time.Duration
	since     map[string]time.Duration
}

// standing counts the routers of a site's group, and those that are Master.
func (s *Site) standing() (routers, masters int) {
	for _, r := range s.routers {
		if r.SyncGroup == "" {
			continue
		}
		routers++
		if s.states[r.Name] == vrrp.Master {
			masters++
		}
	}
	return routers, masters
}

// running reports whether a site can do anything.
func (s *Site) running() bool { return s.session != nil && !s.asleep && !s.ending }

// healthy reports whether none of its group's routers lacks anything.
func (s *Site) healthy() bool {
	for i, m := range s.meant() {
		if (m.back || s.undecided(m)) && s.routers[i].SyncGroup != "" {
			return false
		}
	}
	return true
}

// leaves reports whether a router waits for what is to be done before it leaves. One that
// a reload puts into a group which has left already goes on waiting.
func (s *Site) leaves() bool {
	return slices.ContainsFunc(s.session.StatusesAt(s.clock()), func(st vrrp.Status) bool { return st.Question.Step == vrrp.Leave })
}

// finishing is how long a fault may last beyond Master_Down since one of the sites finishes
// what is to be done before it leaves.
func (w *groupWatch) finishing(fault bool, sites ...*Site) time.Duration {
	if fault && slices.ContainsFunc(sites, (*Site).leaves) {
		return w.patience
	}
	return 0
}

// masterDown is the longest Master_Down of any router, by the slowest clock.
func (w *groupWatch) masterDown() (longest time.Duration) {
	for _, s := range w.Sites {
		for i, m := range s.meant() {
			interval := s.routers[i].Interval
			longest = max(longest, 3*interval+time.Duration(256-int(m.priority))*interval/256)
		}
	}
	return longest + longest/20
}

func (w *groupWatch) check() {
	down, slowest := w.masterDown(), w.masterDown()/3
	whole, able := 0, 0
	for i, s := range w.Sites {
		routers, masters := s.standing()
		split := s.running() && masters > 0 && masters < routers
		splits := down + w.finishing(split, s)
		if w.lasts("split "+s.Name, split, splits) {
			w.fail(s.Name, "has %d of %d routers for %s", masters, routers, splits)
		}
		if s.running() && routers > 0 && s.healthy() {
			able++
		}
		if s.running() && masters > 0 && masters == routers {
			whole++
		}
		for _, t := range w.Sites[i+1:] {
			_, others := t.standing()
			both := s.running() && t.running() && masters > 0 && others > 0 && w.connected(s, t)
			pairs := down + w.finishing(both, s, t)
			if w.lasts("two "+s.Name+t.Name, both, pairs) {
				w.fail(s.Name, "and %s are both Master for %s", t.Name, pairs)
			}
		}
	}
	// A Master_Down after the last director that had a part has let it go. A router that
	// is in no group elsewhere may keep its part for good.
	bound := 2*down + 2*slowest + w.patience
	if w.lasts("none", able > 0 && whole == 0 && !w.loose() && !w.required, bound) {
		w.fail("the group", "is nowhere whole for %s", bound)
	}
}

// loose reports whether a router moves alone on some site.
func (w *groupWatch) loose() bool {
	for _, s := range w.Sites {
		for _, r := range s.routers {
			if r.SyncGroup == "" && s.session != nil {
				return true
			}
		}
	}
	return false
}

// connected reports whether two sites hear each other in a network where both have a
// router of the group.
func (w *groupWatch) connected(s, t *Site) bool {
	for _, a := range s.routers {
		for _, b := range t.routers {
			n := w.network(vrrp.Port{Interface: a.Interface})
			if a.Interface == b.Interface && a.SyncGroup != "" && b.SyncGroup != "" && !s.down[n] && !t.down[n] &&
				!w.networks[n][wire{s.number, t.number}] && !w.networks[n][wire{t.number, s.number}] {
				return true
			}
		}
	}
	return false
}

// lasts reports whether something has been so for longer than the bound.
func (w *groupWatch) lasts(what string, is bool, bound time.Duration) bool {
	if !is || w.loss > 0 {
		delete(w.since, what)
		return false
	}
	start, ok := w.since[what]
	if !ok {
		w.since[what] = w.now
		return false
	}
	return w.now-max(start, w.disturbed) > bound
}

// settled returns an error unless one site has all, and nobody else anything.
func (w *groupWatch) settled() error {
	holder := ""
	for _, s := range w.Sites {
		routers, masters := s.standing()
		switch {
		case masters == 0:
		case masters < routers:
			return fmt.Errorf("%s has %d of %d routers", s.Name, masters, routers)
		case holder != "":
			return fmt.Errorf("%s and %s are both Master", holder, s.Name)
		default:
			holder = s.Name
		}
	}
	if holder == "" {
		return fmt.Errorf("nobody is Master")
	}
	return nil
}
