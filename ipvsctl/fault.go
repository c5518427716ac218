package ipvsctl

import (
	"errors"
	"maps"
)

// withFault returns counts by kind with one more: they are handed out, so none is changed.
// The edges say with their errors of which kind they are.
func withFault(counts map[string]uint64, err error) map[string]uint64 {
	next := make(map[string]uint64, len(counts)+1)
	maps.Copy(next, counts)
	kind := "other"
	var known interface{ FaultKind() string }
	if errors.As(err, &known) {
		kind = known.FaultKind()
	}
	next[kind]++
	return next
}
