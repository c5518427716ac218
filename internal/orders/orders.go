// Package orders keeps the signals that are orders to the daemon from ending a
// process of it that does not listen to them yet.
//
// A Go program that is sent SIGHUP or SIGTERM ends, until it asks for them. The
// daemon's processes ask while their packages are initialized: this one right after
// os/signal, since it imports nothing that comes later. Before that comes the start of
// Go's runtime, some two milliseconds. Where the program is linked to begin with
// lvsd_entry (entry_amd64.s, entry_arm64.s), a daemon ignores SIGHUP from its first
// instructions on, and nothing is lost by that, since it reads its configuration
// later; Go's runtime goes on to ignore it until it is asked for. SIGTERM ends the
// process then, as it should.
//
// The same instructions turn huge pages off for the daemon and what it starts. Where
// the kernel gives them to everybody, as Debian's does, 2 MB in place of some 4 kB are
// 4 MB in this process and 2.5 in the keeper (measured). Set any later, it would not
// reach the memory that Go's runtime begins with.
package orders

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// Read is the command that reads a configuration for the daemon.
const Read = "read-config"

// Spawn is the command that runs a program for the daemon.
const Spawn = "spawn"

// signals are the orders: to read the configuration again, and to end.
var signals = []os.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT}

// early receives what comes before the process listens. It is made while this
// package is initialized: the others take milliseconds.
var early = func() chan os.Signal {
	c := make(chan os.Signal, 64)
	if len(os.Args) > 1 && slices.Contains([]string{"run", "keeper", Read, Spawn}, os.Args[1]) {
		signal.Notify(c, signals...)
	}
	return c
}()

// End reports whether an order to end came early. One to read the configuration
// needs nothing: that is read later.
func End() bool {
	for {
		select {
		case s := <-early:
			if s != syscall.SIGHUP {
				early <- s // for whoever asks next
				return true
			}
		default:
			return false
		}
	}
}
