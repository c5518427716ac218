// Package connections tells other directors of all connections in the kernel's IPVS table.
//
// The kernel's own sync daemon tells of a connection together with its packets, so a
// director that returns never hears of one that is idle, and resets it with its next packet.
// A kernel takes what anybody on its group tells, though: a Master sends every connection and
// persistence template itself, again and again, and whoever listens for a whole round knows
// all. Its beginning and its end are marked by messages without a connection, which are nothing to a kernel.
//
//	/proc/net/ip_vs_conn ──► Parse ──► index: how it is forwarded ──► datagram ──► Line
//
// What is not told: connections that are being opened or are over, and how far FTP has
// shifted the numbers of a TCP connection.
//
// Every file uses only files that come before it in this list:
//
//	connection.go        one line of the kernel's list
//	index.go             what the IPVS table says of a connection
//	datagram.go          the sync daemon's protocol
//	mark.go              the beginning and the end of a round
//	pace.go              when the next datagram is due
//	teller.go            the loop
//	learn.go             whoever listens
//
// The package makes no system calls: the kernel's list and the network are behind the
// interface Edge, which ipvsctl/kernel implements.
package connections
