package main

import (
	"slices"
	"time"
)

// The units of figures. Times are kept in seconds and shown as is readable.
const (
	unitTime  = "s"
	unitBytes = "B"
	unitCount = ""
)

// A Figure is one line of the result: what was measured, once for each run.
type Figure struct {
	Part string `json:"part"`
	// Place says on which kernel, where that is not the one at hand.
	Place string `json:"place,omitempty"`
	Name  string `json:"name"`
	Unit  string `json:"unit"`
	// Peer is empty where keepalived has nothing to compare with.
	LVSD []float64 `json:"lvsd"`
	Peer []float64 `json:"keepalived,omitempty"`
	Goal *Goal     `json:"goal,omitempty"`
}

// A Goal bounds the median of lvsd's runs, or its ratio to keepalived's.
type Goal struct {
	Bound float64 `json:"bound"`
	Ratio bool    `json:"ratio,omitempty"`
}

// atMost is the goal of a bound on lvsd's own figure.
func atMost(bound float64) *Goal { return &Goal{Bound: bound} }

// ratioAtMost is the goal of a bound on the ratio.
func ratioAtMost(bound float64) *Goal { return &Goal{Bound: bound, Ratio: true} }

// ratio is lvsd's median by keepalived's; ok is false where there is none.
func (f Figure) ratio() (r float64, ok bool) {
	if len(f.LVSD) == 0 || len(f.Peer) == 0 || median(f.Peer) == 0 {
		return 0, false
	}
	return median(f.LVSD) / median(f.Peer), true
}

// met reports whether the figure reaches its goal.
func (f Figure) met() bool {
	if r, ok := f.ratio(); f.Goal.Ratio {
		return ok && r <= f.Goal.Bound
	}
	return len(f.LVSD) > 0 && median(f.LVSD) <= f.Goal.Bound
}

// median is the middle of the runs, or the mean of the two in the middle.
func median(runs []float64) float64 {
	s := slices.Sorted(slices.Values(runs))
	n := len(s)
	if n == 0 {
		return 0
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}

// A column is the figures of one daemon, by name, filled run by run.
type column map[string][]float64

func (c column) add(name string, v float64) { c[name] = append(c[name], v) }

func (c column) addTime(name string, d time.Duration) { c.add(name, d.Seconds()) }
