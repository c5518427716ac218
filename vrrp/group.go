package vrrp

import (
	"slices"
	"time"
)

// Routers of a group move together. What the group wants follows from how its
// members stand now, and from nothing that was before:
//
//   - none becomes Master until all of them are ready;
//   - where one follows a better router, none is Master: those that are hand over;
//   - where some are Master and none follows a better router, the others join them
//     as soon as they are ready, or at once where a worse router is Master.
//
// So a director that hears a better Master of any of the routers leaves all to it,
// and one that is Master of all stays so while it is better wherever it is heard.
// What one of them lacks, all lack.

// A move is what a group wants a member to do.
type move uint8

// The moves.
const (
	stay move = iota
	promote
	demote
	doubt // the Master that it follows
)

// A position is what a group knows of one of its members.
type position struct {
	stand stand
	// left is when the Master that it follows said that it leaves; zero: it did not.
	left time.Time
}

// moves works out what a group wants of each member. left is for those that are to
// doubt.
func moves(all []position) (wanted []move, left time.Time) {
	is := func(s stand) func(position) bool { return func(p position) bool { return p.stand == s } }
	some := func(s stand) bool { return slices.ContainsFunc(all, is(s)) }
	none := func(s stand) bool { return !some(s) }
	for _, p := range all {
		left = later(left, p.left)
	}
	wanted = make([]move, len(all))
	for i, p := range all {
		switch {
		case some(leading) && some(behind):
			wanted[i] = when(p.stand == leading, demote)
		case some(leading):
			wanted[i] = when(p.stand == ready || p.stand == ahead, promote)
		case none(away) && none(waiting) && none(behind) && none(ahead):
			wanted[i] = promote
		case !left.IsZero():
			wanted[i] = doubt
		}
	}
	return wanted, left
}

func when(is bool, m move) move {
	if is {
		return m
	}
	return stay
}
