package director

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
)

// "Which of my services answers slowly, and why do its checks fail?"
func TestProbesAreCountedByService(t *testing.T) {
	var p probed
	for _, r := range []checker.Result{
		{Outcome: checker.Passed, Latency: time.Millisecond},
		{Outcome: checker.Passed, Latency: 2 * time.Millisecond},
		{Outcome: checker.Failed, Latency: time.Hour, Reason: checker.TimedOut},
		{Outcome: checker.Failed, Latency: 4 * time.Millisecond, Reason: checker.WrongStatus},
		{Outcome: checker.Failed, Latency: 4 * time.Millisecond, Reason: checker.WrongStatus},
		{Outcome: checker.NotRun, Latency: time.Minute, Reason: checker.NoProbe},
		{Outcome: checker.NotRun, Reason: checker.Reason(len(checker.ReasonNames))}, // It has no name to count it by.
	} {
		p.count(r)
	}
	want := api.ServiceProbes{
		Latency: api.Histogram{Bounds: []float64{.001, .005, .025, .1, .5, 2.5}, Buckets: []uint64{1, 3, 0, 0, 0, 0, 1}, Sum: 3600.011},
		Reasons: map[string]uint64{"timeout": 1, "status": 2, "not_run": 1},
	}
	if diff := cmp.Diff(want, p.status()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
