// Package director joins the three domains into one daemon: it owns the
// daemon's state, and decides what the kernel and the keeper are told to do.
//
// A Core is told what has happened, and returns what is to be done; like the
// cores of the domains, it is pure. The only loop, in loop.go, owns the channels
// and the clock, feeds the core and carries out what it returns:
//
//	results of probes ────────►┌──────┐        ┌─► reconciler  (SetTable)
//	roles of virtual routers ─►│      │  Plan  ├─► checker     (SetTargets)
//	the machine, the table ───►│ Core ├───────►├─► keeper      (TellKeeper)
//	configuration, commands ──►│      │        ├─► events, the service manager
//	Expire at Deadline ───────►└──────┘        └─► readings, looks, the hand-over
//
// The core is made of small parts. Healths (health.go) holds the state of every
// real server, readiness controls the order of a start, and the reloader controls
// when the configuration is read. The desired state is a function of
// configuration, health and roles alone: weigh (for one server), choose (among the
// servers of a service) and Plan. findings.go determines what is wrong.
//
// Everything that leaves the loop is a complete desired state, of which only the
// newest counts, so the loop never waits for the kernel, a probe or the keeper.
package director
