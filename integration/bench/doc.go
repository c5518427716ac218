// Command bench measures lvsd side by side with Debian's keepalived, on the same
// kernel and with the same work. It runs each several times, and prints a table
// with medians, ratios and goals.
//
//	part      where             what
//	config    here              a check of 1,000 services × 10 servers, by lvsd validate and keepalived -t
//	failover  here, or the lab  how long an address is silent when its Master's link is cut
//	handover  here, or the lab  the client's lost echoes when the Master stops, is killed, offers its role, is preempted
//	flood     here, or the lab  VRRP packets of a third host that are refused, for so long as -flood says: what they
//	                            cost, and whether a role changes
//	crowd     here, or the lab  the same with 100 virtual routers
//	forged    here, or the lab  packets that claim to be a Master's
//	steady    here              how late adverts are beside busy processes, and whether a role changes by mistake
//	scale     here              1,000 virtual routers: what they cost at rest, and how far their take-overs are apart
//	scale-mac here              the same with virtual MACs, and accept = false
//	paced     here              TCP checks of 10,000 and of 100,000 servers by a director without a kernel's table: what
//	                            they cost, and how punctually they begin
//	start     the lab           a pair's start to the client's first page
//	servers   the lab           a server is killed, is back, hangs, a file is broken, the table is cleared:
//	                            the client's failed requests, and when the table is right
//	detection the lab           a server refuses or hangs, 40 times a run: when it is out of the table, and the failed requests
//	table     the lab           start, reload and memory with 1,000 × 10
//	wide      the lab           start with 1,000, 10,000 and 37,205 servers; with these, reload, memory, and what the
//	                            audit of the table costs
//	restore   the lab           lvsd ipvs -R beside ipvsadm -R (in keepalived's column), up to 37,205 servers
//	telling   the lab           processor time of telling other directors of 20,000 connections, beside cat of
//	                            /proc/net/ip_vs_conn (in keepalived's column)
//	checks    the lab           processor time for each TCP check
//	storm     the lab           10,000 servers fail at once, and come back at once: when the table is right, the adverts, the log
//	adverts   the lab           how late a busy director's adverts are
//	churn     the lab           reloads and failing servers for as long as -flood says: whether anything grows
//
// -parts selects some of them: "bench -kernel qemu -runs 1 -parts table".
//
// For the parts that need IPVS, the program starts itself in the lab
// (integration/lab) and reads their figures from its output. How meaningful the
// figures are depends on the kernel, which -kernel selects and which is printed
// with each part:
//
//	here  the current kernel, if it has IPVS: the figures are meaningful themselves
//	uml   user-mode Linux: a system call costs 20 to 50 times as much, user code
//	      costs the same, and there is one processor. Only ratios are meaningful,
//	      and they favour the daemon that makes fewer system calls
//	qemu  Debian's kernel, emulated: everything costs about ten times as much, on
//	      two processors, so ratios are close to those of a real machine
//
// On a machine that has other work, start it with "nice -n -20". Under a real-time policy
// the processes of user-mode Linux, which all have it, keep their processor from its own
// kernel for whole slices of 100 ms.
//
// A goal that is a time on a real machine is judged only there, or in user-mode
// Linux if it is about user code alone.
//
// The daemons take turns, run by run. A ratio is judged as it is printed, to two
// digits. A missed goal is printed, but is not a failure. The exit status is 1 if
// something could not be measured, or if a daemon ran fewer checks than the
// figures are meant for.
package main
