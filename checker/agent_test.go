package checker

import (
	"testing"
	"time"
)

// The words are HAProxy's, and what they mean was tried with HAProxy 2.6.
func TestParseReport(t *testing.T) {
	share := func(n uint16) Report { return Report{Advice: Advice{Weight: n, Measure: Percent}} }
	mode := func(m Mode) Report { return Report{Advice: Advice{Mode: m}} }
	for line, want := range map[string]Report{
		"up":                   {Up: true},
		"UP":                   {Up: true},
		"down":                 {Down: true, Words: "down"},
		"down # disk full":     {Down: true, Words: "down: disk full"},
		"fail#x":               {Down: true, Words: "fail: x"},
		"failed":               {Down: true, Words: "failed"},
		"stopped #":            {Down: true, Words: "stopped"},
		"up # down":            {Up: true},
		"down up":              {Up: true},
		"up down":              {Down: true, Words: "down"},
		"50%":                  share(50),
		"0%":                   share(0),
		"100%":                 share(100),
		"20% 60%":              share(60),
		"x 33%":                share(33),
		"ready":                mode(Ready),
		"drain":                mode(Drain),
		"maint":                mode(Maintenance),
		"ready drain":          mode(Drain),
		"up,50%,ready":         {Up: true, Advice: Advice{Weight: 50, Measure: Percent, Mode: Ready}},
		"up\t20%":              {Up: true, Advice: Advice{Weight: 20, Measure: Percent}},
		" up maxconn:10 100% ": {Up: true, Advice: Advice{Weight: 100, Measure: Percent}},
		"maxconn:30":           {},
	} {
		if got, err := ParseReport(line); err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", line, got, err, want)
		}
	}
	for _, line := range []string{"", " ", "garbage", "dow", "upward", "# up", "5", "50 %", "50%x", "101%", "300%", "-5%", "+7%", "99.5%", "%", "\xff\x00"} {
		if got, err := ParseReport(line); err == nil || got != (Report{}) {
			t.Errorf("%q: %+v, want that it is not understood", line, got)
		}
	}
}

func FuzzParseReport(f *testing.F) {
	for _, line := range []string{"up 50% ready", "down # why", "maint,drain", "maxconn:1 101%", "\xff#"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := ParseReport(line)
		switch {
		case err != nil && r != (Report{}):
			t.Errorf("%q: %+v and %v", line, r, err)
		case r.Up && r.Down, r.Down != (r.Words != ""), int(r.Weight) > Percent.Limit(), r.Measure == Absolute:
			t.Errorf("%q: %+v", line, r)
		}
	})
}

// "Parameters which are not advertised by the agent are not changed": only the agent
// itself reverts what it has done (HAProxy's configuration manual, agent-check).
func TestWhatAnAgentDoesNotSayIsAsItSaidLast(t *testing.T) {
	s := newSchedule(time.Now())
	target := Target{Spec: SpecOf(Agent{}), Interval: time.Second}
	s.set(s.base, []*Target{&target})
	e := s.entries[0]
	for _, step := range []struct {
		line    string // empty: nobody answers
		outcome Outcome
		advice  string
		detail  string
	}{
		{"", Passed, "", "connection refused"},
		{"50%", Passed, "50%", ""},
		{"down # disk full", Failed, "50%", "the agent says down: disk full"},
		{"75%", Failed, "75%", "the agent says down: disk full"},
		{"", Failed, "75%", "the agent said down: disk full, and since then: connection refused"},
		{"ready", Failed, "75%", "the agent says down: disk full"},
		{"up", Passed, "75%", ""},
		{"drain", Passed, "drain, 75%", ""},
		{"up", Passed, "drain, 75%", ""},
		{"maint", Passed, "maint, 75%", ""},
		{"", Passed, "maint, 75%", "connection refused"},
		{"ready 100%", Passed, "100%", ""},
	} {
		r := Result{Outcome: Passed, Report: &Report{}, Detail: "connection refused"}
		if step.line != "" {
			said, err := ParseReport(step.line)
			if err != nil {
				t.Fatal(err)
			}
			r.Report, r.Detail = &said, ""
		}
		r = s.conclude(e, r)
		if r.Outcome != step.outcome || r.Advice.String() != step.advice || r.Detail != step.detail || r.Report != nil || (r.Reason == WrongAnswer) != (r.Outcome == Failed) {
			t.Errorf("%q: %+v, want %v, %q, %q", step.line, r, step.outcome, step.advice, step.detail)
		}
	}
	// One whose agent must answer has failed whatever was said.
	if r := s.conclude(e, Result{Outcome: Failed, Reason: Refused, Detail: "connection refused", Report: &Report{}}); r.Detail != "connection refused" || r.Reason != Refused {
		t.Errorf("%+v", r)
	}
	if s.set(s.base, nil); len(s.reports) != 0 {
		t.Errorf("%d reports of targets that are gone", len(s.reports))
	}
}

// A server that its agent has declared down is not one that fell silent, so nothing holds it.
func TestAServerThatIsDeclaredDownIsNotSilent(t *testing.T) {
	h := NewHealth(Up)
	h.Observe(time.Now(), Result{Outcome: Failed, Silent: true, Reason: WrongAnswer, Detail: "the agent said down, and since then: timeout"}, Rules{Rise: 1, Fall: 1})
	if h.Silent() {
		t.Error("it counts as silent")
	}
	h.Observe(time.Now(), Result{Outcome: Failed, Silent: true, Reason: TimedOut}, Rules{Rise: 1, Fall: 1})
	if !h.Silent() {
		t.Error("one that times out does not")
	}
}
