// Demo runs a cluster before the user's eyes: a client, two directors with
// lvsd, three web servers. It breaks one thing after the other, measures what
// the client notices, and ends with a table of these figures.
//
//	make demo           in a kernel with IPVS, chosen by integration/lab
//	make demo KEEP=1    ends in a shell beside the running cluster
//
// A step that did not happen as told, or not in time, ends it with status 1: so
// does a story that takes longer than 120 s.
package main
