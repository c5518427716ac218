package daemon

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/checker/probe"
)

// What real programs say reaches the one who asks. That they are ended is spawn's.
func TestAProgramAsAProbe(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip(err)
	}
	p := probe.New(starter(newSpawner()))
	for _, tt := range []struct {
		name, script, user string
		timeout            time.Duration
		outcome            checker.Outcome
		detail             string
	}{
		{"it is satisfied", "echo all is well", "", time.Minute, checker.Passed, ""},
		{"it is not", "echo no gateway; echo more; exit 2", "", time.Minute, checker.Failed, "/bin/sh exited with status 2: no gateway"},
		{"it says nothing", "exit 1", "", time.Minute, checker.Failed, "/bin/sh exited with status 1"},
		{"it is killed", "kill -9 $$", "", time.Minute, checker.Failed, "/bin/sh was ended by signal 9 (killed)"},
		{"its user does not exist", "true", "nobody-of-that-name", time.Minute, checker.NotRun, `there is no user "nobody-of-that-name"`},
		{"it hangs, and so does its child", "trap : TERM; sleep 60 & sleep 60", "", 300 * time.Millisecond, checker.Failed, "/bin/sh did not end within 300ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), tt.timeout)
			defer cancel()
			spec := checker.SpecOf(checker.Exec{Run: []string{"/bin/sh", "-c", tt.script}, User: tt.user, KillChildren: true})
			r := p.Compile(spec)(ctx, checker.Target{Spec: spec, Timeout: tt.timeout})
			if r.Outcome != tt.outcome || !strings.HasPrefix(r.Detail, tt.detail) {
				t.Errorf("%v: %q, want %v: %q", r.Outcome, r.Detail, tt.outcome, tt.detail)
			}
		})
	}
}

// A check's program knows whom it asks about, and its status may be a weight.
func TestTheProgramOfAServersCheck(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip(err)
	}
	p := probe.New(starter(newSpawner()))
	for _, tt := range []struct {
		name, script string
		outcome      checker.Outcome
		advice       string
	}{
		{"its environment tells the server", `test "$LVSD_SERVICE/$LVSD_SERVER" = web/compute-0-0`, checker.Passed, ""},
		{"its status is a weight", "exit 42", checker.Passed, "weight 40"},
		{"it hangs", "sleep 60", checker.Failed, ""},
		{"it is killed", "kill -9 $$", checker.Failed, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			timeout := time.Minute
			if tt.name == "it hangs" {
				timeout = 300 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			spec := checker.SpecOf(checker.Exec{Run: []string{"/bin/sh", "-c", tt.script}, StatusWeight: true,
				Environment: []string{"LVSD_SERVICE=web", "LVSD_SERVER=compute-0-0"}})
			r := p.Compile(spec)(ctx, checker.Target{Spec: spec, Timeout: timeout})
			if r.Outcome != tt.outcome || r.Advice.String() != tt.advice {
				t.Errorf("%v, %q (%s), want %v, %q", r.Outcome, r.Advice, r.Detail, tt.outcome, tt.advice)
			}
		})
	}
}
