// Package checker decides when real servers are probed and what the results
// mean for their health. It opens no socket: package probe does, behind the
// interface Prober.
//
//	Set(targets)
//	     │
//	┌────▼─────┐  due, and a place is free   ┌──────────┐
//	│ schedule ├────────────────────────────►│ ProbeFunc│ one goroutine
//	│  (heap)  │◄────────────────────────────┤          │ a probe in flight
//	└──────────┘        probe ended          └────┬─────┘
//	                                              │ report(Target, Result)
//	┌──────────┐       one Health for each        ▼
//	│  Health  │◄── server in each service ── the director
//	└──────────┘
//
// A Target is one distinct probe, shared by all servers that need it. Its Spec is
// compiled when the targets are set, once for all targets that have the same. Its
// first probe is due at once. Later probes start on a fixed grid, whose phase is
// a hash of the target: this spreads 10,000 targets over their interval, and a
// slow probe does not delay the next one. Few targets share places on it, so that
// one wake-up begins many probes. A target never has two probes in
// flight; between probes, it costs an entry in a heap and no goroutine.
//
// The Pace of a target says how often it is probed while its results are being
// counted, and while it is down. It has the rise and fall by which they are counted.
//
// Without that, after a refused connection, a target is probed again sooner than its
// grid says, up to ten times in a row. The target counts these refusals itself.
// Whether a server is up is decided by a Health for each server that shares the
// target, with its own rise and fall.
//
// A Prober that is an Engine asks many targets at once: it is given a batch of
// questions in the place of a goroutine for each probe. What it leaves undecided is run
// as any other probe, in what is left of its timeout, so its silence is nobody's
// failure. It is not asked about a target that was silent the last time, and
// for a while not about one that it did not hear three times in a row though the
// probe passed.
//
// While the largest allowed number of probes is in flight, other probes wait; the
// one that has been due longest goes first. Its timeout starts when the probe
// does. Stats counts how long probes waited.
//
// A Result is Passed, Failed or NotRun. NotRun means that this director could
// not run the probe. It does not change a Health in either direction: a director
// that has no route must not conclude that all servers are dead.
//
// Every file uses only files that come before it in this list:
//
//	via.go, spec.go, status.go, words.go,     what all kinds have in common
//	expect.go, tls.go
//	login.go
//	tcp.go, udp.go, http.go, grpc.go,         what is probed, by each kind
//	ping.go, redis.go, memcached.go, sql.go,
//	ldapfilter.go, ldap.go, radius.go,
//	dns.go, channel.go, smtp.go, mailbox.go,
//	ftp.go, nntp.go, sip.go, ntp.go,
//	advice.go, agent.go, local.go, day.go,
//	reason.go, target.go
//	health.go, rule.go                        what results mean
//	stats.go, trust.go, grid.go,              what is due when
//	schedule.go, hurry.go, rate.go
//	prober.go                                 who probes
//	checker.go                                the loop
package checker
