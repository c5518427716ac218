// Package control lets programs ask the daemon: the server of the control socket
// with its client, and the HTTP server for monitoring.
//
//	director's loop ── Source ──┬─► Unix socket  GET /v1/status  JSON ──► Client
//	                            └─► TCP          GET /metrics    package metrics
//	                                             GET /healthz    does the loop answer?
//	                                             GET /readyz     is the table loaded?
//
// Every request asks the director's loop anew, with a deadline; nothing is kept
// here. The HTTP side is read only. Requests that change something belong on the
// socket, whose mode, 0660, is the permission for them.
//
// A request cannot grow or delay the daemon: connections, headers, requests in
// flight and the time for each are bounded.
package control
