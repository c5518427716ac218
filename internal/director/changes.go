package director

import (
	"cmp"
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
// service is removed.
func changes(before, after *config.Config) (lines []string, removes bool) {
	routers, r := differences("virtual router", before.Routers, after.Routers, func(r *vrrp.Config) string { return r.Name },
		func(_, _ *vrrp.Config) string { return "changed" })
	services, s := differences("virtual service", before.Services, after.Services, func(s *config.Service) string { return s.Name },
		serviceChange)
	lines = append(routers, services...)
	// What is removed must not be among those left out.
	slices.SortStableFunc(lines, func(a, b string) int { return cmp.Compare(kept(a), kept(b)) })
	return firstOf(lines), r+s > 0
}

// kept returns 0 for the removal of something, and 1 for any other change.
func kept(line string) int {
	if strings.HasSuffix(line, " removed") {
		return 0
	}
	return 1
}

// firstOf returns the first lines, and how many more there are.
func firstOf(lines []string) []string {
	if more := len(lines) - maxChanges; more > 0 {
		return append(lines[:maxChanges:maxChanges], fmt.Sprintf("and %d more", more))
	}
	return lines
}

// differences compares lists of things that have names, and tells how each
// differs that does, and how many are removed.
func differences[T any](kind string, before, after []T, name func(*T) string, how func(a, b *T) string) (all []string, removed int) {
	was := make(map[string]*T, len(before))
	for i := range before {
		was[name(&before[i])] = &before[i]
	}
	tell := func(name, what string) { all = append(all, kind+" "+name+" "+what) }
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
		tell(n, "removed")
	}
	return all, len(was)
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
	servers, _ := differences("real server", before.Servers, after.Servers, func(s *config.Server) string { return s.Name }, serverChange)
	return strings.Join(append(all, firstOf(servers)...), ", ")
}

func serverChange(before, after *config.Server) string {
	a := *before
	a.Destination.Weight = after.Destination.Weight
	if reflect.DeepEqual(&a, after) {
		return fmt.Sprintf("weight %d -> %d", before.Destination.Weight, after.Destination.Weight)
	}
	return "changed"
}
