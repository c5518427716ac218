package vrrp

import (
	"fmt"
	"strings"
	"time"
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
	// Unknown: whether it holds cannot be told. It then changes nothing for any
	// router.
	Unknown bool `json:"unknown,omitempty"`
	// Counts: the condition is a number while it is OK, and a router that tracks it
	// changes its priority by the weight as many times.
	Counts bool `json:"counts,omitempty"`
	Number int  `json:"number,omitempty"`
	// Reason is what is wrong, in an operator's words, while the condition is
	// not met, and never empty then: "interface eth1 is down".
	Reason string `json:"reason,omitempty"`
	// Silent: while it is not met, the router's adverts cannot be heard either.
	Silent bool `json:"silent,omitempty"`

	// Penalty is what the priority falls by while a condition is not met that is not
	// tracked; zero: the routers stand back.
	Penalty int `json:"penalty,omitempty"`

	// Tracked: it concerns only the routers that track it by its name.
	Tracked bool `json:"tracked,omitempty"`
}

// MaxPenalty is the Penalty that makes the priority 1.
const MaxPenalty = 253

// A Track is what a router makes of a condition that it names.
type Track struct {
	Condition string // its name
	// Weight is what the priority changes by: it falls by 20 while the condition
	// is not met where the weight is -20, and rises by 20 while it is met where
	// that is 20. With 0 the condition is a hard one: while it is not met the router
	// stands back, in Initialize.
	Weight int
	// Reverse: the condition counts as met while it is not.
	Reverse bool
	// UpAfter and DownAfter are for how long the condition must have been met, or not
	// met, before it counts as that.
	UpAfter, DownAfter time.Duration
}

// A Judged is a condition as one router sees it.
type Judged struct {
	Name string `json:"name"`
	// Met reports whether the router has what it asks for; where that is reversed, that
	// the condition does not hold.
	Met     bool `json:"met"`
	Unknown bool `json:"unknown,omitempty"` // and counts as met
	// Hard: the router stands back while it is not met.
	Hard bool `json:"hard,omitempty"`
	// Weight is what the priority can change by, or by as many times as the condition
	// counts, and Effect what it changes by now.
	Weight int  `json:"weight,omitempty"`
	Counts bool `json:"counts,omitempty"`
	Effect int  `json:"effect,omitempty"`
	// Reason is what is wrong while it is not met, or why it is unknown.
	Reason string `json:"reason,omitempty"`
}

// interfaceCondition begins the names of the conditions that an interface exists
// and has a carrier.
const interfaceCondition = "interface "

// A demand is a condition that concerns a router, and what the router makes of it.
type demand struct {
	Condition
	Track
	given bool // by the director
}

// demanded returns the director's conditions that concern a router with these
// tracks, the interfaces that it tracks aside. One that it tracks and nobody has given is not met.
func demanded(tracks []Track, given []Condition) []demand {
	var all []demand
	known := make(map[string]Condition, len(given))
	for _, c := range given {
		known[c.Name] = c
		if !c.Tracked {
			all = append(all, demand{Condition: c, Track: Track{Weight: -c.Penalty}, given: true})
		}
	}
	for _, t := range tracks {
		if strings.HasPrefix(t.Condition, interfaceCondition) {
			continue
		}
		c, ok := known[t.Condition]
		if !ok {
			c = Condition{Name: t.Condition, Reason: t.Condition + " is not known yet"}
		}
		all = append(all, demand{c, t, true})
	}
	return all
}

// idle reports whether nothing follows from a demand: it is met, and the router does not
// track it.
func (d demand) idle() bool { return d.OK && d.Track.Condition == "" }

// judged is what a demand means for its router.
func (d demand) judged() Judged {
	j := Judged{Name: d.Name, Unknown: d.Unknown, Hard: d.Weight == 0, Weight: d.Weight, Counts: d.Counts}
	j.Met = d.Unknown || d.OK != d.Reverse || d.Counts && d.OK
	switch {
	case d.Unknown, !j.Met && !d.OK:
		j.Reason = d.Reason
	case !j.Met:
		j.Reason = d.Name + " holds, and must not (reverse)"
	}
	j.Effect = d.effect(j.Met)
	return j
}

// effect is what the priority changes by.
func (d demand) effect(met bool) int {
	switch {
	case d.Counts && d.OK && d.Reverse:
		return -d.Weight * d.Number
	case d.Counts && d.OK:
		return d.Weight * d.Number
	case d.Counts: // There is no number.
		return 0
	case met == (d.Weight > 0):
		return d.Weight
	default:
		return 0
	}
}

// A verdict is what a router's conditions mean for it.
type verdict struct {
	// fault is the reason of the first condition for whose sake the router stands
	// back; empty: it may run.
	fault  string
	silent bool // its adverts cannot be heard then
	given  bool // the director gave that condition: it knows, and need not be told
	// effect is what its priority changes by.
	effect int
	// judged are all that the router tracks, and all others that are not met.
	judged []Judged
}

// unmet are the reasons of all that is not met.
func (v *verdict) unmet() (reasons []string) {
	for _, j := range v.judged {
		if !j.Met {
			reasons = append(reasons, j.Reason)
		}
	}
	return reasons
}

// effects names what the priority changes by, and why.
func (v *verdict) effects() string {
	var all []string
	for _, j := range v.judged {
		if j.Effect == 0 {
			continue
		}
		text := fmt.Sprintf("%+d by %s", j.Effect, j.Name)
		if j.Reason != "" {
			text += " (" + j.Reason + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// judge works out what conditions mean, in their order.
func judge(demands []demand) (v verdict) {
	for _, d := range demands {
		j := d.judged()
		v.effect += j.Effect
		if d.Track.Condition != "" || !j.Met {
			v.judged = append(v.judged, j)
		}
		if j.Hard && !j.Met && v.fault == "" {
			v.fault, v.silent, v.given = j.Reason, d.Silent && !d.OK, d.given
		}
	}
	return v
}

// A damper keeps what a condition was until it has been otherwise for long enough.
type damper struct {
	met, begun bool
	reason     string    // why it is not met
	since      time.Time // since when it is otherwise; zero: it is not
}

// damp makes the condition what it counts as, and returns when that changes by
// itself; zero: it does not. What cannot be told has no duration, and what is told
// after that counts from then on.
func (d *damper) damp(now time.Time, t Track, c *Condition) (until time.Time) {
	if c.Unknown {
		d.since = time.Time{}
		return time.Time{}
	}
	wait := t.UpAfter
	if !c.OK {
		wait = t.DownAfter
	}
	switch {
	case d.begun && c.OK == d.met:
		d.since = time.Time{}
	case d.begun && d.since.IsZero():
		d.since = now
	}
	if until = d.since.Add(wait); d.begun && !d.since.IsZero() && now.Before(until) {
		c.OK = d.met
		if !d.met {
			c.Reason = fmt.Sprintf("%s; this is over, but not for %v yet", d.reason, wait)
		}
		return until
	}
	*d = damper{met: c.OK, begun: true, reason: c.Reason}
	return time.Time{}
}
