// Package resource starts and stops what a Master runs besides its addresses: systemd's
// units, mounts and commands, one after the other, and in reverse.
//
//	keeper ── statuses, events ──►┌──────┐── runs ──────► Runner ──► spawn.Spawner
//	director ── configuration ───►│ Core │── events, answers to the keeper
//	         ◄── statuses ────────└──────┘◄── results
//
// The Core decides what is done next, and does nothing itself. What is wanted follows
// from the state that the virtual routers are in now: all of a list run, or none does.
// What is under way is waited for, since two programs about one thing must not run at
// the same time, and then the newest state counts.
//
// A Master that leaves by plan asks first (vrrp.Leave), and is answered when everything
// has stopped. So the other director starts nothing before that.
//
// Every file uses only files that come before it in this list:
//
//	effect.go    what a Core wants done
//	state.go     what the virtual routers' states mean for their resources
//	item.go      one resource
//	list.go      those of one virtual router or sync group, in their order
//	core.go      the Core
//	command.go   how a resource is looked at, started and stopped
//	runner.go    the Runner
package resource
