// Package integration holds the tests of the built binary, on a real kernel
// with IPVS and with real peers: Debian's keepalived, FRR, Heartbeat, nginx and ipvsadm.
//
// They run in the lab (make integration, make test). If the current kernel has no
// IPVS, the lab is user-mode Linux; with KERNEL=qemu, it is Debian's kernel on an
// emulated machine. Outside the lab, those that need IPVS are skipped. Each test builds a
// cluster of its own in network namespaces (package cluster) and checks from
// outside what the daemons did: with ipvsadm, moby/ipvs, netlink, and as a client.
//
// Those of virtual routers alone need no IPVS, and run on the kernel at hand: TestPeers
// plays through what happens to directors with each peer, in each mode (make interop).
//
// User-mode Linux has only one processor and slow system calls, and on the
// emulated machine everything is slow. Limits on time are therefore the protocol's
// own, plus a margin. Package bench measures the actual figures.
package integration
