// Package sim runs the cores of lvsd in virtual time, against simulated networks,
// kernels and real servers. Only tests import it.
//
// A Network is a network segment with virtual routers on it, a Cluster is two
// whole directors with their servers, and an IPVS is the table of a kernel. A
// Network and a Cluster are deterministic: the same seed gives the same run, so a
// failure found among thousands of seeds can be repeated. They check their
// invariants after every event.
package sim
