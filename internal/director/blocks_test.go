package director

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// What a reload changes is told of the sync group whose block says it.
func TestASyncGroupHasWhatItsBlockSays(t *testing.T) {
	east, west := config.Owner{Group: "east"}, config.Owner{Group: "west"}
	both := []vrrp.Config{{Name: "a", SyncGroup: "east"}, {Name: "b", SyncGroup: "west"}, {Name: "c", SyncGroup: "east"}, {Name: "d"}}
	hook := func(o config.Owner, on string) config.Hook { return config.Hook{Owner: o, On: on} }
	resource := func(o config.Owner, name string) config.Resource { return config.Resource{Owner: o, Name: name} }
	for _, tt := range []struct {
		name string
		c    config.Config
		want []string
	}{
		{"no router moves with another", config.Config{Routers: both[3:]}, nil},
		{"each has its routers", config.Config{Routers: both}, []string{"east [a c] [] []", "west [b] [] []"}},
		{"each has its hooks", config.Config{Routers: both, Hooks: []config.Hook{hook(west, "master"), hook(east, "any"), hook(east, "stop")}},
			[]string{"east [a c] [any stop] []", "west [b] [master] []"}},
		{"a hook of a router is none of its group", config.Config{Routers: both, Hooks: []config.Hook{hook(config.Owner{Router: "a"}, "any")}},
			[]string{"east [a c] [] []", "west [b] [] []"}},
		{"each has its resources", config.Config{Routers: both, Resources: []config.Resource{resource(west, "mail"), resource(east, "web"), resource(east, "dns")}},
			[]string{"east [a c] [] [web dns]", "west [b] [] [mail]"}},
		{"a resource of a router is none of its group", config.Config{Routers: both, Resources: []config.Resource{resource(config.Owner{Router: "a"}, "web")}},
			[]string{"east [a c] [] []", "west [b] [] []"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := blocksOf(groupBlocks(&tt.c)); !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// blocksOf are sync groups in one line each: the routers, hooks and resources of each.
func blocksOf(groups []groupBlock) (all []string) {
	for _, g := range groups {
		on, resources := []string{}, []string{}
		for _, h := range g.hooks {
			on = append(on, h.On)
		}
		for _, r := range g.resources {
			resources = append(resources, r.Name)
		}
		all = append(all, fmt.Sprint(g.name, " ", g.routers, " ", on, " ", resources))
	}
	return all
}
