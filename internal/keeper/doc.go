// Package keeper runs the virtual routers in a process of their own, so that
// their adverts are sent on time, however busy the director is.
//
//	director's process                          keeper's process (SCHED_RR, memory locked)
//	┌────────────────────────────┐              ┌─────────────────────────────────────┐
//	│ Set, Heartbeat ─► Client ──┼─ socket pair ┼─► Main ─► vrrp.Session ─► vrrp/link │
//	│ Statuses, Events◄───────────┼──────────────┼── snapshots, events                 │
//	└────────────────────────────┘              └─────────────────────────────────────┘
//
// Neither process waits for the other: each sends its newest state, and events
// beyond a bound are dropped and counted. The keeper writes neither to a disk
// nor to the director's standard error.
//
// Every file uses only files that come before it in this list:
//
//	affinity.go   the processors that the keeper runs on
//	wire.go       what they exchange
//	process.go    what is special about the keeper's process
//	others.go     other daemons that speak VRRP
//	watchdog.go   the device that resets a machine which hangs
//	keeper.go     the keeper's end
//	history.go, assembly.go
//	              what the director remembers of the routers
//	client.go     the director's end
//
// Each process survives the death of the other. A keeper that dies is restarted
// at once, and becomes Master again if no peer can have taken over yet. If the
// director dies, or its loop shows no sign of life for ten seconds, the keeper
// hands over to a peer and exits. If no peer takes over, it leaves the addresses
// in place, and the next start adopts them.
package keeper
