// Lab runs a command where IPVS is.
//
//	go run ./integration/lab [-kernel auto|here|uml|qemu] [-mem 1G] [-timeout 10m] -- COMMAND [ARGUMENT...]
//
// There are three kernels to run it on, each in a file of its own:
//
//	here  the kernel at hand, if it has IPVS and the caller is root: the command
//	      has mount, process and network namespaces of its own
//	uml   Debian's user-mode-linux, a whole Linux as one process of the caller: it
//	      is there in 2 s and runs user code at full speed, but a system call
//	      takes 20 to 50 times as long, and it has one processor and no nft NAT
//	qemu  Debian's own kernel on a machine that qemu emulates: it is there in 10 s
//	      and has two processors and every module, but everything takes about ten
//	      times as long. integration/packages unpacks the kernel below the user's
//	      cache folder; this program must have been built with CGO_ENABLED=0
//
// Unless one is chosen it is here where that is possible, and uml elsewhere. In
// each this program is the first process, and everything that the command
// leaves behind ends with it:
//
//	lab (the caller's side)                    lab (first process, inside)
//	  choose the kernel, start it                mounts, loopback, modules
//	  write job.json  ───────────────────────►   read job.json
//	  relay output, keep the time limit          start COMMAND, reap orphans
//	  exit with its status  ◄─────────────────   write status, end the machine
//
// COMMAND finds its working directory, the Go module around it, its environment
// and its own folder as outside. On a kernel of its own the rest of the file
// system is read-only, with empty /run, /tmp, /var/lib, /var/log and /var/tmp.
// Its standard input is the caller's terminal, or empty where that is none.
// LVSD_LAB is set to the name of the kernel.
//
// The exit status is the command's; 124 if the time limit ended it, 125 if
// there is no machine to run it on.
package main
