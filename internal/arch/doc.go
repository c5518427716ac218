// Package arch holds the tests of the structure that ARCHITECTURE.md describes:
// who may import whom, that the core reads no clock and starts no goroutine, and
// that functions and files stay small enough to be read.
//
// It has no code of its own. A rule that stands in the way is changed here,
// with its reason, in the same change as the code that needs it.
package arch
