// Package config is lvsd's configuration language: what the files say becomes
// one Config for one node, or diagnostics that say what is wrong, where, and
// what would be right.
//
//	Parse, ParseWith     files to Config                    whole.go, config.go
//	  the language       blocks and their options           language.go, director.go,
//	                                                        router.go, track.go,
//	                                                        service.go, route.go,
//	                                                        server.go, check*.go
//	  claims             what must hold among blocks        claims.go
//	  foreign words      keepalived's, with ours            foreign.go
//
// An option is one line of the table of its block: its name, its default, its
// range, what it does, and where its value goes. All that is said of options
// follows from the tables: what a file may hold, the messages about it, the
// comments of examples/reference.hcl and the sections of lvsd.hcl(5). What a line
// can't express is a rule in the function that reads the block.
//
// A kind of check or of track is a file with a table of its own, and a name in
// the list of kinds. The HCL itself is internal/block's.
package config
