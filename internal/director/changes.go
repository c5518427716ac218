package director

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// maxChanges bounds the changes of one reload, and those of one service in it,
// that are told one by one.
const maxChanges = 20

// changes tells what a reload changes, a line each, and whether a whole router or
// service is removed. What is removed comes first, so that it is not among what is
// left out.
func changes(before, after *config.Config) (lines []string, removes bool) {
	routersGone, routers := differences("virtual router", before.Routers, after.Routers, func(r *vrrp.Config) string { return r.Name },
		func(_, _ *vrrp.Config) string { return "changed" })
	servicesGone, services := differences("virtual service", before.Services, after.Services, func(s *config.Service) string { return s.Name },
		serviceChange)
	gone := append(routersGone, servicesGone...)
	var director []string
	if before.Director != after.Director {
		director = []string{"director changed"}
	}
	return firstOf(slices.Concat(gone, director, routers, services)), len(gone) > 0
}

// firstOf returns the first lines, and how many more there are.
func firstOf(lines []string) []string {
	if more := len(lines) - maxChanges; more > 0 {
		return append(lines[:maxChanges:maxChanges], fmt.Sprintf("and %d more", more))
	}
	return lines
}

// differences compares lists of things that have names, and tells which are
// removed and how the others differ, if they do.
func differences[T any](kind string, before, after []T, name func(*T) string, how func(a, b *T) string) (removed, others []string) {
	was := make(map[string]*T, len(before))
	for i := range before {
		was[name(&before[i])] = &before[i]
	}
	tell := func(name, what string) { others = append(others, kind+" "+name+" "+what) }
	for i := range after {
		n := name(&after[i])
		switch b, known := was[n]; {
		case !known:
			tell(n, "added")
		case !reflect.DeepEqual(b, &after[i]):
			if what := how(b, &after[i]); what != "" {
				tell(n, what)
			}
		}
		delete(was, n)
	}
	for _, n := range slices.Sorted(maps.Keys(was)) {
		removed = append(removed, kind+" "+n+" removed")
	}
	return removed, others
}

// serviceChange tells how two services differ; that one has moved in its file is
// no difference.
func serviceChange(before, after *config.Service) string {
	a, b := *before, *after
	a.Source, b.Source, a.Servers, b.Servers = "", "", nil, nil
	var all []string
	if !reflect.DeepEqual(a, b) {
		all = append(all, "changed")
	}
	gone, others := differences("real server", before.Servers, after.Servers, func(s *config.Server) string { return s.Name }, serverChange)
	return strings.Join(append(all, firstOf(append(others, gone...))...), ", ")
}

func serverChange(before, after *config.Server) string {
	a := *before
	a.Destination.Weight = after.Destination.Weight
	if reflect.DeepEqual(&a, after) {
		return fmt.Sprintf("weight %d -> %d", before.Destination.Weight, after.Destination.Weight)
	}
	return "changed"
}
