// Package config reads lvsd's configuration: HCL files become one Config for
// one node, or diagnostics that say what is wrong, where, and what would be
// right.
//
//	Read      the files' bytes, at one moment                    sources.go
//	  │
//	  ├─► Digest    equal to the running one: nothing to do
//	  ▼
//	Parse
//	  cut           what is text, and not keepalived's           text.go, foreign.go
//	  split         a file into its top-level blocks             split.go
//	  locals        evaluated in the order of their needs        scope.go, functions.go
//	  and then, on all processors, every block into a result:    workers.go
//	    reuse       of what an unchanged block said last time    reuse.go
//	    parse       plain text fast, the rest by hclsyntax       parse.go, plain.go
//	    decode      into raw structs, which are the language     schema.go, decode.go
//	    type        arguments into values, rules of one block    values.go, director.go,
//	                                                             router.go, service.go,
//	                                                             server.go, check.go
//	  whole         the results in order, and what their claims
//	                are among each other and on this machine     whole.go, claims.go
//	  ▼
//	Config or Diagnostics                                        diagnostics.go, explain.go
//
// Splitting first is what keeps a configuration small: the tree of a file with
// 10,000 real servers takes some 100 MB, the Config that comes of it three.
// Each block is decoded by itself, given its text and the scope, and its tree is
// dropped. What must be judged among blocks it only claims.
//
// A mistake does not end the work. Whoever finds one reports it, goes on with
// a default, and so all are found in one go; a value that depends on a mistake
// is unknown to the expressions and is not reported again. Nothing that a file
// holds makes Parse panic, block, or take unbounded memory in the parser; what
// its expressions compute is the administrator's own.
//
// The package reads the configuration's files and those it names; it reads no
// clock and opens no socket. HCL is known here and nowhere else.
package config
