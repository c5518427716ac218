package director

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// groupStatuses are the sync groups of which the keeper has reported routers.
func groupStatuses(routers []*vrrp.Status, e Edges) []api.SyncGroup {
	all := []api.SyncGroup{}
	for i := range routers {
		r := routers[i]
		if r.SyncGroup == "" {
			continue
		}
		at := slices.IndexFunc(all, func(g api.SyncGroup) bool { return g.Name == r.SyncGroup })
		if at < 0 {
			at = len(all)
			all = append(all, api.SyncGroup{Name: r.SyncGroup, State: api.State(r.State),
				Hooks: append([]api.Hook{}, e.Hooks[config.Owner{Group: r.SyncGroup}]...), Resources: append([]api.Resource{}, e.GroupResources[r.SyncGroup]...)})
		}
		g := &all[at]
		g.Routers = append(g.Routers, r.Name)
		g.State = jointly(g.State, api.State(r.State))
		g.Split, g.SplitText = max(g.Split, r.Split), api.Duration(max(g.Split, r.Split))
	}
	slices.SortFunc(all, func(a, b api.SyncGroup) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// jointly is the state of routers in two states.
func jointly(a, b api.State) api.State {
	switch {
	case a == b:
		return a
	case a == api.Split || a == api.Master || b == api.Master:
		return api.Split
	default:
		return api.Initialize
	}
}

// groups finds sync groups of which this director is Master only in part, for longer
// than they take to come together.
func (all *findings) groups(s *api.Status) {
	for i := range s.SyncGroups {
		g := &s.SyncGroups[i]
		for j := range g.Hooks {
			all.hook(fmt.Sprintf("sync group %q", g.Name), &g.Hooks[j])
		}
		all.resources(fmt.Sprintf("sync group %q", g.Name), g.Resources)
		if g.Split == 0 {
			continue
		}
		var masters, others []string
		for j := range s.Routers {
			switch r := &s.Routers[j]; {
			case r.SyncGroup != g.Name:
			case r.State == api.Master:
				masters = append(masters, r.Name)
			default:
				others = append(others, fmt.Sprintf("%s (%s)", r.Name, r.Phase))
			}
		}
		all.add(api.Error, "group-split", fmt.Sprintf("sync group %q", g.Name), "look at what the others wait for; a director on which they are in no sync_group may have them",
			"sync group %q has been split for %v: this director is Master of %s, but not of %s", g.Name, g.Split.Round(100*time.Millisecond), strings.Join(masters, ", "), strings.Join(others, ", "))
	}
}
