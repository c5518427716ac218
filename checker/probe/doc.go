// Package probe runs the probes that package checker schedules, on Linux. It
// holds every system call of the checks.
//
//	Compile ── tcp.go ──┐
//	        ── http.go ─┴─ dial.go   connections in the runtime's poller
//	        │     ├─ tls.go ─ authorities.go   certificates
//	        │     └─ pattern.go   what a body must match
//	        ── ping.go ─── echo.go   one raw ICMP socket for each family
//	                   └── verdict.go: how a probe ended → Passed, Failed or NotRun, and a detail
//
// Each kind of check is one file, which registers how the options of its kind
// are compiled. A check is compiled when targets are set and never changes.
//
// The deadline of a probe's context is the only one: it covers the connect,
// the TLS handshake, the header and the body together, so that a server which
// sends one byte at a time gains nothing. What is read from a server is
// bounded: 64 kB of header, checker.BodyLimit bytes of body. Only reading a file
// of certificates may take longer, on a disk that hangs: authorities.go does it
// in a goroutine of its own, for which no probe waits beyond its deadline.
//
// A probe is NotRun if the reason lies with this director: no route, no
// socket, no port, its own packet filter, a file of certificates that cannot be
// read. Whatever comes from elsewhere is the server's failure: a refusal, a
// reset, silence, an address that nobody answers ARP for.
package probe
