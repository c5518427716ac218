// Package keepalived makes lvsd's configuration of keepalived's.
//
//	files ──► lines ──► values, conditions, loops ──► statements ──► blocks and losses
//
// What is read as what follows keepalived 2.4, and 2.2 where the two differ and the newer one
// would refuse what the older one takes. Facts come from keepalived's manual, and from trying
// 2.2.7; no line of it is here. Whatever is read, memory and time are bounded.
//
// Every file uses only files that come before it in this list:
//
//	words.go                what a line consists of
//	statement.go            Statement, a line and its block
//	source.go               lines, from files and from what they make
//	define.go, loop.go      values, loops and includes
//	include.go, prepare.go
//	parse.go, ids.go        Parse, the statements of a configuration
//	walk.go                 what becomes of words
//	lvs.go                  virtual services
//	vrrp.go                 virtual routers
//	import.go               Import, everything
package keepalived
