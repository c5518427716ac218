package director

import (
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// A routerBlock is a virtual router with all that its block says.
type routerBlock struct {
	vrrp.Config
	hooks     []config.Hook
	resources []config.Resource
}

// hookAspects are what is not the keeper's.
var hookAspects = []aspect[routerBlock]{
	{"on", func(r *routerBlock) any { return r.hooks }},
	{"resource", func(r *routerBlock) any { return r.resources }},
}

func routerBlocks(c *config.Config) []routerBlock {
	hooks := make(map[config.Owner][]config.Hook)
	for _, h := range c.Hooks {
		hooks[h.Owner] = append(hooks[h.Owner], h)
	}
	resources := make(map[config.Owner][]config.Resource)
	for _, r := range c.Resources {
		resources[r.Owner] = append(resources[r.Owner], r)
	}
	all := make([]routerBlock, len(c.Routers))
	for i, r := range c.Routers {
		// What follows from resources is told as theirs.
		r.Track = slices.DeleteFunc(slices.Clone(r.Track), func(t vrrp.Track) bool { return strings.HasPrefix(t.Condition, "resources of ") })
		r.Leave = vrrp.Clearance{}
		o := config.Owner{Router: r.Name}
		all[i] = routerBlock{r, hooks[o], resources[o]}
	}
	return all
}

var streamAspects = []aspect[config.Stream]{
	{"place", func(s *config.Stream) any { return s.Owner }},
	{"run", func(s *config.Stream) any { return s.Run }},
	{"user", func(s *config.Stream) any { return s.User }},
	{"stop_timeout", func(s *config.Stream) any { return s.StopTimeout }},
	{"kill_children", func(s *config.Stream) any { return s.KillChildren }},
}

// A groupBlock is what the block of a sync group says, but for what its routers have of
// it.
type groupBlock struct {
	name      string
	routers   []string
	hooks     []config.Hook
	resources []config.Resource
}

var groupAspects = []aspect[groupBlock]{
	{"routers", func(g *groupBlock) any { return g.routers }},
	{"on", func(g *groupBlock) any { return g.hooks }},
	{"resource", func(g *groupBlock) any { return g.resources }},
}

func groupBlocks(c *config.Config) []groupBlock {
	var all []groupBlock
	of := func(name string) *groupBlock {
		i := slices.IndexFunc(all, func(g groupBlock) bool { return g.name == name })
		if i < 0 {
			all, i = append(all, groupBlock{name: name}), len(all)
		}
		return &all[i]
	}
	for i := range c.Routers {
		if r := &c.Routers[i]; r.SyncGroup != "" {
			g := of(r.SyncGroup)
			g.routers = append(g.routers, r.Name)
		}
	}
	for _, h := range c.Hooks {
		if h.Group != "" {
			g := of(h.Group)
			g.hooks = append(g.hooks, h)
		}
	}
	for _, r := range c.Resources {
		if r.Group != "" {
			g := of(r.Group)
			g.resources = append(g.resources, r)
		}
	}
	return all
}
