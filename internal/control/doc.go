// Package control shows the daemon to the outside: to lvsd status over a Unix
// socket, to Prometheus and to load balancers over HTTP, to people as a table.
//
//	director's loop ── Source ──┬─► Unix socket  GET /v1/status   JSON ──► Client ──► View
//	                            └─► TCP          GET /metrics     one Collector over one snapshot
//	                                             GET /healthz     does the loop answer?
//	                                             GET /readyz      is the table loaded?
//
// Everything is read from one snapshot, a director.Status, taken anew for each
// request: no figure is kept here, and none can differ from what the director
// works with. The HTTP side is read only. The socket is where requests that
// change something will arrive; its mode, 0660, is the permission for them.
//
// A request can't grow or delay the daemon: connections, headers, requests in
// flight and the time for each are bounded, and the loop is asked with a
// deadline.
package control
