// Package config is lvsd's configuration language. It turns the files into a
// Config for one node, or into diagnostics that tell what is wrong, where, and
// what to write instead.
//
// Every file uses only files that come after it in this list:
//
//	whole.go               Parse, ParseWith: all blocks, and what must hold among them
//	language.go            the blocks at the top level of a file
//	director.go            director {}
//	router.go, track.go    virtual_router {}
//	service.go, server.go  virtual_service {} and its servers
//	checks.go              the kinds of checks
//	check_*.go             each kind
//	check.go, route.go     what several of them share
//	foreign.go             other programs' words, with ours
//	claims.go, config.go   what a block claims, and what all of this makes
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
