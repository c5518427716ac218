package director

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// A comparison collects how two configurations differ, all of it, for a plan.
type comparison struct {
	master func(router string) bool // as it is now
	all    []api.Difference
}

// differ tells how two configurations differ.
func differ(before, after *config.Config, master func(router string) bool) []api.Difference {
	c := comparison{master: master}
	c.changed("director", "", differing(directorAspects, &before.Director, &after.Director))
	c.statics(&before.Static, &after.Static)
	c.routers(before, after)
	c.groups(before, after)
	c.services(before, after)
	c.blocks("condition", names(compare(before.Conditions, after.Conditions, func(c *config.Condition) string { return c.Name }),
		func(a, b *config.Condition) []string { return differing(conditionAspects, a, b) }))
	c.blocks("stream", names(compare(before.Streams, after.Streams, func(s *config.Stream) string { return s.Name }),
		func(a, b *config.Stream) []string { return differing(streamAspects, a, b) }))
	return c.all
}

func (c *comparison) add(d api.Difference) {
	if d.What == nil {
		d.What = []string{}
	}
	c.all = append(c.all, d)
}

// changed adds that a thing is another one, if it is.
func (c *comparison) changed(kind, name string, what []string) {
	if len(what) > 0 {
		c.add(api.Difference{Action: api.Change, Kind: kind, Name: name, What: what})
	}
}

// A named is a difference of which only the name and the options are told.
type named struct {
	name           string
	added, removed bool
	what           []string
}

func names[T any](all []difference[T], how func(a, b *T) []string) (list []named) {
	for _, d := range all {
		n := named{name: d.name, added: d.was == nil, removed: d.is == nil}
		if !n.added && !n.removed {
			n.what = how(d.was, d.is)
		}
		list = append(list, n)
	}
	return list
}

// blocks adds differences of things that have nothing in them.
func (c *comparison) blocks(kind string, all []named) {
	for _, n := range all {
		switch {
		case n.removed:
			c.add(api.Difference{Action: api.Remove, Kind: kind, Name: n.name})
		case n.added:
			c.add(api.Difference{Action: api.Add, Kind: kind, Name: n.name})
		default:
			c.changed(kind, n.name, n.what)
		}
	}
}

// inner adds what of a kind is removed from a thing, and added to it.
func (c *comparison) inner(kind, in string, was, is []string, now bool) {
	for _, n := range was {
		if !slices.Contains(is, n) {
			c.add(api.Difference{Action: api.Remove, Kind: kind, Name: n, In: in, Now: now})
		}
	}
	for _, n := range is {
		if !slices.Contains(was, n) {
			c.add(api.Difference{Action: api.Add, Kind: kind, Name: n, In: in, Now: now})
		}
	}
}

// holdings adds the addresses, routes and rules that differ.
func (c *comparison) holdings(in string, was, is vrrp.Holdings, now bool) {
	c.inner("address", in, vrrp.Holdings{Addresses: was.Addresses}.Names(), vrrp.Holdings{Addresses: is.Addresses}.Names(), now)
	c.inner("route", in, vrrp.Holdings{Routes: was.Routes}.Names(), vrrp.Holdings{Routes: is.Routes}.Names(), now)
	c.inner("rule", in, vrrp.Holdings{Rules: was.Rules}.Names(), vrrp.Holdings{Rules: is.Rules}.Names(), now)
}

func (c *comparison) statics(was, is *vrrp.Holdings) {
	c.changed("static", "", differing(staticAspects, was, is))
	c.holdings("static", *was, *is, true)
}

func (c *comparison) routers(before, after *config.Config) {
	for _, d := range compare(routerBlocks(before), routerBlocks(after), func(r *routerBlock) string { return r.Name }) {
		var was, is routerBlock
		switch {
		case d.is == nil:
			was = *d.was
			c.add(api.Difference{Action: api.Remove, Kind: "virtual_router", Name: d.name})
		case d.was == nil:
			is = *d.is
			c.add(api.Difference{Action: api.Add, Kind: "virtual_router", Name: d.name,
				What: []string{fmt.Sprintf("id %d on %s", is.VRID, is.Interface), fmt.Sprintf("priority %d", is.Priority)}})
		default:
			was, is = *d.was, *d.is
			c.changed("virtual_router", d.name, append(differing(routerAspects, &was.Config, &is.Config), differing(hookAspects, &was, &is)...))
		}
		in := "virtual_router " + d.name
		c.holdings(in, was.Holdings(), is.Holdings(), c.master(d.name))
		c.programs(in, was.hooks, is.hooks, was.resources, is.resources)
	}
}

