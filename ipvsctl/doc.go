// Package ipvsctl keeps the kernel's IPVS table equal to the one that is
// wanted.
//
//	        Set(want): the newest wins
//	                │
//	                ▼
//	want ──► Diff(have, want) ──► operations ──► Kernel.Apply ──► have
//	                ▲                                │
//	                │                                └─ refused: read the service again,
//	have ◄── look and audit ◄── Kernel                  hold what is refused twice
//
// Table, Service and Destination are plain values (table.go, text.go), and
// Diff is a function of two tables (diff.go). The Reconciler (reconcile.go,
// pass.go) owns one loop, the only writer of the table: it lists the whole
// table once, then compares with the table as last seen, and looks whether the
// kernel still agrees: at all services every second, and at the real servers of
// some of them in turn.
//
// Which rows are ours is not written in the kernel. Ours are the services that
// are wanted, and those that the Ledger says were ours when the last process
// ended; every real server of such a service is ours too. Other services are
// counted and shown, never changed, unless the table was declared exclusive.
//
// The package makes no system call: the kernel is behind the interface Kernel,
// which ipvsctl/kernel implements.
package ipvsctl
