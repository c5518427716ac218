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
// The core's state is in core.go. handle.go takes what happens and does what
// follows from it: start.go has the order of a start, reload.go the reading of
// another configuration, machine.go what the machine is like, outages.go the plan
// and what it means for services. Each needs only what is below it: Healths
// (health.go) holds the state of every real server, and the desired state is a
// function of configuration, health and roles alone: weigh (for one server),
// choose (among the servers of a service) and Plan; deprive.go has which reloads
// take a running router's interface away, and changes.go what one changes; leave.go has what serves on
// until a changed service's first results. findings.go determines what is
// wrong, and status.go says all of that to programs.
//
// Everything that leaves the loop is a complete desired state, of which only the
// newest counts, so the loop never waits for the kernel, a probe or the keeper.
package director
