package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/show"
)

// exitNoAnswer is the exit code of commands that found no living daemon, so
// that scripts can tell it from a mistake in the call.
const exitNoAnswer = 3

func newStatusCommand() *cobra.Command {
	var socket, output string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what the running daemon does",
		Long: `Show what the running daemon does: what needs attention first, then the virtual
routers (who is Master, since when), the virtual services with their real
servers (health, weight as configured and as in the kernel's table, connections,
the last result of each check), and what the daemon is busy with.

Exit codes:
  0  the daemon answered, whatever it had to say
  1  the daemon's answer could not be had or printed
  2  something is wrong with the call
  3  no daemon answers`,
		Example: `  lvsd status                            a table; colour only on a terminal and without NO_COLOR
  lvsd status -o json | jq '.routers[] | {name, state, since}'
  watch -n1 lvsd status                  while a server is taken out or a director is stopped`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return fmt.Errorf("unknown output %q: write table or json", output)
			}
			err := printStatus(cmd.Context(), cmd.OutOrStdout(), socket, output == "json")
			switch {
			case err == nil:
				return nil
			case errors.Is(err, control.ErrNoAnswer):
				return exitError{exitNoAnswer, err}
			default:
				return failure(err)
			}
		},
	}
	cmd.Flags().StringVar(&socket, "socket", control.DefaultSocket, "the daemon's control socket")
	cmd.Flags().StringVarP(&output, "output", "o", "table", `"table" for people, "json" for programs`)
	_ = cmd.MarkFlagFilename("socket", "sock")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// printStatus asks the daemon on the socket and prints its answer: as a table,
// which fits a terminal and is plain and whole in a file or a pipe, or the JSON
// as it came.
func printStatus(ctx context.Context, out io.Writer, socket string, asJSON bool) error {
	client := control.Dial(socket)
	if asJSON {
		body, err := client.StatusJSON(ctx)
		if err != nil {
			return err
		}
		_, err = out.Write(body)
		return err
	}
	st, err := client.Status(ctx)
	if err != nil {
		return err
	}
	width, colour := terminal(out)
	return show.Terminal{Width: width, Color: colour}.WriteStatus(out, st)
}
