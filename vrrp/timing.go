package vrrp

import "slices"

// The bounds of a router's histograms.
var (
	// GapBounds are times between two adverts of the Master that is followed, in
	// intervals of that Master: 1 is as it should be, and 2 tells of one that is
	// missing.
	GapBounds = []float64{0.5, 0.9, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4}
	// LatenessBounds are how late a Master sends its regular adverts, in seconds.
	LatenessBounds = []float64{0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1}
)

// A Histogram counts values by fixed bounds, which are not part of it.
type Histogram struct {
	// Buckets counts the values up to each bound, from the one before, and last
	// those above all.
	Buckets []uint64 `json:"buckets,omitempty"`
	Sum     float64  `json:"sum,omitempty"`
	Max     float64  `json:"max,omitempty"`
}

// add counts a value by the bounds of the histogram. The first one makes its buckets: a
// router that is always Backup, or always Master, fills one of its two.
func (h *Histogram) add(bounds []float64, v float64) {
	if h.Buckets == nil {
		h.Buckets = make([]uint64, len(bounds)+1)
	}
	place, _ := slices.BinarySearch(bounds, v)
	h.Buckets[place]++
	h.Sum += v
	h.Max = max(h.Max, v)
}

// clone returns a histogram that does not change any more.
func (h *Histogram) clone() Histogram {
	return Histogram{slices.Clone(h.Buckets), h.Sum, h.Max}
}

// A timing is how punctual adverts are: the Master's, and this router's own.
type timing struct{ gaps, lateness Histogram }
