package main

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/show"
)

const (
	// exitNoAnswer is the exit status of commands that found no living daemon, so
	// that scripts can tell that from a mistake on the command line.
	exitNoAnswer = 3
	// exitBusy is EX_TEMPFAIL of sysexits.h: a daemon runs, and is to be asked again.
	exitBusy = 75
	// exitUnknown is that of a monitoring plugin that knows nothing.
	exitUnknown = 3
)

// A query is what lvsd status is asked.
type query struct {
	socket   string
	output   *output
	color    *choice
	services []string
	problems bool
	exitCode bool
}

func newStatusCommand() *cobra.Command {
	var q query
	cmd := &cobra.Command{
		Use:        "status [SERVICE...]",
		SuggestFor: []string{"show", "list", "state", "problems"},
		Short:      "Show the state of the running daemon",
		Long: `Shows the state of the running daemon: first what needs attention, then the
virtual routers (who is Master, since when), the virtual services with their
real servers (health, weight in the configuration and in the kernel's table,
connections, the last result of each check), and what the daemon is doing.
With names of virtual services, shows only these.

The exit status is 0 if the daemon answered, whatever its answer; 1 if the
answer could not be read or printed, or has no such service; 2 for a mistake on
the command line; 3 if no daemon answers; and 75 if it is busy. With --exit-code,
it is that of a monitoring plugin: 0 if nothing is wrong, 1 for warnings, 2 if
something has failed or clients are not served, and 3 if that is not known.`,
		Example: `  lvsd status                            in colour on a terminal, unless NO_COLOR is set
  lvsd status -o wide | grep down        each real server with its service's name
  lvsd status -o json | jq '.routers[] | {name, state, since}'
  lvsd status --problems --exit-code     for monitoring
  watch -cn1 lvsd status --color web     while a server is taken out or a director is stopped`,
		ValidArgsFunction: completeServices(&q.socket),
		RunE: func(cmd *cobra.Command, names []string) error {
			q.services = names
			status, err := q.print(cmd)
			switch {
			case err != nil && q.exitCode:
				return exitError{exitUnknown, err}
			case err != nil:
				return answered(err)
			case q.exitCode && status != 0:
				return exitError{status, nil}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&q.socket, "socket", control.DefaultSocket, "the daemon's control socket")
	flags.BoolVar(&q.problems, "problems", false, "show only what is wrong")
	flags.BoolVar(&q.exitCode, "exit-code", false, "exit with 0 (fine), 1 (warning), 2 (critical) or 3 (unknown), like a monitoring plugin")
	q.output, q.color = outputFlag(cmd, "wide"), colorFlag(cmd)
	_ = cmd.MarkFlagFilename("socket", "sock")
	return cmd
}

// answered returns the error of asking a daemon with its exit status; nil stays
// nil.
func answered(err error) error {
	switch {
	case errors.Is(err, control.ErrNoAnswer):
		return exitError{exitNoAnswer, err}
	case errors.Is(err, control.ErrBusy):
		return exitError{exitBusy, err}
	default:
		return failure(err)
	}
}

// print asks the daemon on the socket, prints its answer, and returns how bad that
// is, as the exit status of a plugin. JSON is as it came if all of it is asked for.
// Tables fit their terminal, and are plain and complete in a file or a pipe.
func (q *query) print(cmd *cobra.Command) (status int, err error) {
	client, out := control.Dial(q.socket), cmd.OutOrStdout()
	part := q.problems || len(q.services) > 0
	if q.output.word == "json" && !part && !q.exitCode {
		body, err := client.StatusJSON(cmd.Context())
		if err == nil {
			_, err = out.Write(body)
		}
		return 0, err
	}
	st, err := client.Status(cmd.Context())
	if err != nil {
		return 0, err
	}
	if len(q.services) > 0 {
		if err := show.Select(st, q.services); err != nil {
			return 0, err
		}
	}
	width, colour := terminal(out, q.color.word)
	on := show.Terminal{Width: width, Color: colour}
	if q.output.word == "wide" {
		on.Width, on.Wide = 0, true
	}
	switch {
	case q.output.word == "json":
		if q.problems {
			show.Problems(st)
		}
		err = json.NewEncoder(out).Encode(st)
	case q.problems:
		err = on.WriteProblems(out, st)
	case part:
		err = on.WritePart(out, st)
	default:
		err = on.WriteStatus(out, st)
	}
	return show.Plugin(st.Findings), err
}

// asPlugin reports whether a command line asks for the exit statuses of a
// monitoring plugin. It may be one that could not be read.
func asPlugin(args []string) bool {
	return slices.Contains(args, "status") && slices.Contains(args, "--exit-code")
}
