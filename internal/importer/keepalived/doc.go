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
//	walk.go, section.go     what becomes of words
//	setting.go, model.go    words of blocks, and what they say of virtual servers
//	forwarding.go, regex.go
//	checker.go, virtual.go
//	batch.go                addresses of groups, as lists
//	timing.go               when a check is made
//	lvs.go, checkblock.go   virtual services
//	server.go, service.go
//	globals.go, hooks.go    what virtual routers begin with, programs, conditions,
//	tracking.go, garp.go    distances of announcements
//	instance.go             virtual routers: addresses, routes and rules, passwords and keys,
//	vip.go, path.go         announcements, between which addresses adverts go
//	secret.go, announce.go
//	reach.go, router.go
//	director.go, group.go   the daemon, groups, what is static
//	static.go
//	vrrp.go                 everything but virtual services
//	import.go               Import, everything
//	outline_lvs.go          what keepalived itself would make, in rows: virtual servers,
//	outline.go              and Outline, everything
package keepalived
