// Package sim runs the cores of lvsd in virtual time, against simulated networks
// and kernels. Only tests import it.
//
// A Network is a network segment with virtual routers on it, and an IPVS is the
// table of a kernel. A Network is deterministic: the same seed gives the same
// run, so a failure found among thousands of seeds can be repeated. It checks
// its invariants after every event.
//
// The tests of this package are what needs thousands of seeds: networks of
// virtual routers, and clusters of two whole directors with their servers, while
// faults of all kinds happen to them.
package sim
