// Package arch tests that the code has the structure that ARCHITECTURE.md
// describes: which package may import which, in which order the files of a package
// build on each other, that the core reads no clock and starts no goroutine, and
// that functions and files stay small enough to be read.
//
// It has no code of its own. If a change needs a different rule, it changes the
// rule here, together with its reason.
package arch
