package checker

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// outcomes are the letters of a test's results.
var outcomes = map[rune]Outcome{'P': Passed, 'F': Failed, 'N': NotRun}

// A ruledHealth observes by the rise and fall of one check.
type ruledHealth struct {
	Health
	rise, fall int
}

func ruled(rise, fall int, begin State) ruledHealth {
	return ruledHealth{NewHealth(begin), rise, fall}
}

func (h *ruledHealth) Observe(now time.Time, r Result) bool {
	return h.Health.Observe(now, r, Rules{Rise: h.rise, Fall: h.fall})
}

func TestHealth(t *testing.T) {
	tests := []struct {
		name    string
		health  ruledHealth
		results string
		// want is the state after each result; ! where Observe says that it
		// changed.
		want string
	}{
		{"nothing is known before the first result", ruled(2, 3, Unknown), "", ""},
		{"the first pass brings a new server up, without rise", ruled(2, 3, Unknown), "P", "up!"},
		{"the first failure decides too, without fall", ruled(2, 3, Unknown), "F", "down!"},
		{"a result that was not run leaves the unknown unknown", ruled(2, 3, Unknown), "NNNP", "unknown unknown unknown up!"},
		{"fall failures in a row take a server down", ruled(2, 3, Unknown), "PFFF", "up! up up down!"},
		{"one pass breaks the row", ruled(2, 3, Unknown), "PFFPFFF", "up! up up up up up down!"},
		{"rise passes in a row bring it back", ruled(2, 3, Unknown), "FPP", "down! down up!"},
		{"one failure breaks that row", ruled(2, 3, Unknown), "FPFPP", "down! down down down up!"},
		{"after a change the row begins anew", ruled(2, 3, Unknown), "PFFFPP", "up! up up down! down up!"},
		{"checks not run neither raise nor lower", ruled(2, 3, Unknown), "PNNNNNFNP", "up! up up up up up up up up"},
		{"nor do they break a row", ruled(2, 3, Unknown), "PFNFNF", "up! up up up up down!"},
		{"nor bring anybody back", ruled(2, 3, Unknown), "FNNPNP", "down! down down down down up!"},
		{"rise and fall of 1", ruled(1, 1, Unknown), "PFPF", "up! down! up! down!"},
		{"below 1 counts as 1", ruled(0, -5, Unknown), "PFP", "up! down! up!"},
		{"a server found with a weight stays up until fall", ruled(2, 3, Up), "FFF", "up up down!"},
		{"its first pass changes nothing", ruled(2, 3, Up), "PFF", "up up up"},
		{"a server that is down stays so until rise", ruled(2, 3, Down), "PP", "down up!"},
		{"its first failure changes nothing", ruled(2, 3, Down), "FP", "down down"},
		{"a server found at weight 0 stays drained until rise", ruled(2, 3, Drained), "PP", "drained up!"},
		{"or until fall", ruled(2, 3, Drained), "FFFPP", "drained drained down! down up!"},
		{"a pass breaks the row of failures, and a failure that of passes", ruled(2, 3, Drained), "FFPFPFF", "drained drained drained drained drained drained drained"},
		{"a result that was not run breaks no row of a drained server", ruled(2, 3, Drained), "FNFNF", "drained drained drained drained down!"},
		{"an outcome that does not exist is no result", ruled(1, 1, Unknown), "?P", "unknown up!"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, letter := range tt.results {
				before := tt.health.State().String()
				changed := tt.health.Observe(epoch, Result{Outcome: outcomes[letter]})
				if changed != (tt.health.State().String() != before) {
					t.Errorf("Observe says changed = %v from %s to %s", changed, before, tt.health.State().String())
				}
				word := tt.health.State().String()
				if changed {
					word += "!"
				}
				got = append(got, word)
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("states after %s (-want +got):\n%s", tt.results, diff)
			}
		})
	}
}

func TestHealthRemembers(t *testing.T) {
	h := ruled(1, 2, Unknown)
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	if h.Health != (Health{}) || h.Last().Outcome != 0 || !h.NotRunSince().IsZero() {
		t.Errorf("a new health remembers %+v", h)
	}
	h.Observe(at(1), Result{Outcome: Passed, Latency: time.Millisecond})
	h.Observe(at(2), Result{Outcome: NotRun, Detail: "no route"})
	h.Observe(at(3), Result{Outcome: NotRun, Detail: "no socket"})
	if got, want := h.NotRunSince(), at(2); !got.Equal(want) {
		t.Errorf("NotRunSince() = %v, want the first result of the row that was not run, %v", got, want)
	}
	if diff := cmp.Diff(Result{Outcome: NotRun, Detail: "no socket"}, h.Last()); diff != "" {
		t.Errorf("Last() (-want +got):\n%s", diff)
	}
	last := Result{At: at(4), Latency: time.Millisecond, Outcome: Failed, Detail: "connection refused", Reason: Refused}
	h.Observe(at(4), last)
	if diff := cmp.Diff(last, h.Last()); diff != "" {
		t.Errorf("Last() (-want +got):\n%s", diff)
	}
	if !h.NotRunSince().IsZero() {
		t.Errorf("NotRunSince() = %v after the server was asked again, want zero", h.NotRunSince())
	}
}

