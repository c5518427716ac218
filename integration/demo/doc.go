// Demo runs a cluster and shows what happens in it: a client, two directors with
// lvsd, and three web servers. It breaks one thing after another, measures what
// the client notices, and finally prints a table of the measurements.
//
//	make demo           in a kernel with IPVS, chosen by integration/lab
//	make demo KEEP=1    ends in a shell beside the running cluster
//
// It exits with status 1 if a step does not happen as announced or in time, or if
// the whole demonstration takes longer than 120 s.
package main
