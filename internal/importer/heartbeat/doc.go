// Package heartbeat makes lvsd's configuration of Heartbeat's (Linux-HA 3): ha.cf,
// haresources and authkeys.
//
//	files ──► lines of words ──► the cluster, its keys, and what moves ──► blocks and losses
//
// All lines of haresources that begin with one node are one virtual router: where something of
// one of them cannot be started, Heartbeat, too, has the other node take all of them. Facts come
// from Heartbeat 3.0.6, its manuals and scripts, by reading and trying them; no line of it
// is here.
//
// Every file uses only files that come before it in this list:
//
//	words.go, line.go           words, files and their lines
//	cluster.go, keys.go         what ha.cf and authkeys say
//	walk.go                     what was made so far
//	cf.go                       how ha.cf is read
//	authentication.go           what becomes of keys
//	address.go, resource.go     what moves, by haresources
//	ping.go                     what ipfail watches
//	peers.go                    by which way the directors hear each other
//	router.go                   what a node has
//	import.go                   Import and Outline
package heartbeat
