// Command bench measures lvsd beside Debian's keepalived: the same kernel, the
// same work, several runs of each, one table with medians, ratios and goals.
//
//	part      where                        what
//	config    here, in this process        parsing 1,000 services × 10 servers, and finding them unchanged
//	failover  here, in network namespaces  the client's gap when a director's link is cut, it stops, it is killed
//	start     in the lab                   a pair's start to the client's first page
//	servers   in the lab                   a server is killed, is back, hangs, a file is broken, the table is cleared:
//	                                       the client's failed requests, and when the table is right
//	table     in the lab                   start, reload and memory with 1,000 × 10
//	checks    in the lab                   processor time for each TCP check
//
// The program starts itself in the lab (integration/lab) for the parts that
// need IPVS, and reads their figures from its output. The lab is this kernel
// where it has IPVS, and user-mode Linux otherwise; there a system call costs
// 20 to 50 times this kernel's, so that figures count as a ratio to the
// peer's, and the goals that are times on a real machine are not judged.
//
// The daemons take turns, run by run. A ratio is judged as it is printed, to two
// digits. A goal that is missed is printed, and no failure. The exit status is 1
// where something could not be measured, and where a daemon made less of its
// checks than the figures are for.
package main
