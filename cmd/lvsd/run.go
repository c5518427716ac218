package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/daemon"
)

func newRunCommand() *cobra.Command {
	o := daemon.Options{Version: version}
	var logFormat, logLevel string
	c := &cobra.Command{
		Use:        "run",
		SuggestFor: []string{"start", "daemon"},
		Short:      "Run the daemon",
		Long: `Runs the daemon in the foreground, as systemd expects. It needs the capabilities
NET_ADMIN and NET_RAW, and SYS_NICE and IPC_LOCK to send adverts on time even
under load.

  SIGHUP   reads the configuration again; one with a mistake changes nothing
  SIGTERM  hands the virtual addresses over to the other director and exits
           (so does SIGINT)

With --dry-run it does everything but change something: it checks the servers,
listens to adverts, reads the kernel's table, and logs what it would write, which
addresses it would take, and which programs it would run. It sends no adverts, and
may run beside another daemon. It has a control socket only where --socket gives it
one, with which lvsd status shows what it thinks.

The exit status is 0 after SIGTERM, 78 if the configuration has a mistake, and 1
if the daemon could not start or could not continue for another reason; standard
error says why.`,
		Example: `  lvsd run
  lvsd run --dry-run --socket /tmp/dry.sock     before it takes over from another program
  lvsd run --config ./cluster.hcl --node lvs1 --state-dir ~/lvsd --socket ~/lvsd/lvsd.sock`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			log, closeLog, err := daemon.OpenLog(c.ErrOrStderr(), logFormat, logLevel)
			if err != nil {
				return err
			}
			defer closeLog()
			o.Log = log
			if o.DryRun && !c.Flags().Changed("socket") {
				o.Socket = ""
			}
			err = daemon.Run(c.Context(), o)
			invalid, ok := errors.AsType[*daemon.InvalidError](err)
			if !ok {
				return failure(err)
			}
			err = errors.Join(renderDiagnostics(c.ErrOrStderr(), invalid.Diagnostics, colorAuto), err)
			if invalid.Exceeded {
				return failure(err) // The next try may be in time.
			}
			return exitError{exitConfig, err}
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.Config, "config", daemon.DefaultConfig, "a file, or a directory whose *.hcl files are read together")
	flags.StringVar(&o.Node, "node", "", "the name of this director in the configuration (default: the host's name up to its first dot)")
	fileDirFlag(c, &o.FileDirs)
	flags.StringVar(&o.StateDir, "state-dir", daemon.DefaultStateDir, "where the daemon records which rows of the IPVS table are its own")
	flags.StringVar(&o.Socket, "socket", control.DefaultSocket, "the control socket, which lvsd status uses")
	flags.StringVar(&logFormat, "log-format", "text", "text or json")
	flags.StringVar(&logLevel, "log-level", "info", "debug, info, warn or error")
	flags.BoolVar(&o.DryRun, "dry-run", false, "change nothing and send nothing, but log what would be done")
	completeFlag(c, "node")
	completeFlag(c, "log-format", "text", "json")
	completeFlag(c, "log-level", "debug", "info", "warn", "error")
	_ = c.MarkFlagDirname("state-dir")
	return c
}

// fileDirFlag is the option that lets file() read elsewhere too. It is none of the
// configuration's, since who writes that is not to allow it to himself.
func fileDirFlag(c *cobra.Command, dirs *[]string) {
	c.Flags().StringArrayVar(dirs, "file-dir", nil, "a directory beneath which file() may read, besides the configuration's; may be repeated")
	_ = c.MarkFlagDirname("file-dir")
}
