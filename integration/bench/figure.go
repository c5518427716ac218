package main

import (
	"slices"
	"strconv"
	"time"
)

// The units of figures. Times are kept in seconds and shown as is readable,
// shares as parts of one.
const (
	unitTime  = "s"
	unitBytes = "B"
	unitShare = "%"
	unitCount = ""
)

// A Figure is one line of the result: what was measured, once for each run.
type Figure struct {
	Part string `json:"part"`
	// Place says on which kernel.
	Place string `json:"place"`
	Name  string `json:"name"`
	Unit  string `json:"unit"`
	// Peer is empty where keepalived has nothing to compare with.
	LVSD []float64 `json:"lvsd"`
	Peer []float64 `json:"keepalived,omitempty"`
	Goal *Goal     `json:"goal,omitempty"`
}

// never, in seconds, is the time of what did not happen while it was watched.
const never = 1e9

// A Goal is what lvsd should reach.
type Goal struct {
	Kind  goalKind `json:"kind"`
	Value float64  `json:"value"`
	// Beside, unless it is 0, is how far the worst run may be beyond keepalived's.
	Beside float64 `json:"beside,omitempty"`
}

type goalKind string

const (
	goalMost   goalKind = "at most"       // the median of the runs
	goalRatio  goalKind = "ratio at most" // that median by keepalived's
	goalWorst  goalKind = "worst at most" // each of the runs
	goalAlways goalKind = "always"        // each of them is that
)

// atMost is the goal of a bound on lvsd's own figure.
func atMost(bound float64) *Goal { return &Goal{Kind: goalMost, Value: bound} }

// ratioAtMost is the goal of a bound on the ratio.
func ratioAtMost(bound float64) *Goal { return &Goal{Kind: goalRatio, Value: bound} }

// always is the goal that no run of lvsd has anything else.
func always(v float64) *Goal { return &Goal{Kind: goalAlways, Value: v} }

// worstAtMost is the goal of a bound on each run of lvsd.
func worstAtMost(bound float64) *Goal { return &Goal{Kind: goalWorst, Value: bound} }

// beside adds that the worst run is at most so far beyond keepalived's worst one.
func (g *Goal) beside(by float64) *Goal {
	g.Beside = by
	return g
}

// ratio is lvsd's median by keepalived's, to two digits: the third is the
// machine's. ok is false where there is none.
func (f Figure) ratio() (r float64, ok bool) {
	ours, theirs := median(f.LVSD), median(f.Peer)
	if len(f.LVSD) == 0 || theirs == 0 || max(ours, theirs) == never {
		return 0, false
	}
	r, err := strconv.ParseFloat(strconv.FormatFloat(ours/theirs, 'g', 2, 64), 64)
	return r, err == nil
}

// met reports whether the figure reaches its goal.
func (f Figure) met() bool {
	if len(f.LVSD) == 0 {
		return false
	}
	switch f.Goal.Kind {
	case goalWorst:
		worst := slices.Max(f.LVSD)
		beside := f.Goal.Beside == 0 || len(f.Peer) > 0 && worst <= slices.Max(f.Peer)+f.Goal.Beside
		return worst <= f.Goal.Value && beside
	case goalAlways:
		return !slices.ContainsFunc(f.LVSD, func(v float64) bool { return v != f.Goal.Value })
	case goalRatio:
		if r, ok := f.ratio(); ok {
			return r <= f.Goal.Value
		}
		// keepalived's is 0 or never, or lvsd's is never.
		ours := median(f.LVSD)
		return len(f.Peer) > 0 && ours < never && ours <= median(f.Peer)
	default:
		return median(f.LVSD) <= f.Goal.Value
	}
}

// median is the middle of the runs, or the mean of the two in the middle; of no
// runs it is 0.
func median(runs []float64) float64 {
	s := slices.Sorted(slices.Values(runs))
	n := len(s)
	if n == 0 {
		return 0
	}
	if s[n/2] == never {
		return never
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}

// A column is the figures of one daemon, by name, filled run by run.
type column map[string][]float64

func (c column) add(name string, v float64) { c[name] = append(c[name], v) }

func (c column) addTime(name string, d time.Duration) { c.add(name, d.Seconds()) }
