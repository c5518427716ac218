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

// exitNoAnswer is the exit status of commands that found no living daemon, so
// that scripts can tell that from a mistake on the command line.
const exitNoAnswer = 3

func newStatusCommand() *cobra.Command {
	var socket, output string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the state of the running daemon",
		Long: `Shows the state of the running daemon: first what needs attention, then the
virtual routers (who is Master, since when), the virtual services with their
real servers (health, weight in the configuration and in the kernel's table,
connections, the last result of each check), and what the daemon is doing.

The exit status is 0 if the daemon answered, whatever its answer; 1 if the
answer could not be read or printed; 2 for a mistake on the command line; and 3
if no daemon answers.`,
		Example: `  lvsd status                            a table; in colour on a terminal, unless NO_COLOR is set
  lvsd status -o json | jq '.routers[] | {name, state, since}'
  watch -n1 lvsd status                  while a server is taken out or a director is stopped`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return fmt.Errorf("unknown output %q: write table or json", output)
			}
			return answered(printStatus(cmd.Context(), cmd.OutOrStdout(), socket, output == "json"))
		},
	}
	cmd.Flags().StringVar(&socket, "socket", control.DefaultSocket, "the daemon's control socket")
	cmd.Flags().StringVarP(&output, "output", "o", "table", `"table" for people, "json" for programs`)
	_ = cmd.MarkFlagFilename("socket", "sock")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// answered returns the error of asking a daemon with its exit status; nil stays
// nil.
func answered(err error) error {
	if errors.Is(err, control.ErrNoAnswer) {
		return exitError{exitNoAnswer, err}
	}
	return failure(err)
}

// printStatus asks the daemon on the socket and prints its answer: the JSON as it
// came, or a table that fits a terminal, and is plain and complete in a file or a
// pipe.
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
