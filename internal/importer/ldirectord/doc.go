// Package ldirectord makes lvsd's configuration of ldirectord's.
//
//	lines ──► words, known and checked ──► services ──► blocks and losses
//
// Lines are taken as the program takes them, not as its manual says: a block's lines begin with
// four spaces or a tab, and it ends with the first line that does not. Facts come from
// ldirectord 4.12, by reading and trying it; no line of it is here.
//
// Every file uses only files that come before it in this list:
//
//	line.go, words.go       lines, and the words that they begin with
//	parse.go                parse, the file as a whole
//	names.go                hosts and ports that have names
//	walk.go                 what becomes of words
//	real.go, fallback.go    real servers, and what serves without them
//	pattern.go              regular expressions of Perl
//	times.go                intervals, time limits and counts
//	tls.go                  certificates
//	http.go, talk.go        the checks that negotiate
//	check.go                which checks a server must pass
//	service.go              a virtual service
//	import.go               Import
//	outline.go              Outline, what ldirectord itself would make, in rows
package ldirectord
