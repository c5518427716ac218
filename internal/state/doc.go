// Package state is the daemon's state directory: what outlives the process,
// and the lock that keeps a second daemon away from it.
//
// Each thing that is remembered has one file of JSON with a version, and one
// source file here that says what is in it (ledger.go). A file is replaced as a
// whole: after a crash at any moment it is the old one or the new one. One that
// cannot be understood is put aside, so that it is in nobody's way and can
// still be examined.
package state
