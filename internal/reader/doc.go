// Package reader reads the configuration in a process of its own, because there
// is no other way to limit what that costs: an expression of a few hundred bytes
// can ask for terabytes of memory or for years of processor time, and Go cannot
// recover from running out of memory or stack.
//
//	the director                                    lvsd read-config
//	    Reader.Read ── query, by standard input ──►  Main
//	                                                  give up privileges, set limits
//	                                                  config.Read, config.Parse
//	                ◄── reply, by standard output ──  the typed configuration, or
//	                                                  diagnostics
//	                ◄── board, a shared page ───────  which block is being read
//
// The child is the same binary under the same user, so that it can read the same
// files. It starts without capabilities and with no_new_privs, and opens no
// socket. Its memory, its processor time and its duration are limited.
// A child that exceeds a limit is killed, and this is reported as a mistake in the
// block that it was reading.
//
// Every file uses only files that come before it in this list:
//
//	limits.go, wire.go       what a reading may cost, and what is asked and answered
//	board.go, excess.go      which block is being read, and whether it took too much
//	main.go                  the child
//	process.go, reader.go    the child as its parent sees it, and a Reader
package reader
