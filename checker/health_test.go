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

// state prints a health in one word.
func state(h *Health) string {
	switch {
	case !h.Known():
		return "unknown"
	case h.Up():
		return "up"
	default:
		return "down"
	}
}

func TestHealth(t *testing.T) {
	tests := []struct {
		name    string
		health  Health
		results string
		// want is the state after each result; ! where Observe says that it
		// changed.
		want string
	}{
		{"nothing is known before the first result", NewHealth(2, 3), "", ""},
		{"the first pass brings a new server up, without rise", NewHealth(2, 3), "P", "up!"},
		{"the first failure decides too, without fall", NewHealth(2, 3), "F", "down!"},
		{"a result that was not run leaves the unknown unknown", NewHealth(2, 3), "NNNP", "unknown unknown unknown up!"},
		{"fall failures in a row take a server down", NewHealth(2, 3), "PFFF", "up! up up down!"},
		{"one pass breaks the row", NewHealth(2, 3), "PFFPFFF", "up! up up up up up down!"},
		{"rise passes in a row bring it back", NewHealth(2, 3), "FPP", "down! down up!"},
		{"one failure breaks that row", NewHealth(2, 3), "FPFPP", "down! down down down up!"},
		{"after a change the row begins anew", NewHealth(2, 3), "PFFFPP", "up! up up down! down up!"},
		{"checks not run neither raise nor lower", NewHealth(2, 3), "PNNNNNFNP", "up! up up up up up up up up"},
		{"nor do they break a row", NewHealth(2, 3), "PFNFNF", "up! up up up up down!"},
		{"nor bring anybody back", NewHealth(2, 3), "FNNPNP", "down! down down down down up!"},
		{"rise and fall of 1", NewHealth(1, 1), "PFPF", "up! down! up! down!"},
		{"below 1 counts as 1", NewHealth(0, -5), "PFP", "up! down! up!"},
		{"a server found with a weight stays up until fall", Adopted(2, 3, true), "FFF", "up up down!"},
		{"its first pass changes nothing", Adopted(2, 3, true), "PFF", "up up up"},
		{"a server found at weight 0 stays down until rise", Adopted(2, 3, false), "PP", "down up!"},
		{"its first failure changes nothing", Adopted(2, 3, false), "FP", "down down"},
		{"an outcome that does not exist is no result", NewHealth(1, 1), "?P", "unknown up!"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, letter := range tt.results {
				before := state(&tt.health)
				changed := tt.health.Observe(epoch, Result{Outcome: outcomes[letter]})
				if changed != (state(&tt.health) != before) {
					t.Errorf("Observe says changed = %v from %s to %s", changed, before, state(&tt.health))
				}
				word := state(&tt.health)
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
	h := NewHealth(1, 2)
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	if h.Last().Outcome != 0 || !h.NotRunSince().IsZero() {
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
	h.Observe(at(4), Result{Outcome: Failed})
	if !h.NotRunSince().IsZero() {
		t.Errorf("NotRunSince() = %v after the server was asked again, want zero", h.NotRunSince())
	}
}

func TestHealthReconfigure(t *testing.T) {
	h := NewHealth(2, 5)
	for _, o := range []Outcome{Passed, Failed, Failed} {
		h.Observe(epoch, Result{Outcome: o})
	}
	h.Reconfigure(2, 2)
	if !h.Up() {
		t.Error("a reload took the server down by itself")
	}
	if !h.Observe(epoch, Result{Outcome: Failed}) || h.Up() {
		t.Error("the third failure in a row did not count by the new fall of 2")
	}
}

// FuzzHealth compares with the definition: the newest rise (or fall) results
// that are not NotRun agree against the state.
func FuzzHealth(f *testing.F) {
	f.Add(2, 3, []byte("PFNFFPP"))
	f.Add(1, 1, []byte("NNFP"))
	f.Fuzz(func(t *testing.T, rise, fall int, letters []byte) {
		h := NewHealth(rise, fall)
		rise, fall = max(rise, 1), max(fall, 1)
		known, up, row := false, false, ""
		for _, c := range letters {
			letter := rune("PFN"[c%3])
			h.Observe(epoch, Result{Outcome: outcomes[letter]})
			if letter == 'N' {
				continue
			}
			row += string(letter)
			trailing := len(row) - len(strings.TrimRight(row, string(letter)))
			switch {
			case !known:
				known, up = true, letter == 'P'
			case letter == 'P' && trailing >= rise:
				up = true
			case letter == 'F' && trailing >= fall:
				up = false
			}
			if h.Known() != known || h.Up() != up {
				t.Fatalf("after %s with rise %d, fall %d: up = %v, want %v", row, rise, fall, h.Up(), up)
			}
		}
	})
}
