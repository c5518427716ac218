// Package kinds tests every kind of check against the servers that people run, as
// Debian packages them. It has nothing but tests.
//
// Each file has one server, which registers itself: how it is started in the
// foreground, in a folder of its own and on a loopback address that nobody else uses,
// what a check of it passes with, and rows of checks that must fail. TestServers asks
// each while it is up, hung (SIGSTOP), well again, and stopped.
//
// `make test` runs a server of each family. `make kinds` runs all of them; one that is
// not installed is then a failure. A server's package is named in integration/packages,
// among those of its mode.
package kinds
