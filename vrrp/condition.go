package vrrp

import (
	"slices"
	"strings"
)

// A Condition is something that should hold for a virtual router to run as it
// is configured. Whoever knows makes one for each thing that it watches, met or
// not: a Session of the interfaces, the director of what it knows itself. A
// router's fault and its priority follow from the list as it is now, never from
// what it was.
type Condition struct {
	// Name is what the condition is about: "interface eth1".
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Penalty is what the router's priority falls by while the condition is not
	// met. With 0 the router stands back instead: it stays in Initialize.
	Penalty uint8 `json:"penalty,omitempty"`
	// Reason is what is wrong, in an operator's words, while the condition is
	// not met, and never empty then: "interface eth1 is down".
	Reason string `json:"reason,omitempty"`
	// Silent: while it is not met, the router's adverts cannot be heard either.
	Silent bool `json:"silent,omitempty"`

	// Tracked: it concerns only the routers that track it by its name.
	Tracked bool `json:"tracked,omitempty"`
}

// interfaceCondition begins the names of the conditions that an interface exists
// and has a carrier.
const interfaceCondition = "interface "

// concerning returns those of the director's conditions that concern a router
// which tracks these names. One that it tracks and nobody has given is not met.
func concerning(track []string, given []Condition) []Condition {
	var all []Condition
	for _, c := range given {
		if !c.Tracked || slices.Contains(track, c.Name) {
			all = append(all, c)
		}
	}
	for _, name := range track {
		known := slices.ContainsFunc(given, func(c Condition) bool { return c.Name == name })
		if !known && !strings.HasPrefix(name, interfaceCondition) {
			all = append(all, Condition{Name: name, Reason: name + " is not known yet"})
		}
	}
	return all
}

// A verdict is what a router's conditions mean for it.
type verdict struct {
	// fault is the reason of the first condition for whose sake the router stands
	// back; empty: it may run.
	fault  string
	silent bool // its adverts cannot be heard then
	given  bool // the director gave that condition: it knows, and need not be told
	// penalty is what its priority falls by.
	penalty int
	// unmet are the reasons of all that is not met.
	unmet []string
}

// judge works out what conditions mean: the session's own come before those that
// the director gave.
func judge(own, given []Condition) (v verdict) {
	for i, c := range slices.Concat(own, given) {
		if c.OK {
			continue
		}
		v.unmet = append(v.unmet, c.Reason)
		v.penalty += int(c.Penalty)
		if c.Penalty == 0 && v.fault == "" {
			v.fault, v.silent, v.given = c.Reason, c.Silent, i >= len(own)
		}
	}
	return v
}
