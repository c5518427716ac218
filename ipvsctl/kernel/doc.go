// Package kernel reads and writes the Linux kernel's IPVS table over the generic
// netlink family "IPVS" (linux/ip_vs.h).
//
//	Conn.Apply ──► encode ──► one sendmsg of up to 500 requests ──► kernel
//	       explain ◄── refusals by sequence number, one acknowledgement ◄──┘
//	Conn.List, Services, Read ──► question ──► kernel ──► decode
//
// Every file uses only files that come before it in this list:
//
//	family.go               the numbers of linux/ip_vs.h
//	encode.go, decode.go    requests and answers
//	refusal.go              what the kernel's errors mean
//	conn.go                 the connection
//	settings.go             what is not of one service: timeouts, sync daemons
//	tell.go                 telling of connections as a sync daemon does
//	list.go                 the rows with all that is counted, in the kernel's order
//
// An answer costs the kernel and this process more than a request, so only the
// last request of a batch asks for an acknowledgement. The kernel reports a
// request that it refuses in any case.
package kernel
