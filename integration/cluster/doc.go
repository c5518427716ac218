// Package cluster builds an LVS cluster out of network namespaces of one
// kernel, for the integration tests, the demonstration and the benchmark.
//
//	          10.13.0.0/24, 2001:db8:13::/64
//	client ────────────┬──── outside ────┬─────────
//	 .100         eth0 │.15         eth0 │.16            10.13.0.200 moves
//	                 lvs1              lvs2
//	              eth1 │.15         eth1 │.16            192.168.1.254 and
//	       ──────┬─────┴┬──── inside ─┬──┴──────         192.168.2.254 move
//	        eth0 │ eth0 │        eth0 │                  along
//	           web1    web2         web3
//	     192.168.1.4  192.168.1.5  192.168.2.2
//
// Each host is a thread of this process with namespaces of its own (network,
// mounts with an empty /run, host name), together with the processes that were
// started from that thread. The namespaces have no names, so they cannot collide.
// Nothing remains when this process ends, however it ends: the kernel kills the
// daemons together with the thread, and removes the namespaces with the last
// process in them.
//
// The networks are two bridges in a namespace of their own. A host is cut off as
// by a switch: its port goes down, and both ends lose the carrier.
package cluster
