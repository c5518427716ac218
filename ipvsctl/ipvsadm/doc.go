// Package ipvsadm has the command line, the files and the listings of ipvsadm(8), of whose
// version 1.31 it takes every command and option.
//
//	arguments ──► words ──► Parse ──► Command ──► Session.Run ──► Kernel
//	-R's lines ──┘                                    │
//	                                   listings ◄─────┘ rows, connections
//
// What a user types is read as the C library and popt read it there: numbers by strtol,
// addresses by inet_aton, services by /etc/services. Printing is byte for byte the same; a
// rule is printed by ipvsctl.Op. Messages are our own.
//
// Every file uses only files that come before it in this list:
//
//	command.go                         values
//	number.go, services.go, names.go   words become numbers, addresses and ports, and back
//	address.go
//	options.go, words.go, allowed.go   the command line
//	parse.go
//	order.go, flags.go, listing.go     what is printed
//	connections.go, json.go, help.go
//	lines.go                           the input of -R
//	session.go, show.go, row.go        commands are carried out
//	run.go
//
// The package makes no system calls: the kernel and the resolver are handed in.
package ipvsadm
