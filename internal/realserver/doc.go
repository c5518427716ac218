// Package realserver decides what a machine needs to serve behind IPVS, which is what one
// does by hand on the real servers of an LVS cluster: for direct routing the virtual
// addresses on lo, of which no ARP request is answered; for tunnelling the end of the
// tunnel, which has the virtual addresses; for NAT the default route, by way of the director.
//
//	configuration, Facts ─► Needs ─► Compare ─► changes ─► Pass makes them, and remembers what was before
//
// Everything that it may change is a Part with a value, which is a text, so what was
// before is a text as well, and is given back the same way.
//
// Every file uses only files that come before it in this list:
//
//	part.go       what can be changed on a machine
//	gateway.go    the way to the director
//	needs.go      what a configuration needs of it
//	change.go     what differs
//	pass.go       one pass: what differs is changed
//	watch.go      the loop
package realserver
