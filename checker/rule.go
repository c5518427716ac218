package checker

import "fmt"

// A Rule is how many of a server's checks must pass for the server to be up. Its parts are
// checks and rules of their own. A nil Rule is that all checks must.
type Rule struct {
	// AtLeast is how many of the parts must pass; 0: all of them.
	AtLeast int
	// Checks are the parts that are checks, by their places among the server's, and Rules
	// are the others.
	Checks []int
	Rules  []Rule
}

// State returns what the votes of a server's checks, of which there are n, say together: up
// while enough pass, and down when too few can. A check that could not be run so far leaves
// that to the others: a server of which one check fails, and the other one of two cannot be
// asked, is down, as one of which nothing can be asked is not.
func (r *Rule) State(n int, of func(place int) State) State {
	if s := r.vote(n, of); s != Abstained {
		return s
	}
	return Unknown
}

// vote is State, or Abstained where too few can pass because of checks that have abstained.
func (r *Rule) vote(n int, of func(place int) State) State {
	var t turnout
	r.each(n, func(place int) { t.count(of(place)) }, func(part *Rule) { t.count(part.vote(n, of)) })
	if r == nil || r.AtLeast == 0 {
		return t.state(t.parts)
	}
	return t.state(r.AtLeast)
}

// Failing returns the checks that are down of the parts that are: those for which a
// server is down, if it is.
func (r *Rule) Failing(n int, of func(place int) State) (places []int) {
	r.each(n, func(place int) {
		if of(place) == Down {
			places = append(places, place)
		}
	}, func(part *Rule) {
		if part.vote(n, of) == Down {
			places = append(places, part.Failing(n, of)...)
		}
	})
	return places
}

// each goes through the parts.
func (r *Rule) each(n int, check func(place int), rule func(*Rule)) {
	if r == nil {
		for place := range n {
			check(place)
		}
		return
	}
	for _, place := range r.Checks {
		check(place)
	}
	for i := range r.Rules {
		rule(&r.Rules[i])
	}
}

// A turnout is how many parts of a rule are in each state.
type turnout struct {
	of    [Abstained + 1]int
	parts int
}

func (t *turnout) count(s State) {
	t.of[s]++
	t.parts++
}

// state returns the state of what at least so many parts must pass for. What is not known
// yet may still pass.
func (t *turnout) state(needed int) State {
	short := t.parts-t.of[Down]-t.of[Abstained] < needed
	switch {
	case t.of[Up] >= needed:
		return Up
	case short && t.of[Down] > 0:
		return Down
	case t.of[Drained] > 0:
		return Drained
	case short:
		return Abstained
	}
	return Unknown
}

// Groups returns which parts of the rule each check belongs to, from the outside to the
// inside, for people: "any", "any/all", "2 of 3", "any#2" for the second one; empty: none.
func (r *Rule) Groups(n int) []string {
	names := make([]string, n)
	if r != nil {
		r.name(names, "")
	}
	return names
}

func (r *Rule) name(names []string, path string) {
	for _, place := range r.Checks {
		names[place] = path
	}
	seen := make(map[string]int)
	for i := range r.Rules {
		part := &r.Rules[i]
		inner := part.String()
		if seen[inner]++; seen[inner] > 1 {
			inner = fmt.Sprintf("%s#%d", inner, seen[inner])
		}
		if path != "" {
			inner = path + "/" + inner
		}
		part.name(names, inner)
	}
}

// String returns how many parts must pass: "all", "any" or "2 of 3".
func (r *Rule) String() string {
	switch {
	case r == nil || r.AtLeast == 0:
		return "all"
	case r.AtLeast == 1:
		return "any"
	}
	return fmt.Sprintf("%d of %d", r.AtLeast, len(r.Checks)+len(r.Rules))
}
