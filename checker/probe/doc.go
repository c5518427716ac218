// Package probe runs the probes that package checker schedules, on Linux. All
// system calls of the checks are here.
//
//	Compile ── tcp.go ──┐
//	        ── udp.go ─┬─ datagram.go
//	        ── ntp.go ─┤
//	        ── sip.go ─┼─ sipmessage.go
//	        ── dns.go ─┴─ dnsmessage.go
//	        ── http.go, grpc.go
//	        │           └─ dial.go   connections in the runtime's poller
//	        │     ├─ tls.go ─ authorities.go, clients.go   certificates
//	        │     ├─ login.go   passwords
//	        │     ├─ answer.go   what servers say
//	        │     ├─ lines.go   conversations in lines of text: smtp, imap, pop3, ftp, nntp
//	        │     ├─ response.go   what they say by HTTP, and how it ends
//	        │     ├─ http2.go   and by HTTP/2
//	        │     ├─ body.go   what they have to say there
//	        │     ├─ redirect.go   where they lead
//	        │     └─ pattern.go   what that must match
//	        ── redis.go, memcached.go, mysql.go, postgres.go, ldap.go ── session.go ─── messages.go   servers that a check may log in to
//	        ── ping.go ─── pinger.go ─── echo.go ─── raw.go   one raw ICMP socket for each family
//	        ── file.go, process.go ─── processes.go ─── processevents.go   this machine itself
//	        ── exec.go   programs, which a Starter starts
//	        ── agent.go   agents beside servers
//	                   └── verdict.go: how a probe ended → Passed, Failed or NotRun, and a detail
//
//	Compile ── forwarded.go   servers that are asked at the virtual address, by way of IPVS
//
//	Ask ── knocker.go ─┬─ knocks.go    TCP checks that say nothing, many at once
//	                   ├─ sources.go   from which address
//	                   └─ knocksocket.go ─┬─ packets.go   one raw TCP socket for each family
//	                                      └─ segment.go, raw.go
//
// Each kind of check has one file, which registers how its options are compiled.
// A check is compiled when targets are set, and never changes.
//
// The deadline of a probe's context is the only time limit. It covers the
// connect, the TLS handshake, the header and the body together, so a server
// that sends one byte at a time cannot prolong a probe. What is read from a
// server is bounded, too: by HTTP 64 kB of header and 2 MiB after it, of which
// checker.BodyLimit bytes are looked at, and checker.SizeLimit bytes make a digest;
// else checker.AnswerLimit bytes.
// Only reading a file of certificates or a password can take longer, if its disk hangs:
// files.go reads it in a goroutine of its own, and no probe waits for that
// beyond its deadline.
//
// The outcome of a probe is NotRun if its cause is on this director: no route, no
// socket, no port, its own packet filter, a file of certificates or a password that
// cannot be read. Any other cause is a failure of the server: a refusal, a reset, silence,
// or an address for which nobody answers ARP.
//
// Every file uses only files that come before it in this list:
//
//	verdict.go                         how a probe ended
//	trace.go                           what a probe sees, for lvsd check
//	via.go, proxyprotocol.go,          connections, and which way they go
//	dial.go, datagram.go,
//	files.go, clients.go,              files that are read when they change
//	authorities.go, tls.go, login.go
//	pattern.go, answer.go,             what servers say
//	response.go, http2.go, body.go,
//	redirect.go, messages.go,
//	dnsmessage.go, sipmessage.go,
//	lines.go
//	raw.go                             what raw sockets have in common
//	echo.go, pinger.go                 ICMP
//	segment.go, packets.go,            TCP without connections
//	knocksocket.go, sources.go,
//	knocks.go, knocker.go
//	processevents.go, processes.go     which processes there are, and when that changes
//	forwarded.go, probe.go             the Prober
//	session.go                         conversations that a login may begin
//	tcp.go, udp.go, tls_check.go,      each kind of check
//	http.go, grpc.go, ping.go, dns.go,
//	smtp.go, imap.go, pop3.go,
//	nntp.go, ftp.go, sip.go, ntp.go,
//	redis.go, memcached.go,
//	mysql.go, postgres.go,
//	ldap.go, radius.go,
//	file.go, process.go, exec.go,
//	agent.go
package probe
