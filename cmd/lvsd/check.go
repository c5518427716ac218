package main

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/daemon"
	"github.com/lvsd/lvsd/internal/show"
)

// An inquiry is what lvsd check is asked.
type inquiry struct {
	daemon.Options
	output *output
	color  *choice
}

func newCheckCommand() *cobra.Command {
	var q inquiry
	socket := control.DefaultSocket
	c := &cobra.Command{
		Use:        "check SERVICE [SERVER]",
		SuggestFor: []string{"probe", "explain", "why"},
		Short:      "Check real servers now, and explain what was seen",
		Long: `Runs the checks of a virtual service's real servers once, or of one of them (by
its name or its address), as the configuration says. Prints step by step what
each saw: where its packets went and from where, TLS and the certificates, what
the server answered, when, and why that passes or not.

The running daemon is not asked, and does not count the results; none need run,
but for a check with forwarded in its via block: that takes the service which
the daemon has made for it in the kernel's table, and CAP_NET_ADMIN.
What is sent is not printed, since it may hold a password. A check that starts
a program does so as whoever runs this command.

The exit status is 0 if all checks passed, 1 if one did not or the configuration
is not valid, and 2 for a mistake on the command line.`,
		Example: `  lvsd check web                 all real servers of the virtual service web
  lvsd check web compute-0-0     one of them
  lvsd check web 192.168.1.4     the same, by its address
  lvsd check web -o json | jq '.checks[] | select(.last.outcome != "passed")'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return errors.New("give the name of a virtual service, and, to ask one of its real servers, its name or address (lvsd validate checks a configuration)")
			}
			return nil
		},
		ValidArgsFunction: completeServiceAndServer(&socket),
		RunE:              func(c *cobra.Command, args []string) error { return q.run(c, args) },
	}
	flags := c.Flags()
	flags.StringVar(&q.Config, "config", daemon.DefaultConfig, "the configuration: a file, or a directory of *.hcl files")
	flags.StringVar(&q.Node, "node", "", "read it as the director of this name (default: the host's name up to its first dot)")
	fileDirFlag(c, &q.FileDirs)
	completeFlag(c, "node")
	q.output, q.color = outputFlag(c), colorFlag(c)
	return c
}

// run checks, and prints what was seen.
func (q *inquiry) run(c *cobra.Command, args []string) error {
	server := ""
	if len(args) == 2 {
		server = args[1]
	}
	all, err := daemon.Check(c.Context(), q.Options, args[0], server)
	if invalid := (*daemon.InvalidError)(nil); errors.As(err, &invalid) {
		if err := renderDiagnostics(c.ErrOrStderr(), config.Diagnostics(invalid.Diagnostics), q.color.word); err != nil {
			return failure(err)
		}
	}
	if err != nil {
		return failure(err)
	}
	out := c.OutOrStdout()
	if q.output.word == "json" {
		if err := json.NewEncoder(out).Encode(all); err != nil {
			return failure(err)
		}
	} else {
		width, colour := terminal(out, q.color.word)
		show.Terminal{Width: width, Color: colour}.WriteChecked(out, all)
	}
	if !all.Passed {
		return exitError{exitFailure, nil}
	}
	return nil
}
