// Package probe runs the probes that package checker schedules, on Linux: a
// TCP connect, an HTTP request, a ping. It holds every system call of the
// checks.
//
//	Probe ── tcp.go ──┐
//	      ── http.go ─┴─ dial.go   raw sockets in the runtime's poller
//	      ── ping.go ─── echo.go   one raw ICMP socket for each family
//	                 └── verdict.go: how it ended → Passed, Failed or NotRun, and a detail
//
// The deadline of a probe's context is the only one: it covers the connect,
// the TLS handshake, the header and the body together, so that a server which
// drips bytes gains nothing. What is read from a server is bounded: 64 kB of
// header, checker.BodyLimit bytes of body. Only a file of certificates may take
// longer, on a disk that hangs: authorities.go reads it aside, and the probe
// does not wait for it beyond its deadline.
//
// A probe is NotRun where the reason lies with this director: no route, no
// socket, no port, a packet filter of its own, a file of certificates that can't
// be read. All that comes from elsewhere is the server's: a refusal, a reset,
// silence, an address that nobody answers ARP for.
package probe
