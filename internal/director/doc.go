// Package director joins the three domains into one daemon: it owns the
// daemon's state, and decides what the kernel and the keeper should be told.
//
// A Core is told what happened and returns what is to be done; it is as pure as
// the domains' cores. The one loop, in loop.go, has the channels and the clock,
// feeds the core and carries out what it wants:
//
//	results of probes ────────►┌──────┐        ┌─► reconciler  (SetTable)
//	roles of virtual routers ─►│      │  Plan  ├─► checker     (SetTargets)
//	the machine, the table ───►│ Core ├───────►├─► keeper      (TellKeeper)
//	configuration, commands ──►│      │        ├─► events, the service manager
//	Expire at Deadline ───────►└──────┘        └─► readings, looks, the hand-over
//
// The core is made of small parts: Healths (health.go) has the state of every
// real server, readiness the order of a start, the reloader the readings of the
// configuration. What should be is a function of configuration, health and roles
// alone: weigh (one server), choose (among the servers of a service) and Plan.
// What is wrong is found in findings.go.
//
// Whatever leaves the loop is a whole desired state of which the newest wins, so
// the loop never waits for the kernel, for a probe, or for the keeper.
package director
