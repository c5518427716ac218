package checker

import "testing"

func TestOutcomeNames(t *testing.T) {
	for outcome, want := range map[Outcome]string{0: "none", Passed: "passed", Failed: "failed", NotRun: "not_run", NotRun + 1: "none"} {
		if got := outcome.String(); got != want {
			t.Errorf("outcome %d is %q, want %q", outcome, got, want)
		}
	}
	for outcome := range NotRun + 1 {
		text, err := outcome.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		got := Outcome(99)
		if err := got.UnmarshalText(text); err != nil || got != outcome {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
	got := Passed
	if err := got.UnmarshalText([]byte("maybe")); err == nil || got != Passed {
		t.Errorf("\"maybe\" is read as %v, %v, want an error", got, err)
	}
}
