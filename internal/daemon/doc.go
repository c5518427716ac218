// Package daemon builds lvsd out of its parts and runs it: it reads the
// configuration, opens the edges to the kernel, hands them to the director,
// and serves the control socket until it is stopped by a signal.
//
// The director and the domains decide what the daemon does. This package has only
// what a process needs around them: signals, the service manager, the log, files,
// locks and sockets.
//
// Every file uses only files that come before it in this list:
//
//	events.go, journal.go, log.go    the log
//	options.go                       what it is started with
//	capabilities.go                  what it needs of root
//	processors.go                    on how many processors it runs
//	alone.go, edges.go, standby.go,  one daemon for each table, its edges, and what
//	kept_out.go, signed.go,          outlives it
//	leftover.go, owner.go
//	keys.go, config.go               reading the configuration, and keys
//	history.go, restore.go, trial.go configurations that were accepted before, and on trial
//	programs.go, forwarder.go        starting programs, and how the kernel forwards
//	explain.go                       checks that are run once
//	dry.go                           what changes nothing
//	memory.go                        what memory it keeps
//	daemon.go                        Run
//	realserver.go                    this machine as a real server
//	doctor.go                        this machine examined
package daemon
