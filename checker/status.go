package checker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// DefaultStatus holds the status codes that pass where none are given.
var DefaultStatus = StatusRanges{{200, 299}}

// StatusRanges are HTTP status codes that pass.
type StatusRanges []StatusRange

// A StatusRange is a range of HTTP status codes, both ends included.
type StatusRange struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

// ParseStatus reads ranges of HTTP status codes, "200-299,304": each a code
// from 100 to 599 or two with the smaller first, separated by commas.
func ParseStatus(s string) (StatusRanges, error) {
	var ranges StatusRanges
	for part := range strings.SplitSeq(s, ",") {
		r, err := parseRange(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		ranges = append(ranges, r)
	}
	return ranges, nil
}

// parseRange reads "304" or "200-299".
func parseRange(s string) (StatusRange, error) {
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	r := StatusRange{parseCode(first), parseCode(last)}
	switch {
	case r.First == 0 || r.Last == 0:
		return r, fmt.Errorf("status %q must be a code from 100 to 599, or a range such as \"%v\"", s, DefaultStatus)
	case r.First > r.Last:
		return r, fmt.Errorf("status %q is reversed: write \"%d-%d\"", s, r.Last, r.First)
	}
	return r, nil
}

// parseCode returns a status code from 100 to 599; zero if s is none.
func parseCode(s string) int {
	if len(s) != 3 || s[0] < '1' || s[0] > '5' || strings.Trim(s, "0123456789") != "" {
		return 0
	}
	code, _ := strconv.Atoi(s)
	return code
}

// Contains reports whether a status code passes.
func (rs StatusRanges) Contains(code int) bool {
	return slices.ContainsFunc(rs, func(r StatusRange) bool { return r.First <= code && code <= r.Last })
}

// String returns the ranges as ParseStatus reads them.
func (rs StatusRanges) String() string {
	parts := make([]string, len(rs))
	for i, r := range rs {
		parts[i] = strconv.Itoa(r.First)
		if r.Last != r.First {
			parts[i] += "-" + strconv.Itoa(r.Last)
		}
	}
	return strings.Join(parts, ",")
}
