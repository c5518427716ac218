package checker

import (
	"fmt"
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
	var r StatusRange
	var err error
	if r.First, err = parseCode(first); err == nil {
		r.Last, err = parseCode(last)
	}
	if err != nil {
		return r, fmt.Errorf("status %q: %w", s, err)
	}
	if r.First > r.Last {
		return r, fmt.Errorf("status %q: the smaller code comes first: \"%d-%d\"", s, r.Last, r.First)
	}
	return r, nil
}

// parseCode reads one status code.
func parseCode(s string) (int, error) {
	if len(s) != 3 || s[0] < '1' || s[0] > '5' || strings.Trim(s, "0123456789") != "" {
		return 0, fmt.Errorf("want a code from 100 to 599, or a range such as \"%v\"", DefaultStatus)
	}
	return strconv.Atoi(s)
}

// Contains reports whether a status code passes.
func (rs StatusRanges) Contains(code int) bool {
	for _, r := range rs {
		if r.First <= code && code <= r.Last {
			return true
		}
	}
	return false
}

// String returns the ranges as ParseStatus reads them.
func (rs StatusRanges) String() string {
	var b strings.Builder
	for i, r := range rs {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(r.First))
		if r.Last != r.First {
			b.WriteString("-" + strconv.Itoa(r.Last))
		}
	}
	return b.String()
}
