package director

import (
	"strings"
	"testing"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
)

// either returns a service of one server that must pass the first check, and one of the
// two others.
func either() (config.Service, [3]checker.Target) {
	var targets [3]checker.Target
	for i := range targets {
		targets[i] = tcpTarget
		targets[i].Port = uint16(81 + i)
	}
	s := checked(targets[:]...)
	s.Servers[0].Rule = &checker.Rule{Checks: []int{0}, Rules: []checker.Rule{{AtLeast: 1, Checks: []int{1, 2}}}}
	return s, targets
}

// heard lets the targets have results, written as p passed, r refused, s silent, n not run, and
// a space for none, and returns the changes.
func heard(h *Healths, targets [3]checker.Target, results string) (all []string) {
	for i, letter := range results {
		r := checker.Result{Outcome: checker.Failed, Detail: "refused by " + string('A'+rune(i)), Reason: checker.Refused}
		switch letter {
		case ' ':
			continue
		case 'p':
			r = checker.Result{Outcome: checker.Passed}
		case 'n':
			r = checker.Result{Outcome: checker.NotRun, Detail: "no route to " + string('A'+rune(i))}
		case 's':
			r.Silent, r.Reason, r.Detail = true, checker.TimedOut, "silence of "+string('A'+rune(i))
		}
		for _, c := range h.Observe(start, targets[i], r) {
			all = append(all, strings.TrimSpace(c.State.String()+" "+c.Detail))
		}
	}
	return all
}

func TestAServerOfWhichOneOfTwoChecksMustPass(t *testing.T) {
	const fall = 3
	for _, tt := range []struct {
		name   string
		rounds []string // each of them fall times
		events string
		silent bool
		why    string
	}{
		{"all pass", []string{"ppp"}, "up", false, ""},
		{"one of the two fails", []string{"ppp", "prp"}, "up", false, ""},
		{"the first result of one is enough", []string{"pp "}, "up", false, ""},
		{"while one is not known, the other one alone takes nothing out", []string{"pr "}, "", false, ""},
		{"one passes, and the other one cannot be run", []string{"pnp"}, "up", false, ""},
		{"what has passed fails, and the other one could never be run", []string{"ppn", "prn"}, "up, down refused by B", false, "refused by B"},
		{"what is silent then is silent", []string{"ppn", "psn"}, "up, down silence of B", true, "silence of B"},
		{"one fails from the first, and the other one turns out not to run", []string{"pr ", "prn"}, "down refused by B", false, "refused by B"},
		{"and runs later", []string{"prn", "prp"}, "down refused by B, up", false, ""},
		{"what has passed once, and cannot be run any more, still counts", []string{"ppp", "prn"}, "up", false, ""},
		{"none can be run", []string{"pnn"}, "", false, ""},
		{"both fail: the one that was needed says why", []string{"ppp", "prp", "prr"}, "up, down refused by C", false, "refused by B"},
		{"the first one fails, which is needed", []string{"ppp", "rpp"}, "up, down refused by A", false, "refused by A"},
		{"the first one fails, and one of the others did before", []string{"ppp", "prp", "rrp"}, "up, down refused by A", false, "refused by A"},
		{"one comes back", []string{"ppp", "prr", "prp"}, "up, down refused by C, up", false, ""},
		{"one refuses and the other one is silent, which proves nothing", []string{"ppp", "prs"}, "up, down silence of C", true, "refused by B"},
		{"the needed one refuses, and the others are silent", []string{"ppp", "rss"}, "up, down refused by A", false, "refused by A"},
		{"all are silent", []string{"ppp", "sss"}, "up, down silence of A", true, "silence of A"},
		{"what refuses is not needed, and what is needed is silent", []string{"ppp", "srp"}, "up, down silence of A", true, "silence of A"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &Healths{}
			s, targets := either()
			h.Configure(start, []config.Service{s}, nil)
			var events []string
			for _, round := range tt.rounds {
				for range fall {
					events = append(events, heard(h, targets, round)...)
				}
			}
			if got := strings.Join(events, ", "); got != tt.events {
				t.Errorf("changes: %s; want %s", got, tt.events)
			}
			if got := h.Standing(0, 0).Silent; got != tt.silent {
				t.Errorf("silent is %v, want %v", got, tt.silent)
			}
			if got := h.why(0, 0); got != tt.why {
				t.Errorf("it is down because of %q, want %q", got, tt.why)
			}
		})
	}
}

// A reload that only changes how many checks must pass decides at the next result.
func TestAnotherRuleDecidesAtOnce(t *testing.T) {
	h := &Healths{}
	s, targets := either()
	h.Configure(start, []config.Service{s}, nil)
	for range 3 {
		heard(h, targets, "prp")
	}
	strict := s
	strict.Servers = append([]config.Server{}, s.Servers...)
	strict.Servers[0].Rule = nil
	h.Configure(start, []config.Service{strict}, nil)
	if got := h.State(0, 0); got != checker.Down {
		t.Errorf("with all checks needed it is %v, want down", got)
	}
	h.Configure(start, []config.Service{s}, nil)
	if got := h.State(0, 0); got != checker.Up {
		t.Errorf("with one of two needed it is %v again, want up", got)
	}
}

// What failed last counts where the answers of a server are judged.
func TestWhatFailedLastIsNeeded(t *testing.T) {
	h := &Healths{}
	s, targets := either()
	h.Configure(start, []config.Service{s}, nil)
	for _, tt := range []struct {
		results string
		want    bool
	}{{"ppp", true}, {"prp", true}, {"prr", false}, {"ppr", true}, {"rpp", false}} {
		heard(h, targets, tt.results)
		if got := h.passes(0, 0); got != tt.want {
			t.Errorf("after %q it passes: %v, want %v", tt.results, got, tt.want)
		}
	}
}
