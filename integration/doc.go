// Package integration holds the tests of the built binary, on a real kernel
// with IPVS and with real peers: Debian's keepalived, nginx and ipvsadm.
//
// They run in the lab (make integration, make test): where the kernel at hand
// has no IPVS, that is user-mode Linux, and with KERNEL=qemu Debian's own on an
// emulated machine. Outside of it they are skipped. Each test builds a cluster
// of its own in network namespaces (package cluster) and checks what the daemons
// did from outside: with ipvsadm, moby/ipvs, netlink, and as a client.
//
// User-mode Linux has one processor and slow system calls, and on the emulated
// machine everything is slow, so bounds on time are the protocol's, with a
// margin; the figures are measured by integration/bench.
package integration
