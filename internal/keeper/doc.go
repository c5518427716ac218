// Package keeper runs the virtual routers in a process of their own, so that
// their adverts keep time whatever the director is busy with.
//
//	director's process                          keeper's process (SCHED_RR, memory locked)
//	┌────────────────────────────┐              ┌─────────────────────────────────────┐
//	│ Set, Heartbeat ─► Client ──┼─ socket pair ┼─► Main ─► vrrp.Session ─► vrrp/link │
//	│ Statuses, Events◄───────────┼──────────────┼── snapshots, events                 │
//	└────────────────────────────┘              └─────────────────────────────────────┘
//
// Neither end waits for the other: each sends its newest state, and events
// beyond a bound are dropped and counted. The keeper writes neither to a disk
// nor to the director's standard error.
//
// Each process survives the death of the other. A keeper that ends is started
// again at once, and resumes the role of Master if no peer can have taken over
// yet. If the director ends without announcing it, or its loop shows no sign of
// life for ten seconds, the keeper hands over to a peer and ends; where no peer
// takes over, the addresses stay for the next start to adopt.
package keeper
