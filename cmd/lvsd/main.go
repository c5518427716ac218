// Command lvsd is the daemon for the directors of a Linux Virtual Server
// cluster, and the tool to look at it.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// version is set when a release is linked: -ldflags "-X main.version=…".
var version = "development"

// Exit statuses beside 0, for scripts.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() { os.Exit(run(os.Args[1:])) }

// run is the command line, with its exit status as result.
func run(args []string) int {
	root := newRootCommand()
	root.SetArgs(longFlags(args))
	command, err := root.ExecuteC()
	if err == nil {
		return 0
	}
	if message := err.Error(); message != "" {
		fmt.Fprintln(os.Stderr, "lvsd:", message)
	}
	if status, ok := errors.AsType[exitError](err); ok {
		return status.code
	}
	fmt.Fprintf(os.Stderr, "%s --help tells what can be given.\n", command.CommandPath())
	return exitUsage
}

// longFlags lets -config be written for --config, as many daemons have it: the
// command line library would take it for seven flags of one letter.
func longFlags(args []string) []string {
	long := make([]string, len(args))
	for i, a := range args {
		if a == "-config" || strings.HasPrefix(a, "-config=") {
			a = "-" + a
		}
		long[i] = a
	}
	return long
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "lvsd",
		Short: "The daemon for the directors of a Linux Virtual Server cluster",
		Long: `lvsd keeps a pair of IPVS directors serving: it holds the virtual address on
exactly one of them by VRRP, checks every real server, and keeps the kernel's
IPVS table equal to one configuration.

  lvsd validate /etc/lvsd     look for mistakes, before anything runs
  lvsd run                    be the daemon (usually: systemctl start lvsd)
  lvsd status                 ask the running daemon how things are
  kill -HUP                   read the configuration again (systemctl reload lvsd)

The configuration is described in lvsd.hcl(5), and every option with its
default in the example reference.hcl.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(newRunCommand(), newValidateCommand(), newStatusCommand(), newVersionCommand(), newKeeperCommand())
	return root
}

// An exitError ends the program with a status of its own. An empty message
// means that everything was said already.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// failure is an error that is not the command line's.
func failure(err error) error { return exitError{exitFailure, err} }
