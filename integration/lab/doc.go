// Lab runs a command on a kernel that has IPVS.
//
//	go run ./integration/lab [-kernel auto|here|uml|qemu] [-mem 1G] [-timeout 10m] -- COMMAND [ARGUMENT...]
//
// There are three kernels to choose from, each with a file of its own:
//
//	here  the current kernel, if it has IPVS and the caller is root: the command
//	      gets mount, process and network namespaces of its own
//	uml   Debian's user-mode-linux, a whole Linux in one process of the caller: it
//	      starts in 2 s and runs user code at full speed, but a system call takes
//	      20 to 50 times as long, and it has no nft NAT and one processor, of this
//	      machine's one that no other has
//	qemu  Debian's own kernel on a machine that qemu emulates: it starts in 10 s
//	      and has two processors and all modules, but everything takes about ten
//	      times as long. integration/packages unpacks the kernel into the user's
//	      cache directory; this program must have been built with CGO_ENABLED=0
//
// The default is here if that is possible, and uml otherwise. In each of them,
// this program is the first process, so everything that the command leaves behind
// ends with it:
//
//	lab (the caller's side)                    lab (first process, inside)
//	  choose the kernel, start it                mounts, loopback, modules
//	  write job.json  ───────────────────────►   read job.json
//	  relay output, keep the time limit          start COMMAND, reap orphans
//	  exit with its status  ◄─────────────────   write status, end the machine
//
// COMMAND has the same environment and working directory as outside, and sees the
// directory of its own program. With uml and qemu, the file system is read-only
// except for the Go module around the working directory, and /run, /tmp, /var/lib,
// /var/log and /var/tmp are empty. Its standard input is the caller's terminal, or
// empty if the caller has none. LVSD_LAB is set to the name of the kernel.
//
// The exit status is that of the command; 124 if the time limit ended it, and 125
// if there is no machine to run it on.
package main
