// Package control is how programs query the daemon: the control socket, with its
// server and its client, and the HTTP server for monitoring.
//
//	director's loop ── Source ──┬─► Unix socket  GET /v1/status  JSON ──► Client
//	                            │                POST /v1/reload, /v1/apply, /v1/confirm, /v1/plan, /v1/whatif,
//	                            │                     /v1/failover, /v1/standby, /v1/resume, /v1/assert
//	                            └─► TCP          GET /metrics    package metrics
//	                                             GET /healthz    does the loop answer?
//	                                             GET /readyz     is the table loaded?
//
// Each request asks the director's loop, with a deadline; nothing is cached here.
// HTTP is read-only. Requests that change anything belong on the control socket,
// because its mode, 0660, determines who may send them.
//
// A request cannot delay the daemon or make it grow: the number of connections,
// the size of headers, the requests in flight and the time for each are bounded.
//
// Every file uses only files that come before it in this list:
//
//	bounds.go                 what bounds clients
//	control.go                a Server of one listener, and its Source
//	http.go, monitoring.go    HTTP for monitoring
//	peer.go                   who is at the other end of a connection
//	orders.go                 what is ordered there, and by whom
//	socket.go                 the control socket
//	client.go                 its other end, and the process that listens there
package control
