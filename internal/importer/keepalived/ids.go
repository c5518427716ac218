package keepalived

import (
	"fmt"
	"maps"
	"slices"
)

// maxIDs bounds how often a configuration is read to find what it has ids for.
const maxIDs = 64

// IDs returns the ids for which a configuration has lines of their own ("@lvs1 priority
// 150"), sorted. Each of them is one with which keepalived is started, on another director.
func IDs(files Files, path string, o Options) ([]string, error) {
	seen, wanted := map[string]bool{}, []string{o.ID}
	for len(wanted) > 0 {
		o.ID, wanted = wanted[0], wanted[1:]
		r, _ := read(files, path, o)
		if r.err != nil {
			return nil, r.err
		}
		if len(r.ids) > maxIDs || len(seen) > maxIDs {
			return nil, fmt.Errorf("%s has conditions for more than %d ids: give the file of each director, with --node NAME=FILE", path, maxIDs)
		}
		for id := range r.ids {
			if !seen[id] {
				seen[id], wanted = true, append(wanted, id)
			}
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}
