// Package checker decides when real servers are probed and what the results
// say about their health. It opens no socket: a Prober does, and package
// probe is the one for Linux.
//
//	Set(targets)
//	     │
//	┌────▼─────┐  due, and a place is free   ┌──────────┐
//	│ schedule ├────────────────────────────►│  Check   │ one goroutine
//	│  (heap)  │◄────────────────────────────┤          │ a probe in flight
//	└──────────┘        probe ended          └────┬─────┘
//	                                              │ report(Target, Result)
//	┌──────────┐       one Health for each        ▼
//	│  Health  │◄── server in each service ── the director
//	└──────────┘
//
// A Target is one distinct probe, whoever shares it. Its first probe is due at
// once, the later ones on a fixed grid, from start to start, whose phase is a
// hash of the target: so 10,000 targets spread over their interval, and a probe
// that takes long does not push the next one back. A target never has two
// probes in flight, and one at rest costs an entry in a heap and no goroutine.
//
// At the bound on probes in flight, the one that has been due longest gets the
// next place. Its timeout begins when it starts; how long it waited is counted
// in Stats.
//
// A Result is Passed, Failed or NotRun. NotRun means that this director could not
// ask: it neither raises nor lowers a Health, for a director without a route
// must not conclude that every server is dead.
package checker
