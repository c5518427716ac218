// Package director joins the three domains into one daemon: it owns the
// daemon's state, and decides what the kernel and the keeper are told to do.
//
// A Core is told what has happened, and returns what is to be done; like the
// cores of the domains, it is pure. The only loop, in loop.go, owns the channels
// and the clock, feeds the core and carries out what it returns:
//
//	results of probes ────────►┌──────┐        ┌─► reconciler  (SetTable)
//	roles of virtual routers ─►│      │  Plan  ├─► checker     (SetTargets)
//	the machine, the table ───►│ Core ├───────►├─► keeper      (TellKeeper)
//	configuration, commands ──►│      │        ├─► events, the service manager
//	Expire at Deadline ───────►└──────┘        └─► readings, looks, the hand-over
//
// The desired state is a function of configuration, health and roles alone: weigh
// (for one server), choose (among the servers of a service) and Plan.
//
// Every file uses only files that come before it in this list:
//
//	edges.go, values.go                what the director needs of others, what it is told and wants
//	probed.go, gather.go               what is counted of a service's probes, and results that
//	                                   the core is told of together
//	advised.go, together.go            what the checks of one server advise, and say together
//	health.go, asleep.go               Healths: the state of every real server
//	conditions.go                      a watch: what virtual routers track
//	weigh.go, choose.go, verdict.go    what a server, a service has in the table, and what that means
//	tiers.go                           which servers of a service are in turn
//	leave.go                           what serves on until a changed service's first results
//	draining.go                        removed servers that keep their connections
//	forwarded.go                       what checks by the forwarding path have need of
//	several.go                         services that are several of the kernel's
//	plan.go                            Plan
//	compare.go, aspects.go, blocks.go, what a reload changes, and which interfaces it takes away
//	changes.go, deprive.go, differ.go
//	adverts.go, findings.go, rivals.go what is wrong, and what to do about it
//	certificates.go
//	rules.go                           what the packet filter does with packets of services
//	groups.go                          the state of sync groups, and what is wrong with it
//	drains.go                          servers that were removed and still serve
//	strays.go, inside.go, refused.go   virtual addresses on other interfaces, or where
//	                                   they reach nobody
//	settings.go                        the kernel's parameters
//	full.go, replies.go, lull.go,      what follows from the kernel's counters
//	suspect.go
//	readings.go                        whether the configuration is being read
//	remark.go                          a reload that changes marks
//	orders.go                          what is left of operators' orders
//	bustle.go                          many servers that change at once, in the log
//	kept_out.go                        who stays out until an operator lets it in
//	core.go                            the core's state
//	hold.go                            panic and isolation: who is silent and stays
//	overdue.go                         checks whose results do not come
//	absent.go                          what manual_resume makes of failures
//	telling.go                         connections that directors tell each other of
//	machine.go                         what the machine is like
//	describe.go, status.go             what people and programs are told
//	told.go                            what the hooks of services are told
//	outages.go                         the plan, and what it means for services
//	stake.go                           what a configuration on trial must not lose
//	start.go, reload.go                the order of a start, and reading another configuration
//	failover.go, standby.go            what operators order
//	offer.go                           what a director does that is cut off
//	handle.go                          what happens, and what follows from it
//	rehearse.go, foretell.go           what another configuration would do
//	suppose.go                         and what would be if real servers were down
//	director.go, loop.go               the channels around the loop, and the loop
//
// Everything that leaves the loop is a complete desired state, of which only the
// newest counts, so the loop never waits for the kernel, a probe or the keeper.
package director
