// Package doctor looks for the silent ways in which a cluster fails, on a director and on a
// real server.
//
//	configuration ─┐
//	Facts (host) ──┴─► Case ─► each Examination ─► Result: ok, wrong, not known, not needed ─► Fix
//
// Facts are values, and an examination is a function of them, so each is tested with
// made-up ones. What cannot be told is never called wrong.
//
// Every file uses only files that come before it in this list:
//
//	firewall.go      what packet filters let in, as far as nft(8) tells
//	facts.go         what is known of the machine
//	case.go          a machine and a configuration; how an examination ends
//	kernel.go        the kernel, its modules and parameters
//	network.go       ways, filters and what is between
//	replies.go       what real servers answer by way of this director
//	addresses.go     who has which address
//	process.go       the daemon, others beside it, and what it may do
//	examine.go       the table of examinations
package doctor
