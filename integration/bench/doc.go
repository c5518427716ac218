// Command bench measures lvsd beside Debian's keepalived: the same kernel, the
// same work, several runs of each, one table with medians, ratios and goals.
//
//	part      where             what
//	config    here              a check of 1,000 services × 10 servers, by lvsd validate and keepalived -t
//	failover  here, or the lab  the client's gap when a director's link is cut, it stops, it is killed
//	start     the lab           a pair's start to the client's first page
//	servers   the lab           a server is killed, is back, hangs, a file is broken, the table is cleared:
//	                            the client's failed requests, and when the table is right
//	table     the lab           start, reload and memory with 1,000 × 10
//	checks    the lab           processor time for each TCP check
//	adverts   the lab           how late a busy director's adverts are
//
// -parts chooses among them: "bench -kernel qemu -runs 1 -parts table".
//
// The program starts itself in the lab (integration/lab) for the parts that
// need IPVS, and reads their figures from its output. What they are worth
// depends on the kernel, which -kernel chooses and is printed with each part:
//
//	here  the kernel at hand where it has IPVS: the figures themselves
//	uml   user-mode Linux: a system call costs 20 to 50 times as much, user code
//	      nothing more, and there is one processor. Times count as a ratio to the
//	      peer's, and flatter the one that calls the kernel seldom
//	qemu  Debian's kernel, emulated: everything costs about ten times as much,
//	      on two processors, so a ratio is near to a real machine's
//
// A goal that is a time of a real machine is judged on one, and in user-mode
// Linux where it is one of user code.
//
// The daemons take turns, run by run. A ratio is judged as it is printed, to two
// digits. A goal that is missed is printed, and no failure. The exit status is 1
// where something could not be measured, and where a daemon made less of its
// checks than the figures are for.
package main
