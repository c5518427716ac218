package checker

import "testing"

func TestOutcomeNames(t *testing.T) {
	for outcome, want := range map[Outcome]string{0: "none", Passed: "passed", Failed: "failed", NotRun: "not_run", NotRun + 1: "none"} {
		if got := outcome.String(); got != want {
			t.Errorf("outcome %d is %q, want %q", outcome, got, want)
		}
	}
}
