// Package vrrp decides which director holds the virtual addresses: VRRP
// version 3 (RFC 9568, which calls a Master "Active") and version 2 (RFC
// 3768), over IPv4 and IPv6.
//
// Every file uses only files that come before it in this list:
//
//	packet.go, auth.go, trailer.go,        values: the codec of adverts, what tells
//	condition.go, timing.go, route.go,     them from others', what is configured and
//	offer.go, clearance.go, vrrp.go        what is reported
//	times.go, pace.go, election.go         parts of a router: each knows one
//	                                       thing, and has timers of its own
//	holdings.go, actions.go, edge.go       what a router asks for, and the kernel does
//	desired.go                             what the director asks for
//	handover.go, announcements.go,         more of its parts
//	stall.go, rivals.go, seniority.go, guard.go,
//	peers.go, claims.go, departure.go
//	router.go, master.go, question.go,     a Router: the state machine of one virtual
//	backup.go, source.go, accept.go,       router. It takes the time as an argument
//	lifecycle.go, status.go, led.go        and returns the work to do
//	group.go                               what a group wants of the routers in it
//	presence.go, job.go, renewal.go,       the loop that adds and removes a Master's
//	worker.go                              addresses, routes and rules
//	session.go, owners.go, agenda.go,      a Session: the loop that runs Routers and
//	leftover.go, member.go, together.go,   their groups, and evaluates their Conditions
//	report.go, interfaces.go, loop.go
//
// Package link makes the system calls.
//
//	                 Startup                    Master_Down, or the end of
//	+------------+ ---------> +--------------+  the preemption delay  +--------------+
//	| Initialize |            |    Backup    | ---------------------> |    Master    |
//	|            | <--------- |              | <--------------------- |              |
//	+------------+   Stop     +--------------+    better advert       +--------------+
//	      ^          Fault                                               |   |    ^
//	      |                              Stop, Fault: priority 0, once   |   +----+
//	      +--------------------------------------------------------------+  any other advert:
//	                                                                        advert at once
//
// # Where it goes beyond the RFCs
//
// Leaving. A Master that stops sends one advert with priority 0. It keeps the
// addresses until 50 ms after its successor's first advert, or for four of its
// intervals if there is no successor. A Master that receives a better advert also
// keeps them for 50 ms. The reason is that no packets are lost while two
// directors hold an address, but packets are lost while none does. Addresses can
// therefore be held in Initialize and in Backup; a timer or the advert of another
// Master ends that. Startup cancels a hand-over that nobody has answered yet.
//
// Offering. A Master that an operator orders to offer its role advertises priority 0
// once, sends nothing more, and keeps the addresses. On the first advert of another
// Master, whatever its priority, it becomes Backup and lets the addresses go after
// 50 ms. If none comes within Master_Down, it goes on as Master, and nothing was lost;
// or it becomes Backup all the same, if that was ordered.
//
// Questions. By option a Backup asks its director before it becomes Master in the place of
// one that fell silent, and a Master before it leaves by plan; each waits for the answer,
// for a time. A Backup that waits has sent nothing and has no addresses, and any advert ends
// its waiting, as does a stall; a Master goes on meanwhile. Nobody asks where a Master
// leaves with priority 0, is preempted, or is gone from the network. The routers of a group
// ask together, and all wait; where one joins them, all ask anew. A Backup that was refused
// asks again after ten seconds, if a refusal counts.
//
// Losing the source. A router whose interface has lost only the address to send
// adverts from goes on for a second, sending from that address, and then leaves as
// at a stop. With peers, whose adverts then no longer reach it, it goes on for two
// intervals at most, and lets the addresses go at once.
//
// Missed adverts. Master_Down has three intervals and the skew, as the RFC says, or as
// many as are configured. The adverts do not carry the number.
//
// Stalls. A Master whose last advert is three intervals old, or as many as make its own
// Master_Down if that are fewer, cannot know what has
// happened since, because that is the shortest time after which a backup takes
// over. It sends nothing and listens: for an eighth of an interval, which is
// enough to read what has arrived, or for one and a quarter intervals if a backup
// must have taken over and its adverts may have been lost. On any advert it
// becomes Backup and releases the addresses at once; if it receives none, it
// sends adverts and announces the addresses again. A Backup that wakes more than
// an eighth of an interval after its timer has expired listens in the same way
// before it takes over.
//
// Late adverts. A Backup tells, at most once a minute, that the Master which it follows
// has let half of Master_Down pass without an advert, and counts how often. That
// changes nothing else. An interval that is not believed yet counts.
//
// Other Masters. A Master answers a worse advert with one advert of its own at
// once, as RFC 9568 prescribes. It sends at most one such answer for each advert
// that it receives, and at most four between two of its regular adverts. It then
// announces the addresses again, at most once a second, and reports the other
// Master in the log, at most once an hour.
//
// Masters that are not understood. A Backup does not take over while adverts
// arrive that are refused only for their version or their authentication, from a
// source whose adverts would be accepted, with one of its addresses, and somebody
// else answers for that address: it asks three times, 100 ms apart, and again
// each second. Such adverts count for Master_Down, or by their own interval if that is
// longer, but then for ten of our intervals at most. Without them nobody is asked,
// and nothing is put off. A question that cannot be sent counts as answered. A Master
// does not give way to such adverts. A router that accepts only adverts that are
// signed with its keys stands aside for no others: anybody could have sent them.
//
// Masters that do not hear each other. A Master asks in the same way every 30 s who
// else has its addresses, and looks at what ARP and neighbour discovery tell of
// them by themselves. It begins when the lease of a predecessor that died is over,
// and only reports what it finds: another Master, or a real server that answers
// for a virtual address. It asks for that one every 3 s, until three questions in a
// row go unanswered. Whoever told of it without ever answering counts for 90 s.
//
// Equal priority. The higher source address wins, even between two owners.
//
// Preemption. Without a delay, a Backup ignores worse adverts and takes over when
// its timer expires (RFC 9568 section 6.4.2). With a delay, it follows the worse
// Master until the delay, counted from that Master's first advert, is over; it
// never takes over sooner than without a delay. If that Master leaves or dies in
// the meantime, it is replaced as usual. An owner always preempts, without delay.
//
// Seniority. A Master without preemption that has heard nobody since it started, or its
// link came up, answers a worse Master once and then listens; if that one goes on, it
// becomes Backup. A Master without preemption that took over longer than Master_Down
// ago asserts itself for two intervals against a better one.
//
// Links. Without having heard anybody, a Backup does not become Master for a time that
// is configured after its link came up.
//
// Groups. The routers of a group move together. None becomes Master before all of them
// would; as soon as one of them hears a better Master, all are Backup; and what one
// lacks, all lack. What each has to do follows from how all of them stand now, not from
// what happened. A Master of one router that leaves with priority 0 is taken for gone
// in the others too, as soon as its next advert is overdue there.
//
// Disagreement. An advert with different addresses or a different interval is
// accepted, counted and reported. In version 2, RFC 3768 would discard it, but
// then a mistake in a file would lead to two Masters.
//
// Single packets. One forged or mistaken packet changes as little as VRRP allows.
// A Backup adopts an interval other than its own from the second advert that came
// at that pace. After the first one it waits for that interval and the skew: at
// least Master_Down, and at most ten of its own intervals and the skew. While it
// follows another Master, one advert of a stranger does not change its patience. It
// ignores a worse router than the Master that it follows, which will answer that
// one, unless the Master is overdue. Priority 0 counts only from the Master that it
// follows.
//
// Checksums of version 3 over IPv4 are accepted with and without the
// pseudo-header, and are sent in the form that was last received.
package vrrp
