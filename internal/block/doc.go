// Package block reads configurations that are written as HCL blocks. What the
// blocks mean is not its concern: that is defined by a Language, whose blocks are
// Tables with one line for each option.
//
//	Read      the files' bytes, at one moment                    sources.go
//	  │
//	  ├─► Digest    equal to the running one: nothing to do
//	  ▼
//	Parse                                                        parse.go
//	  cut           check that a file is text in this language   text.go
//	  split         a file into its top-level blocks             split.go
//	  locals        evaluated in the order of their dependencies locals.go
//	  and then, on all processors, every block into a Result:    workers.go
//	    reuse       the result of a block that has not changed   reuse.go
//	    parse       plain text fast, the rest by hclsyntax       syntax.go, plain.go
//	                and without broken lines where there are any repair.go
//	    decode      a Body by the Table of its type              table.go
//	  ▼
//	Results         values, Claims to be compared among blocks, and Reports
//
// Splitting first keeps the memory small: the tree of a file with 10,000 real
// servers takes some 100 MB, but the values in it only three. Each block is
// decoded separately from its text and the scope, and its tree is then dropped.
// Whatever can only be checked among several blocks is recorded as a Claim.
//
// Parsing does not stop at a mistake. It is reported, and parsing continues with
// a default, or without the line whose syntax is broken, so that all mistakes are
// found at once. A value that depends on a
// mistake is unknown to the expressions, and is not reported again. No contents
// of a file make Parse panic, block, or use unbounded memory in the parser;
// evaluating its expressions can take any amount of time and memory.
//
// The package reads the configuration's files and the files that they name; it
// reads no clock and opens no socket. No other package knows about HCL.
//
// Every file uses only files that come before it in this list:
//
//	excerpts.go               how much of a value a message shows
//	later.go                  values that are built when they are first used
//	schema.go, language.go    what a block may hold, and words that help
//	reports.go                places, mistakes and doubts
//	cursor.go, split.go       a text, and its top-level items
//	sources.go                the files
//	secrets.go                values that are never shown
//	diagnostics.go            reports as they are shown
//	functions.go, scope.go    what expressions may refer to
//	plain.go                  the parser of plain text
//	phrases.go, explain.go    the parser's mistakes in words
//	lines.go                  and what a line was meant to be
//	repair.go, syntax.go      parsing an item
//	text.go, locals.go        what comes before the blocks
//	body.go, values.go        a block and the values of its arguments
//	dynamic.go                its inner blocks
//	table.go, options.go      decoding it by a table
//	workers.go, reuse.go      many blocks at once, and those that are known
//	parse.go                  all of it
package block
