package checker

import (
	"maps"
	"slices"
	"sort"
	"time"
)

// Stats are what the checker has counted since it started.
type Stats struct {
	// Targets is how many distinct probes there are, InFlight how many are
	// running, and Waiting how many are due and wait for a place.
	Targets  int
	InFlight int
	Waiting  int
	// Restarted is how many probes were given up since they did not end, and Lost how many of
	// these still have not.
	Restarted uint64
	Lost      int
	// Late is how many probes had to wait for a place, LateSeconds for how
	// long in all.
	Late        uint64
	LateSeconds float64
	// Delays counts by how much later than they were due probes began, up to each of
	// DelayBounds (not cumulative); the last one counts the rest. DelaySeconds is the
	// sum.
	Delays       []uint64
	DelaySeconds float64
	// Bypassed is how many targets the Engine is not asked about for a while, since it
	// does not hear them and connections do; Unusable is why it asks nobody.
	Bypassed int
	Unusable string
	// Kinds holds the results by kind of check.
	Kinds map[string]KindStats
}

// A KindStats counts the results of one kind of check.
type KindStats struct {
	Passed uint64
	Failed uint64
	NotRun uint64
	// Seconds is the sum of all latencies. Buckets counts the latencies up to
	// each of LatencyBounds (not cumulative); the last one counts the rest.
	Seconds float64
	Buckets []uint64
}

// LatencyBounds are the upper bounds of the latency histogram, in seconds.
var LatencyBounds = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// DelayBounds are the upper bounds of the histogram of delays, in seconds.
var DelayBounds = []float64{.001, .0025, .005, .01, .02, .05, .1, .25, .5, 1}

// countDelay counts a probe that begins so long after it was due.
func (s *Stats) countDelay(d time.Duration) {
	seconds := max(d, 0).Seconds()
	s.DelaySeconds += seconds
	s.Delays[sort.SearchFloat64s(DelayBounds, seconds)]++
}

// countResult counts the result of one probe.
func (s *Stats) countResult(kind string, r Result) {
	k, ok := s.Kinds[kind]
	if !ok {
		k.Buckets = make([]uint64, len(LatencyBounds)+1)
	}
	switch r.Outcome {
	case Passed:
		k.Passed++
	case Failed:
		k.Failed++
	default:
		k.NotRun++
	}
	seconds := r.Latency.Seconds()
	k.Seconds += seconds
	k.Buckets[sort.SearchFloat64s(LatencyBounds, seconds)]++
	s.Kinds[kind] = k
}

// clone returns a copy that shares nothing.
func (s Stats) clone() Stats {
	s.Delays = slices.Clone(s.Delays)
	s.Kinds = maps.Clone(s.Kinds)
	for kind, k := range s.Kinds {
		k.Buckets = slices.Clone(k.Buckets)
		s.Kinds[kind] = k
	}
	return s
}
