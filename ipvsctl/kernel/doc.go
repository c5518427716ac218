// Package kernel is the Linux kernel's IPVS table, spoken to over the generic
// netlink family "IPVS" (linux/ip_vs.h).
//
//	Conn.Apply ──► encode ──► one sendmsg of up to 500 requests ──► kernel
//	       explain ◄── refusals by sequence number, one acknowledgement ◄──┘
//	Conn.List, Services, Read ──► question ──► kernel ──► decode
//
// An answer costs the kernel and us more than the request, so only the last
// request of a batch asks for one; what is refused is answered in any case.
package kernel
