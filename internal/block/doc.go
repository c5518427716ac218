// Package block reads configurations that are written as HCL blocks. It knows
// nothing of what they are about: that is a Language, whose blocks are Tables
// with one line for each option.
//
//	Read      the files' bytes, at one moment                    sources.go
//	  │
//	  ├─► Digest    equal to the running one: nothing to do
//	  ▼
//	Parse                                                        parse.go
//	  cut           what is text, and this language's            text.go
//	  split         a file into its top-level blocks             split.go
//	  locals        evaluated in the order of their needs        locals.go, scope.go,
//	                                                             functions.go
//	  and then, on all processors, every block into a Result:    workers.go
//	    reuse       of what an unchanged block said last time    reuse.go
//	    parse       plain text fast, the rest by hclsyntax       plain.go, plainscan.go
//	    decode      a Body by the Table of its type              body.go, table.go,
//	                                                             options.go, dynamic.go,
//	                                                             values.go
//	  ▼
//	Results         values, Claims to be judged among blocks, and Reports
//	                                                             reports.go, diagnostics.go
//	                in words that help                           schema.go, explain.go,
//	                                                             hints.go
//
// Splitting first is what keeps a configuration small: the tree of a file with
// 10,000 real servers takes some 100 MB, the values that come of it three. Each
// block is decoded by itself, given its text and the scope, and its tree is
// dropped. What must be judged among blocks it only claims.
//
// A mistake does not end the work. Whatever finds one reports it and goes on
// with a default, so that all are found in one go; a value that depends on a
// mistake is unknown to the expressions and is not reported again. Nothing that
// a file holds makes Parse panic, block, or take unbounded memory in the parser;
// what its expressions compute may take any time and memory.
//
// The package reads the configuration's files and those that it names; it reads
// no clock and opens no socket. HCL is known here and nowhere else.
package block
