// Package link makes every system call that VRRP needs: raw sockets for the
// adverts, addresses on interfaces, gratuitous ARP and unsolicited neighbour
// advertisements, and the watch on interfaces.
//
//	netlink events ─► Run: table of interfaces ─► view ─► Interfaces, Send, Receive   (the loop of the routers)
//	Listen ──────────►    sockets opened and closed ┘
//	                                                view ─► Hold, Release, Announce   (its worker)
//
// Only Run opens sockets, since joining a group waits for the kernel's lock on
// all interfaces, which others may hold for long. What it knows it publishes as
// one immutable view, so the loop that sends the adverts waits for nobody.
//
// A Link belongs to the network namespace in which it was made.
package link
