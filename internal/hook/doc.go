// Package hook runs the programs that are told in which state the virtual routers, the
// virtual services and their servers are: hooks, which are run at each change, and streams,
// which stay and read of those of routers.
//
//	keeper ── statuses, events ──►┌──────┐── commands ──► Runner ──► spawn.Spawner
//	director ── configuration ───►│ Core │── events
//	         ◄── statuses ────────└──────┘◄── outcomes
//	keeper ◄── answers ──────────────┘
//
// The Core decides which program runs next, and does nothing itself. What counts is
// the state that a virtual router is in: what has not begun when it comes into another
// one is left out.
//
// Every file uses only files that come before it in this list:
//
//	effect.go   what a Core wants done
//	change.go   a router's change of state, and what a program is told of it
//	queue.go    the programs of one virtual router, one after the other
//	assert.go   hooks that are run again in the same state
//	service.go  the programs of one virtual service and its servers, likewise
//	fence.go    what is run before a virtual router becomes Master
//	stream.go   a program that stays, and the lines that it is to read
//	streams.go  all of them, and what has happened
//	core.go     the Core
//	ordered.go  what operators order
//	statuses.go the states of services, as they are heard, and how all hooks are
//	lines.go    what streams read next, and what they have said
//	runner.go   the Runner
package hook