func TestHealthReconfigure(t *testing.T) {
	h := ruled(2, 5, Unknown)
	for _, o := range []Outcome{Passed, Failed, Failed} {
		h.Observe(epoch, Result{Outcome: o})
	}
	h.fall = 2
	if h.State() != Up {
		t.Error("a reload took the server down by itself")
	}
	if !h.Observe(epoch, Result{Outcome: Failed}) || h.State() != Down {
		t.Error("the third failure in a row did not count by the new fall of 2")
	}
}

// FuzzHealth compares with the definition: the newest rise (or fall) results
// that are not NotRun agree against the state.
func FuzzHealth(f *testing.F) {
	f.Add(2, 3, []byte("PFNFFPP"))
	f.Add(1, 1, []byte("NNFP"))
	f.Fuzz(func(t *testing.T, rise, fall int, letters []byte) {
		h := ruled(rise, fall, Unknown)
		rise, fall = max(rise, 1), max(fall, 1)
		want, row := Unknown, ""
		for _, c := range letters {
			letter := rune("PFN"[c%3])
			h.Observe(epoch, Result{Outcome: outcomes[letter]})
			if letter == 'N' {
				continue
			}
			row += string(letter)
			trailing := len(row) - len(strings.TrimRight(row, string(letter)))
			switch {
			case letter == 'P' && (want == Unknown || trailing >= rise):
				want = Up
			case letter == 'F' && (want == Unknown || trailing >= fall):
				want = Down
			}
			if h.State() != want {
				t.Fatalf("after %s with rise %d, fall %d: %v, want %v", row, rise, fall, h.State(), want)
			}
		}
	})
}

func TestHealthCountsWhatIsNotRunInTheEnd(t *testing.T) {
	tests := []struct {
		name  string
		end   time.Duration
		after time.Duration
		want  State
	}{
		{"it stays up before the end", time.Minute, time.Minute - 1, Up},
		{"it is down at the end", time.Minute, time.Minute, Down},
		{"it is down after the end", time.Minute, time.Hour, Down},
		{"it stays up without an end", 0, time.Hour, Up},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, rules := NewHealth(Up), Rules{Rise: 1, Fall: 1, UnknownAfter: tt.end}
			h.Observe(epoch, Result{Outcome: NotRun}, rules)
			changed := h.Observe(epoch.Add(tt.after), Result{Outcome: NotRun}, rules)
			if h.State() != tt.want || changed != (tt.want == Down) {
				t.Errorf("after %v: %v, changed = %v, want %v", tt.after, h.State(), changed, tt.want)
			}
		})
	}
}

func TestHealthRemembersSilenceAndCertificate(t *testing.T) {
	h := NewHealth(Up)
	for _, step := range []struct {
		name   string
		result Result
		silent bool // as of the last failure
		want   Result
	}{
		{"a certificate is shown", Result{Outcome: Passed, CertificateEnds: 7}, false, Result{Outcome: Passed, CertificateEnds: 7}},
		{"silence is a failure, and the certificate is remembered", Result{Outcome: Failed, Silent: true}, true, Result{Outcome: Failed, Silent: true, CertificateEnds: 7}},
		{"a pass is not silent, but the last failure was", Result{Outcome: Passed}, true, Result{Outcome: Passed, CertificateEnds: 7}},
		{"nor is what could not be run", Result{Outcome: NotRun}, true, Result{Outcome: NotRun, CertificateEnds: 7}},
		{"the next failure is not silent", Result{Outcome: Failed}, false, Result{Outcome: Failed, CertificateEnds: 7}},
		{"a pass does not make it so", Result{Outcome: Passed, Silent: true}, false, Result{Outcome: Passed, CertificateEnds: 7}},
		{"another certificate takes the place of the first", Result{Outcome: Passed, CertificateEnds: 9}, false, Result{Outcome: Passed, CertificateEnds: 9}},
	} {
		h.Observe(epoch, step.result, Rules{})
		if diff := cmp.Diff(step.want, h.Last()); diff != "" {
			t.Errorf("%s: Last() (-want +got):\n%s", step.name, diff)
		}
		if h.Silent() != step.silent {
			t.Errorf("%s: Silent() = %v, want %v", step.name, h.Silent(), step.silent)
		}
	}
}
