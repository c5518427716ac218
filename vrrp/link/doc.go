// Package link makes every system call that VRRP needs: raw sockets for the
// adverts, addresses on interfaces, gratuitous ARP, unsolicited neighbour
// advertisements, and events of interfaces.
//
//	netlink events ─► Run: table of interfaces ─► view ─► Interfaces, Send, Receive   (the loop of the routers)
//	Listen, Watch ───►    sockets opened and closed ┘     Claims, Ask
//	                                                view ─► Hold, Release, Announce   (its worker)
//
// Only Run opens sockets, because joining a multicast group waits for the
// kernel's lock on all interfaces, which other processes may hold for a long time.
// Run publishes what it knows as one immutable view, so that the loop that sends
// the adverts never waits.
//
// Every file uses only files that come before it in this list:
//
//	frames.go                  what is said by ARP and neighbour discovery
//	filter.go                  which packets the kernel lets through
//	device.go, parameter.go    the interfaces, and the kernel's parameters for them
//	census.go                  which routes the kernel has
//	request.go                 what it is asked for: addresses added, leases renewed
//	events.go                  what it tells of interfaces
//	batch.go, socket.go        raw sockets
//	neighbours.go              who else has an address
//	arrivals.go, inbox.go      which of them have something to read
//	alarm.go                   what time it is for the loop of the routers
//	link.go                    the view, and what the loop of the routers asks
//	macvlan.go                 the devices of virtual MACs
//	accept.go                  which packets for the director itself are dropped
//	address.go, rule.go,       what their worker asks
//	route.go, holdings.go, announce.go
//	watch.go                   Run
//	question.go                who answers for an address, asked once
//	dry.go                     a Link that changes nothing
//
// A Link belongs to the network namespace in which it was made.
package link
