package main

import (
	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/daemon"
	"github.com/lvsd/lvsd/internal/show"
)

func newReloadCommand() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use:        "reload",
		SuggestFor: []string{"restart", "refresh"},
		Short:      "Have the running daemon read its configuration again",
		Long: `Has the running daemon read its configuration again, waits until it has, and
prints what has changed. A configuration with a mistake changes nothing: the
mistakes are printed, and the previous one keeps running. "systemctl reload
lvsd" is the same, with the outcome in the journal.

The exit status is 0 if the configuration is valid and runs now; 1 if it was
refused; 2 for a mistake on the command line; 3 if no daemon answers; and 75 if
other reloads are under way.`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, _ []string) error {
			o, err := control.Dial(socket).Reload(c.Context())
			if err != nil {
				return answered(err)
			}
			// In the journal, the daemon's own lines have each mistake.
			brief := daemon.IsJournal(c.ErrOrStderr())
			return failure(show.WriteReload(c.OutOrStdout(), c.ErrOrStderr(), o, brief))
		},
	}
	c.Flags().StringVar(&socket, "socket", control.DefaultSocket, "the daemon's control socket")
	_ = c.MarkFlagFilename("socket", "sock")
	return c
}
