package ipvsctl

import (
	"errors"
	"maps"
)

// WithFault returns counts of failures by kind with one more, or as they are where err is nil.
// They are handed out, so none is changed. The edges say with their errors of which kind
// they are; one that has none is "other".
func WithFault(counts map[string]uint64, err error) map[string]uint64 {
	if err == nil {
		return counts
	}
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
