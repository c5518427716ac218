// Package config is lvsd's configuration language. It turns the files into a
// Config for one node, or into diagnostics that tell what is wrong, where, and
// what to write instead.
//
//	Parse, ParseWith     files to Config                    whole.go, config.go
//	  the language       blocks and their options           language.go, director.go,
//	                                                        router.go, track.go,
//	                                                        service.go, route.go,
//	                                                        server.go, check*.go
//	  claims             what must hold among blocks        claims.go
//	  foreign words      keepalived's, with ours            foreign.go
//
// An option is one line in the table of its block: its name, its default, its
// range, what it does, and where its value is stored. Everything else about
// options is derived from the tables: what a file may contain, the messages about
// mistakes, the comments of examples/reference.hcl and the sections of
// lvsd.hcl(5). A rule that a table cannot express is in the function that reads
// the block.
//
// Each kind of check and of track has a file with a table of its own, and an
// entry in the list of kinds. Package block reads the HCL itself.
package config
