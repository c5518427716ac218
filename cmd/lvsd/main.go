// Command lvsd is the daemon for the directors of a Linux Virtual Server
// cluster, and the command line to it.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// version is set when a release is linked: -ldflags "-X main.version=…".
var version = "development"

// Exit statuses other than 0, for scripts.
const (
	exitFailure = 1
	exitUsage   = 2
	// exitConfig is EX_CONFIG of sysexits.h, which systemd knows by that name.
	exitConfig = 78
)

func main() {
	if status, known := byItsName(os.Args[0], os.Args[1:]); known {
		os.Exit(status)
	}
	os.Exit(run(os.Args[1:]))
}

// run runs the command line and returns its exit status.
func run(args []string) int {
	root := newRootCommand()
	root.SetArgs(args)
	command, err := root.ExecuteC()
	if err == nil {
		return 0
	}
	if message := err.Error(); message != "" {
		fmt.Fprintln(complaints(os.Stderr), "lvsd:", message)
	}
	if status, ok := errors.AsType[exitError](err); ok {
		return status.code
	}
	fmt.Fprintf(os.Stderr, "Run \"%s --help\" for usage.\n", command.CommandPath())
	if asPlugin(args) {
		return exitUnknown
	}
	return exitUsage
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "lvsd",
		Short: "The daemon for the directors of a Linux Virtual Server cluster",
		Long: `lvsd runs on each of a pair of IPVS directors. It uses VRRP to keep the virtual
addresses on exactly one of them, checks the real servers, and keeps the kernel's
IPVS table equal to one configuration.

  lvsd validate /etc/lvsd     check a configuration before the daemon reads it
  lvsd run                    run the daemon (usually: systemctl start lvsd)
  lvsd status                 ask the running daemon for its state
  lvsd plan                   show what a reload would change
  lvsd apply                  take the files, and go back by itself unless confirmed
  lvsd whatif                 show what would be if real servers were down
  lvsd config                 show configurations that ran before, and go back to one
  lvsd reload                 have the daemon read the configuration again
                              (or: systemctl reload lvsd)
  lvsd vrrp                   show all about its virtual routers
  lvsd failover               hand the virtual addresses over to another director
  lvsd standby                keep this director from being Master
  lvsd resume                 end that
  lvsd assert                 run its hooks again
  lvsd ipvs                   read and write the kernel's table, as ipvsadm does

lvsd.hcl(5) describes the configuration; the example reference.hcl lists every
option with its default.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	// cobra's own flag would need a template, and with those the linker keeps every
	// method of every type: 4 MB of program, 3 MB of memory.
	asked := root.Flags().BoolP("version", "v", false, "print the version")
	root.RunE = func(c *cobra.Command, _ []string) error {
		if !*asked {
			return c.Help()
		}
		_, err := fmt.Fprint(c.OutOrStdout(), versionLine())
		return failure(err)
	}
	root.SetHelpCommand(newHelpCommand(root))
	root.AddCommand(newRunCommand(), newValidateCommand(), newConfigCommand(), newCheckCommand(), newStatusCommand(), newPlanCommand(), newWhatIfCommand(), newApplyCommand(), newConfirmCommand(), newReloadCommand(), newVRRPCommand(), newFailoverCommand(), newStandbyCommand(), newResumeCommand(), newAssertCommand(), newIPVSCommand(),
		newRealServerCommand(),
		newDoctorCommand(),
		newImportCommand(),
		newVersionCommand(),
		newKeeperCommand(), newReadCommand(), newSpawnCommand())
	withoutPowerShell(root)
	return root
}

// newHelpCommand is cobra's own, but a command that does not exist is a mistake.
func newHelpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err == nil && len(rest) > 0 {
				err = fmt.Errorf("unknown command %q for %q", rest[0], c.CommandPath())
			}
			if err != nil {
				return err
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	}
}

// An exitError ends the program with an exit status of its own. Its err is nil
// if everything that there is to say has been printed.
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

// failure returns err as one that is not the command line's fault; nil stays nil.
func failure(err error) error {
	if err == nil {
		return nil
	}
	return exitError{exitFailure, err}
}
