package director

import "github.com/lvsd/lvsd/checker"

// What the checks of one server say together, by its rule; nil: all must pass.

// together is the state of a server. One without checks is up.
func together(checks []checker.Health, rule *checker.Rule) checker.State {
	return rule.State(len(checks), func(k int) checker.State { return checks[k].Vote() })
}

// silent reports whether a server is down only because nothing comes back from it: it
// would not be if the checks that are silent passed.
func silent(checks []checker.Health, rule *checker.Rule) bool {
	heard := rule.State(len(checks), func(k int) checker.State {
		if c := &checks[k]; c.State() != checker.Down || !c.Silent() {
			return c.Vote()
		}
		return checker.Up
	})
	return heard != checker.Down && together(checks, rule) == checker.Down
}

// passes reports whether a server is up, and would be if every check were down that has
// failed last.
func passes(checks []checker.Health, rule *checker.Rule) bool {
	return checker.Up == rule.State(len(checks), func(k int) checker.State {
		if checks[k].Last().Outcome == checker.Failed {
			return checker.Down
		}
		return checks[k].Vote()
	})
}

// failing returns the checks for which a server is down.
func failing(checks []checker.Health, rule *checker.Rule) []int {
	return rule.Failing(len(checks), func(k int) checker.State { return checks[k].Vote() })
}

// advice is what the checks of a server say of its weight. One that is down says nothing,
// unless that is because it hears nothing: then what it said last holds.
func advice(checks []checker.Health) (all advised) {
	for i := range checks {
		if c := &checks[i]; c.State() != checker.Down || c.Silent() {
			all.add(c.Advice())
		}
	}
	return all
}
