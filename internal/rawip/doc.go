// Package rawip has TCP segments that belong to no connection of this machine's, and what
// the sockets for them need. Checks ask with them whether a port is open, and the doctor by
// which way a real server answers.
//
// Every file uses only files that come before it in this list:
//
//	segment.go   segments, and their checksum
//	socket.go    a port that no connection has, and a socket's filter
package rawip
