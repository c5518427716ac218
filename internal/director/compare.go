package director

import (
	"maps"
	"reflect"
	"slices"
)

// A difference is one thing that two configurations do not have alike: was is nil where
// it is added, and is where it is removed.
type difference[T any] struct {
	name    string
	was, is *T
}

// compare compares lists of things that have names: what is removed comes first, in the
// order of the names, and then what is added or another one, in the order of the list.
func compare[T any](before, after []T, name func(*T) string) []difference[T] {
	was := make(map[string]*T, len(before))
	for i := range before {
		was[name(&before[i])] = &before[i]
	}
	var others []difference[T]
	for i := range after {
		n := name(&after[i])
		b, known := was[n]
		if !known || !reflect.DeepEqual(b, &after[i]) {
			others = append(others, difference[T]{n, b, &after[i]})
		}
		delete(was, n)
	}
	var all []difference[T]
	for _, n := range slices.Sorted(maps.Keys(was)) {
		all = append(all, difference[T]{n, was[n], nil})
	}
	return append(all, others...)
}
