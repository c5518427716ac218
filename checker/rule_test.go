package checker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// u, d, -, 0 and x are checks that are up, down, not known yet, drained, and that could not be
// run so far.
var lettered = map[rune]State{'u': Up, 'd': Down, '-': Unknown, '0': Drained, 'x': Abstained}

func TestRule(t *testing.T) {
	all := &Rule{Checks: []int{0, 1, 2}}
	anyOf := &Rule{AtLeast: 1, Checks: []int{0, 1, 2}}
	two := &Rule{AtLeast: 2, Checks: []int{0, 1, 2}}
	beside := &Rule{Checks: []int{0}, Rules: []Rule{{AtLeast: 1, Checks: []int{1, 2}}}}
	pairs := &Rule{AtLeast: 1, Rules: []Rule{{Checks: []int{0, 1}}, {Checks: []int{2, 3}}}}
	for _, tt := range []struct {
		name    string
		rule    *Rule
		checks  string
		want    State
		failing []int
	}{
		{"a server without checks is up", nil, "", Up, nil},
		{"without a rule, all must pass", nil, "uuu", Up, nil},
		{"without a rule, one that fails is enough", nil, "u-d", Down, []int{2}},
		{"what is drained stays so until results decide", nil, "u0-", Drained, nil},
		{"one that is not known yet may fail", nil, "uu-", Unknown, nil},
		{"all: as without a rule", all, "udu", Down, []int{1}},
		{"any: one that passes is enough", anyOf, "d-u", Up, nil},
		{"any: while one is not known, it may pass", anyOf, "d-d", Unknown, nil},
		{"any: none passes", anyOf, "ddd", Down, []int{0, 1, 2}},
		{"any: found in the table with weight 0", anyOf, "0d0", Drained, nil},
		{"any: one fails, and the others cannot be run", anyOf, "dxx", Down, []int{0}},
		{"any: one fails, one cannot be run, and one may pass", anyOf, "dx-", Unknown, nil},
		{"any: one passes, and the others cannot be run", anyOf, "xxu", Up, nil},
		{"any: none can be run", anyOf, "xxx", Unknown, nil},
		{"all: one cannot be run", all, "uux", Unknown, nil},
		{"all: one fails, and one cannot be run", all, "uxd", Down, []int{2}},
		{"at least two: one cannot be run, and the others pass", two, "uxu", Up, nil},
		{"at least two: one cannot be run, and one fails", two, "uxd", Down, []int{2}},
		{"at least two: two cannot be run, and none fails", two, "uxx", Unknown, nil},
		{"at least two: two pass", two, "udu", Up, nil},
		{"at least two: one passes, and one may", two, "u-d", Unknown, nil},
		{"at least two: one passes", two, "udd", Down, []int{1, 2}},
		{"one, and any of two others: the first fails", beside, "dud", Down, []int{0}},
		{"one, and any of two others: one of these passes", beside, "udu", Up, nil},
		{"one, and any of two others: none of these passes", beside, "udd", Down, []int{1, 2}},
		{"either of two pairs: one of each fails", pairs, "udud", Down, []int{1, 3}},
		{"either of two pairs: the second passes", pairs, "dduu", Up, nil},
		{"either of two pairs: the second cannot be run as a whole", pairs, "duxu", Down, []int{0}},
		{"either of two pairs: one of each cannot be run", pairs, "uxux", Unknown, nil},
		{"one, and any of two others: of these one cannot be run, and one fails", beside, "uxd", Down, []int{2}},
		{"either of two pairs: the second may pass", pairs, "du-u", Unknown, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			of := func(place int) State { return lettered[rune(tt.checks[place])] }
			if got := tt.rule.State(len(tt.checks), of); got != tt.want {
				t.Errorf("%s is %v, want %v", tt.checks, got, tt.want)
			}
			if tt.want != Down {
				return
			}
			if got := tt.rule.Failing(len(tt.checks), of); !slices.Equal(got, tt.failing) {
				t.Errorf("of %s %v fail, want %v", tt.checks, got, tt.failing)
			}
		})
	}
}

// By any rule, a check that gets better never makes the server worse.
func TestACheckThatPassesNeverTakesAServerOut(t *testing.T) {
	const n = 4
	rules := []*Rule{nil, {AtLeast: 1, Checks: []int{0, 1, 2, 3}}, {AtLeast: 3, Checks: []int{0, 1, 2, 3}},
		{Checks: []int{3}, Rules: []Rule{{AtLeast: 1, Checks: []int{0}, Rules: []Rule{{Checks: []int{1, 2}}}}}}}
	checks := []State{Down, Abstained, Unknown, Up}
	rank := map[State]int{Down: 0, Unknown: 1, Up: 2}
	for _, rule := range rules {
		for code := range 4 * 4 * 4 * 4 {
			var states [n]State
			for i, rest := 0, code; i < n; i, rest = i+1, rest/4 {
				states[i] = checks[rest%4]
			}
			before := rule.State(n, func(i int) State { return states[i] })
			for place := range n {
				better := states
				better[place] = Up
				if after := rule.State(n, func(i int) State { return better[i] }); rank[after] < rank[before] {
					t.Errorf("%+v: %v is %v, and with %d up it is %v", rule, strings.Trim(fmt.Sprint(states), "[]"), before, place, after)
				}
			}
		}
	}
}

func TestGroupsOfChecksHaveNames(t *testing.T) {
	one := func(place int) Rule { return Rule{AtLeast: 1, Checks: []int{place}} }
	rule := &Rule{Checks: []int{0}, Rules: []Rule{
		{AtLeast: 2, Checks: []int{1, 4}, Rules: []Rule{{Checks: []int{2, 3}}}}, one(5), one(6),
	}}
	want := []string{"", "2 of 3", "2 of 3/all", "2 of 3/all", "2 of 3", "any", "any#2"}
	if got := rule.Groups(7); !slices.Equal(got, want) {
		t.Errorf("they are %q, want %q", got, want)
	}
	if got := (*Rule)(nil).Groups(2); !slices.Equal(got, []string{"", ""}) {
		t.Errorf("without a rule they are %q", got)
	}
}
