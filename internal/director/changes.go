package director

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/text"
)

// maxChanges bounds the changes of one reload, and those of one service in it,
// that are told one by one.
const maxChanges = 20

// A change is what a reload changes of the director, a router or a service.
type change struct {
	line    string
	removes bool // a router or a service as a whole: it may have been a slip
}

// changes tells what a reload changes, one by one. What is removed comes first, so
// that it is not among what is left out.
func changes(before, after *config.Config) []change {
	goneRouters, routers := differences("virtual router", routerBlocks(before), routerBlocks(after), func(r *routerBlock) string { return r.Name },
		func(a, b *routerBlock) []string {
			return append(differing(routerAspects, &a.Config, &b.Config), differing(hookAspects, a, b)...)
		})
	goneServices, services := differences("virtual service", before.Services, after.Services, func(s *config.Service) string { return s.Name },
		serviceChanges)
	goneConditions, conditions := differences("condition", before.Conditions, after.Conditions, func(c *config.Condition) string { return c.Name },
		func(a, b *config.Condition) []string { return differing(conditionAspects, a, b) })
	var director []string
	if how := differing(directorAspects, &before.Director, &after.Director); len(how) > 0 {
		director = []string{"changed director: " + strings.Join(how, ", ")}
	}
	if how := differing(staticAspects, &before.Static, &after.Static); len(how) > 0 {
		director = append(director, "changed static: "+strings.Join(how, ", "))
	}
	goneGroups, groups := differences("sync group", groupBlocks(before), groupBlocks(after), func(g *groupBlock) string { return g.name },
		func(a, b *groupBlock) []string { return differing(groupAspects, a, b) })
	goneStreams, streams := differences("stream", before.Streams, after.Streams, func(s *config.Stream) string { return s.Name },
		func(a, b *config.Stream) []string { return differing(streamAspects, a, b) })
	gone := slices.Concat(goneRouters, goneGroups, goneServices, goneConditions, goneStreams)
	var all []change
	for i, line := range slices.Concat(gone, director, routers, groups, services, conditions, streams) {
		all = append(all, change{line, i < len(gone)})
	}
	if more := len(all) - maxChanges; more > 0 {
		all = append(all[:maxChanges], change{fmt.Sprintf("and %d more", more), len(gone) > maxChanges})
	}
	return all
}

// differences tells which things are removed, one by one, and how the others differ,
// together if they do alike.
func differences[T any](kind string, before, after []T, name func(*T) string, how func(a, b *T) []string) (removed, others []string) {
	same := alike{names: make(map[sentence][]string)}
	for _, d := range compare(before, after, name) {
		switch {
		case d.is == nil:
			removed = append(removed, fmt.Sprintf("removed %s %s", kind, d.name))
		case d.was == nil:
			same.add("added", "", d.name)
		default:
			if what := how(d.was, d.is); len(what) > 0 {
				same.add("changed", ": "+strings.Join(what, ", "), d.name)
			}
		}
	}
	return removed, same.lines(kind)
}

// alike has what is told, before and after the names, and of whom.
type alike struct {
	order []sentence
	names map[sentence][]string
}

type sentence struct{ verb, what string }

func (a *alike) add(verb, what, name string) {
	s := sentence{verb, what}
	if a.names[s] == nil {
		a.order = append(a.order, s)
	}
	a.names[s] = append(a.names[s], name)
}

// lines are the sentences about things of a kind.
func (a *alike) lines(kind string) []string {
	var all []string
	for _, s := range a.order {
		many := ""
		if len(a.names[s]) > 1 {
			many = "s"
		}
		all = append(all, fmt.Sprintf("%s %s%s %s%s", s.verb, kind, many, text.Few(a.names[s]), s.what))
	}
	return all
}

// serviceChanges tells how two services differ; that one has moved in its file is
// no difference.
func serviceChanges(before, after *config.Service) []string {
	gone, others := differences("real server", before.Servers, after.Servers, func(s *config.Server) string { return s.Name },
		func(a, b *config.Server) []string { return differing(serverAspects, a, b) })
	servers := append(gone, others...)
	for i := range servers {
		servers[i] = strings.TrimPrefix(servers[i], "changed ") // so is the service
	}
	if more := len(servers) - maxChanges; more > 0 {
		servers = append(servers[:maxChanges], fmt.Sprintf("and %d more", more))
	}
	return append(differing(serviceAspects, before, after), servers...)
}
