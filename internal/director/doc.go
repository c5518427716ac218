// Package director joins the three domains into one daemon: it owns the
// daemon's state, and decides what the kernel and the keeper should be told.
//
// The decisions are pure and stand in plan.go (configuration, health and roles
// in; table, targets and routers out) and health.go (results in, standing of
// every real server out). The one loop, in director.go, feeds them:
//
//	probe result ──► Healths.Observe ─┐
//	role change ─────────────────────►├─► Plan ──► reconciler   (the table)
//	new configuration ───────────────►│      ├───► checker      (the targets)
//	own addresses ───────────────────►┘      └───► keeper       (the routers)
//
// Everything that reaches the loop comes through channels, and everything that
// leaves it is a whole desired state of which the newest wins, so the loop
// never waits for the kernel, for a probe, or for the keeper.
package director
