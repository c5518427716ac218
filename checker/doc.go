// Package checker decides when real servers are probed and what the results
// mean for their health. It opens no socket: package probe does, behind the
// interface Prober.
//
//	Set(targets)
//	     │
//	┌────▼─────┐  due, and a place is free   ┌──────────┐
//	│ schedule ├────────────────────────────►│ ProbeFunc│ one goroutine
//	│  (heap)  │◄────────────────────────────┤          │ a probe in flight
//	└──────────┘        probe ended          └────┬─────┘
//	                                              │ report(Target, Result)
//	┌──────────┐       one Health for each        ▼
//	│  Health  │◄── server in each service ── the director
//	└──────────┘
//
// A Target is one distinct probe, shared by all servers that ask for it. Its
// Spec is compiled when targets are set, once for all targets that have it. Its
// first probe is due at once, and the later ones on a fixed grid, from start to
// start, whose phase is a hash of the target: so 10,000 targets are spread over
// their interval, and a probe that takes long does not delay the next one. A
// target never has two probes in flight; between them it costs an entry in a
// heap and no goroutine.
//
// A target that refused is probed again sooner, off its grid, some times in a
// row. That count of refusals belongs to the target; whether a server is up is
// counted by a Health for each server that shares it, with its own rise and
// fall.
//
// When as many probes are in flight as are allowed, the one that has been due
// longest gets the next place. Its timeout starts when it does; how long it
// waited is counted in Stats.
//
// A Result is Passed, Failed or NotRun. NotRun means that this director could
// not run the probe. It neither raises nor lowers a Health: a director without
// a route must not conclude that every server is dead.
package checker
