// Package spawn starts programs that are not lvsd's own: hooks, conditions and
// checks. It is the only way in which lvsd starts one.
//
//	the director                                 lvsd spawn                      the program
//	    Spawner.Run ── command, standard input ──►  Main ── fork, execve ──────────►
//	                ◄── reply, standard output ───        ◄── output, a pipe ───────
//	                                                      ◄── its orphans ──────────
//
// Each run has a process of its own between lvsd and the program: the same binary,
// which knows nothing but this one command. It starts the program without privileges
// and without anything else of the daemon's, bounds its output, keeps its time, and is
// its descendants' subreaper (PR_SET_CHILD_SUBREAPER): whichever of them loses its
// parent becomes a child of this process, also one that called setsid or forked
// twice. So all of them can be ended, and none becomes a zombie. The director waits for
// its own children only, and could not be a subreaper: it would have to wait for
// processes that it did not start.
//
// When the director ends, the standard input of the process between ends too, and it
// kills what it started.
//
// Every file uses only files that come before it in this list:
//
//	command.go   what is to be run, and what came of it
//	trusted.go   which programs are run
//	output.go    what is kept of what a program writes
//	family.go    the program and its descendants: found, signalled, waited for
//	confine.go   what a program must not inherit
//	main.go      the process between
//	spawn.go     the director's end
package spawn