// programs adds the hooks and the resources that differ.
func (c *comparison) programs(in string, was, is []config.Hook, had, has []config.Resource) {
	hook := func(h config.Hook) string { return fmt.Sprintf("on %q %s", h.On, strings.Join(h.Run, " ")) }
	resource := func(r config.Resource) string { return r.Kind + " " + r.Name }
	c.inner("hook", in, each(was, hook), each(is, hook), false)
	c.inner("resource", in, each(had, resource), each(has, resource), false)
}

// each returns what f makes of each of a list.
func each[T any](list []T, f func(T) string) (all []string) {
	for _, v := range list {
		all = append(all, f(v))
	}
	return all
}

func (c *comparison) groups(before, after *config.Config) {
	for _, d := range compare(groupBlocks(before), groupBlocks(after), func(g *groupBlock) string { return g.name }) {
		var was, is groupBlock
		switch {
		case d.is == nil:
			was = *d.was
			c.add(api.Difference{Action: api.Remove, Kind: "sync_group", Name: d.name})
		case d.was == nil:
			is = *d.is
			c.add(api.Difference{Action: api.Add, Kind: "sync_group", Name: d.name, What: []string{"routers " + strings.Join(is.routers, ", ")}})
		default:
			was, is = *d.was, *d.is
			c.changed("sync_group", d.name, differing(groupAspects, &was, &is))
		}
		c.programs("sync_group "+d.name, was.hooks, is.hooks, was.resources, is.resources)
	}
}

func (c *comparison) services(before, after *config.Config) {
	for _, d := range compare(before.Services, after.Services, func(s *config.Service) string { return s.Name }) {
		var was, is config.Service
		switch {
		case d.is == nil:
			was = *d.was
			c.add(api.Difference{Action: api.Remove, Kind: "virtual_service", Name: d.name, What: []string{was.Address()}})
		case d.was == nil:
			is = *d.is
			c.add(api.Difference{Action: api.Add, Kind: "virtual_service", Name: d.name, What: []string{is.Address(), "scheduler " + is.Service.Scheduler}})
		default:
			was, is = *d.was, *d.is
			c.changed("virtual_service", d.name, differing(serviceAspects, &was, &is))
		}
		c.programs("virtual_service "+d.name, was.Hooks, is.Hooks, nil, nil)
		c.servers(d.name, was.Servers, is.Servers)
	}
}

// servers adds the real servers of a service that differ.
func (c *comparison) servers(service string, was, is []config.Server) {
	asked := func(k config.Check) string { return strings.TrimSpace(k.Target.Spec.Kind() + " " + k.Target.Asked()) }
	for _, d := range compare(was, is, func(s *config.Server) string { return s.Name }) {
		one := api.Difference{Action: api.Change, Kind: "real_server", Name: d.name, In: "virtual_service " + service}
		switch {
		case d.is == nil:
			one.Action, one.What = api.Remove, []string{d.was.Key.String()}
			c.add(one)
		case d.was == nil:
			one.Action, one.What = api.Add, []string{d.is.Key.String(), d.is.Destination.Forward.String(), fmt.Sprintf("weight %d", d.is.Destination.Weight)}
			for _, check := range each(d.is.Checks, asked) {
				one.What = append(one.What, "check "+check)
			}
			c.add(one)
		default:
			if one.What = differing(serverAspects, d.was, d.is); len(one.What) == 0 {
				continue
			}
			c.add(one)
			c.inner("check", "real_server "+service+"/"+d.name, each(d.was.Checks, asked), each(d.is.Checks, asked), false)
		}
	}
}
