// Package ipvsctl keeps the kernel's IPVS table equal to a desired one.
//
//	      Set(Desired): the newest wins
//	              │
//	              ▼
//	want ──► Diff(have, want) ──► operations ──► Kernel.Apply ──► have
//	              ▲                                   │
//	              │                                   └─ refused: read the service again;
//	have ◄── look and audit ◄── Kernel                   if nothing has changed, retry later
//
// Table and its parts are plain values (keys.go, table.go), immutable once handed out, and
// Diff is a function of two tables (diff.go).
//
// The core (core.go) takes one step at a time towards what is wanted. It is
// composed of the ownership (which services are ours), the observer (what the
// kernel held when last seen) with its audit (what is compared with the kernel
// next), the refused operations with their retry times, and the reporter, which
// turns what happened into events. The Reconciler (reconcile.go) is the loop around
// it, and the only writer of the kernel's table.
//
// Every file uses only files that come before it in this list:
//
//	keys.go, rows.go, table.go, op.go,     values
//	settings.go
//	path.go, diff.go, ipvsadm.go
//	selection.go, disjoint.go, ruleset.go  which packets belong to a service, and their marks
//	dry.go                                 a Kernel that is never written to
//	ownership.go, refused.go, audit.go,    the parts of the core
//	observe.go, event.go, fault.go
//	snapshot.go
//	core.go                                the core
//	reconcile.go                           the loop
//	ruler.go                               the loop that keeps rules of the packet filter
//
// The kernel does not record who owns a service. The daemon owns the services
// that are wanted, and those that it owned when its last process ended, according
// to the Ledger; it also owns every real server of such a service. Other services
// are counted and shown but never changed, unless the table is declared exclusive.
//
// The package makes no system calls: the kernel is behind the interface Kernel,
// which ipvsctl/kernel implements, and its packet filter behind the interface Filter, which
// ipvsctl/filter does.
package ipvsctl
