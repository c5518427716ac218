package director

import (
	"slices"
	"sort"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
)

// latencyBounds are the upper bounds of a service's latencies, in seconds. They are
// fewer than checker.LatencyBounds, for there may be a thousand services.
var latencyBounds = [...]float64{.001, .005, .025, .1, .5, 2.5}

// A probed counts what the checks of one service's servers have found since the daemon
// started. A probe that several services share counts in each of them.
type probed struct {
	seconds   float64
	latencies [len(latencyBounds) + 1]uint64
	reasons   [len(checker.ReasonNames)]uint64
}

// count counts a result.
func (p *probed) count(r checker.Result) {
	if r.Outcome != checker.NotRun {
		p.seconds += r.Latency.Seconds()
		p.latencies[sort.SearchFloat64s(latencyBounds[:], r.Latency.Seconds())]++
	}
	if r.Outcome != checker.Passed && int(r.Reason) < len(p.reasons) {
		p.reasons[r.Reason]++
	}
}

// status returns the counts: how long the probes took that could be run, and how many
// did not pass by their reason.
func (p *probed) status() api.ServiceProbes {
	s := api.ServiceProbes{
		Latency: api.Histogram{Bounds: latencyBounds[:], Buckets: slices.Clone(p.latencies[:]), Sum: p.seconds},
		Reasons: make(map[string]uint64),
	}
	for reason, n := range p.reasons {
		if n > 0 {
			s.Reasons[checker.Reason(reason).String()] = n
		}
	}
	return s
}
