package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/show"
)

// exitDifferences is the exit status of commands that compare, where there are
// differences.
const exitDifferences = 4

// A proposal is what lvsd plan is asked.
type proposal struct {
	socket, path string
	output       *output
	color        *choice
}

func newPlanCommand() *cobra.Command {
	var p proposal
	c := &cobra.Command{
		Use:        "plan",
		SuggestFor: []string{"diff", "compare", "preview"},
		Short:      "Show what a reload would change",
		Long: `Shows what the running daemon would change if it read its configuration now, or,
with --config, if its configuration were another one. Nothing is changed.

Shown is what differs in what the configurations say: virtual routers with their
addresses, routes, rules and hooks, virtual services with their real servers and
checks; and the rows of the kernel's table that would be written at once, and those
that follow when new real servers have passed their checks, each with its effective
weight, why that is not the configured one, and the connections that would be cut.
The daemon works this out as it would do it, by the health of now.

The files of --config are read by this command, as whoever runs it; what they name by
file() is read by the daemon, as if they were in the place of its own files.

The exit status is 0 if nothing would change, 4 if something would, 1 if the
configuration would be refused, 2 for a mistake on the command line, 3 if no daemon
answers, and 75 if it is busy.`,
		Example: `  lvsd plan && echo nothing to do
  lvsd plan --config ./new               a file or a directory that is not in its place yet
  generate | lvsd plan --config -
  lvsd plan -o json | jq -r '.table[].ipvsadm'`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(c *cobra.Command, _ []string) error { return p.run(c) },
	}
	flags := c.Flags()
	flags.StringVar(&p.path, "config", "", "plan this file, or directory of *.hcl files, or - for standard input (default: the daemon's own files)")
	flags.StringVar(&p.socket, "socket", control.DefaultSocket, "the daemon's control socket")
	_ = c.MarkFlagFilename("socket", "sock")
	p.output, p.color = outputFlag(c), colorFlag(c)
	return c
}

// run asks for the plan, and prints it.
func (p *proposal) run(c *cobra.Command) error {
	var files []api.File
	if c.Flags().Changed("config") {
		all, err := filesOf(p.path, c.InOrStdin())
		if err != nil {
			return failure(err)
		}
		files = all
	}
	plan, err := control.Dial(p.socket).Plan(c.Context(), files)
	if err != nil {
		return answered(err)
	}
	out := c.OutOrStdout()
	if p.output.word == "json" {
		err = json.NewEncoder(out).Encode(plan)
		if err == nil && !plan.OK {
			return exitError{exitFailure, nil}
		}
	} else {
		width, colour := terminal(out, p.color.word)
		err = show.Terminal{Width: width, Color: colour}.WritePlan(out, c.ErrOrStderr(), plan)
	}
	if err == nil && plan.Differences {
		return exitError{exitDifferences, nil}
	}
	return failure(err)
}

// filesOf reads a configuration as far as its files go; "-" stands for in.
func filesOf(path string, in io.Reader) ([]api.File, error) {
	if path == "-" {
		text, err := io.ReadAll(io.LimitReader(in, config.MaxSource+1))
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		if len(text) > config.MaxSource {
			return nil, fmt.Errorf("standard input has more than the %d bytes that a configuration may have", config.MaxSource)
		}
		return []api.File{{Name: "standard input", Text: string(text)}}, nil
	}
	sources, err := config.Read(path)
	if err != nil {
		return nil, err
	}
	var all []api.File
	for _, f := range sources.Files() {
		all = append(all, api.File{Name: f.Name, Text: string(f.Text)})
	}
	return all, nil
}
