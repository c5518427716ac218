// Package vrrp decides which director holds the virtual addresses: VRRP
// version 3 (RFC 9568, which calls a Master "Active") and version 2 (RFC
// 3768), over IPv4 and IPv6.
//
// Decode and Advert.Append are the codec. A Router is the state machine of one
// virtual router: it takes the time as an argument and returns the work to do. It
// is composed of parts that each have their own timers: election.go,
// handover.go, announcements.go, stall.go, rivals.go. A Session runs Routers and
// judges their Conditions; it is the only loop here, beside the worker that makes
// the kernel agree with a Master's Holdings. System calls are in the package link.
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
// Leaving. A Master that stops says so once, with priority 0, and keeps the
// addresses until 50 ms after its successor's first advert, or for four of
// its intervals where none comes. A Master that meets a better one keeps them
// 50 ms too. Nothing is lost while two directors hold an address, but packets are
// lost while none does. So addresses may be held in Initialize and in Backup;
// there a timer, or another Master's advert, ends it. Startup calls off a
// hand-over that nobody has answered yet.
//
// Stalls. A Master whose last advert is three intervals old, the least that a
// backup waits, does not know what happened meanwhile. It sends nothing and
// listens: for an eighth of an interval, enough to read what has arrived, or for
// five quarters where a backup must have taken over and its adverts may be lost.
// Any advert makes it a Backup that releases the addresses at once; after silence
// it advertises and announces again. A Backup that wakes later than an eighth of
// an interval after its timer listens in the same way before it takes over.
//
// Other Masters. A worse advert is answered by one advert at once, as RFC 9568
// has it, so that there is never more than one for one received, and never
// more than four between two of its own. Addresses are announced again after
// such a meeting, at most once a second, and the log names the other Master, at
// most once an hour.
//
// Equal priority: the higher source address wins, also between two owners.
//
// Preemption. Without a delay, a Backup ignores worse adverts and takes over
// when its timer ends (RFC 9568 section 6.4.2). With one, it follows the worse
// Master until the delay is over, counted from its first advert, and never
// takes over sooner than without. A Master that leaves or dies meanwhile is
// replaced as usual. An owner always preempts, without a delay.
//
// Disagreement. An advert with other addresses or another interval is
// followed, counted and reported, also in version 2, where RFC 3768 would discard
// it: then a slip in a file would make two Masters. A Backup follows the interval
// of its Master.
//
// Checksums of version 3 over IPv4 are accepted with and without the
// pseudo-header, and sent in the form that was heard last.
package vrrp
