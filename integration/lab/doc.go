// Lab runs a command where IPVS is.
//
//	go run ./integration/lab [-mem 1G] [-timeout 10m] -- COMMAND [ARGUMENT...]
//
// Where the kernel at hand has IPVS and the caller is root, the command runs on
// it, in mount, process and network namespaces of its own. Elsewhere it runs in
// Debian's user-mode-linux: a whole Linux as one process of the caller, with
// the same file system. Either way this program is the first process in there,
// and everything that the command leaves behind ends with it:
//
//	lab (the caller's side)                    lab (first process, inside)
//	  decide: here or user-mode Linux            mounts, loopback, modules
//	  write job.json  ───────────────────────►   read job.json
//	  relay output, keep the time limit          start COMMAND, reap orphans
//	  exit with its status  ◄─────────────────   write status, end the machine
//
// COMMAND finds its working directory, the Go module around it, its environment
// and its own folder as outside; the rest of the file system is read-only in user-mode Linux, with
// empty /run, /tmp, /var/lib, /var/log and /var/tmp. Its standard input is the
// caller's terminal, or empty where that is none. LVSD_LAB is set, to "here" or
// "uml".
//
// The exit status is the command's; 124 if the time limit ended it, 125 if
// there is no machine to run it on.
package main
