package probe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/checker"
)

// planOf returns the plan of the n-th of many checks.
func planOf(t *testing.T, p *plans, n int) *plan {
	t.Helper()
	made, err := p.plan(checker.HTTP{Path: fmt.Sprint("/", n)})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// foundAgain asks for the plans of n distinct checks twice, one after the
// other, and counts those that were not made twice.
func foundAgain(t *testing.T, p *plans, n int) int {
	t.Helper()
	first := make([]*plan, n)
	for i := range first {
		first[i] = planOf(t, p, i)
	}
	again := 0
	for i := range first {
		if planOf(t, p, i) == first[i] {
			again++
		}
	}
	return again
}

func TestPlansAreRemembered(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		checks, min int
	}{
		{"5,000 distinct checks are made ready once each", 5000, 5000},
		{"as many as there is room for", planLimit, planLimit},
		{"a few more than there is room for, and most are still found", planLimit + 100, planLimit / 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlans()
			if n := foundAgain(t, &p, tt.checks); n < tt.min {
				t.Errorf("%d of %d plans were found again, want at least %d", n, tt.checks, tt.min)
			}
		})
	}
}

// TestPlansAreBounded proves that reloads with ever new checks do not grow the
// daemon.
func TestPlansAreBounded(t *testing.T) {
	t.Parallel()
	p := newPlans()
	for i := range planLimit + 10 {
		planOf(t, &p, i)
	}
	if n := len(p.known); n != planLimit {
		t.Errorf("%d plans are remembered, want %d", n, planLimit)
	}
}

func TestPlanSaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		spec checker.HTTP
		want string
	}{
		{checker.HTTP{Body: "("}, "the check can't be run: body: error parsing regexp: missing closing ): `(`"},
		{checker.HTTP{Path: "x", Body: "OK"}, `the check can't be run: path "x": want one that begins with /`},
		{checker.HTTP{Status: "wrong"}, "the check can't be run: status"},
	} {
		if _, err := newPlan(tt.spec); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%+v: %v\nwant %s", tt.spec, err, tt.want)
		}
	}
}
