package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/daemon"
	"github.com/lvsd/lvsd/internal/show"
)

// defaultStateDir is the state directory unless another one is given.
const defaultStateDir = "/var/lib/lvsd"

func newConfigCommand() *cobra.Command {
	c := &cobra.Command{
		Use:        "config",
		SuggestFor: []string{"history", "rollback", "undo"},
		Short:      "Show configurations that ran before, and go back to one",
		Long: `The daemon keeps the files of the last ten configurations that it has accepted in
its state directory, at its start and at each reload that changes something. What
these files read by file(), keys and certificates are not kept.

These commands read that directory themselves, so they work without a daemon, and
for root and the daemon's user.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown command %q: write history, show or rollback", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newHistoryCommand(), newShowCommand(), newRollbackCommand())
	return c
}

// stateDirFlag is the option with the state directory.
func stateDirFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "state-dir", defaultStateDir, "the daemon's state directory")
	_ = c.MarkFlagDirname("state-dir")
}

func newHistoryCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "history",
		Short: "List the configurations that are kept",
		Long: `Lists the configurations that are kept, the newest first: their numbers, when they
were accepted, and their files. The newest is the one that runs, unless lvsd was
stopped since.

The exit status is 0, 1 if they cannot be read, and 2 for a mistake on the command
line.`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	stateDirFlag(c, &dir)
	output := outputFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		all, err := daemon.History(dir)
		if err != nil {
			return failure(err)
		}
		if output.word == "json" {
			return failure(json.NewEncoder(c.OutOrStdout()).Encode(map[string]any{"schema_version": show.SchemaVersion, "configurations": all}))
		}
		width, colour := terminal(c.OutOrStdout(), colorAuto)
		return failure(show.Terminal{Width: width, Color: colour}.WriteHistory(c.OutOrStdout(), all))
	}
	return c
}

func newShowCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "show [NUMBER]",
		Short: "Print the files of a configuration that is kept",
		Long: `Prints the files of the configuration with this number, or of the newest; where there
are several, each after a comment with its path.

The exit status is 0, 1 if there is no such configuration or it cannot be read, and
2 for a mistake on the command line.`,
		Example:           `  lvsd config show 41 | diff -u - /etc/lvsd/lvsd.hcl`,
		Args:              numberArgs(0),
		ValidArgsFunction: completeKept(&dir),
	}
	stateDirFlag(c, &dir)
	output := outputFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		kept, err := keptConfiguration(dir, args)
		if err != nil {
			return failure(err)
		}
		if output.word == "json" {
			return failure(json.NewEncoder(c.OutOrStdout()).Encode(kept))
		}
		return failure(show.WriteConfiguration(c.OutOrStdout(), &kept))
	}
	return c
}

// numberArgs takes the number of a configuration, of which there must be so many.
func numberArgs(least int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < least || len(args) > 1 {
			return errors.New("give one number, as lvsd config history lists them")
		}
		for _, arg := range args {
			if n, err := strconv.ParseUint(arg, 10, 63); err != nil || n == 0 {
				return fmt.Errorf("%q is no number of a configuration: give one, as lvsd config history lists them", arg)
			}
		}
		return nil
	}
}

// keptConfiguration returns the configuration with the number that was given, or the newest.
func keptConfiguration(dir string, args []string) (api.Configuration, error) {
	number := uint64(0)
	if len(args) > 0 {
		number, _ = strconv.ParseUint(args[0], 10, 63) // It was checked.
	}
	return daemon.Kept(dir, number)
}

// completeKept completes the numbers of configurations.
func completeKept(dir *string) cobra.CompletionFunc {
	return func(_ *cobra.Command, given []string, _ string) (numbers []string, _ cobra.ShellCompDirective) {
		all, err := daemon.History(*dir)
		for i := range all {
			if err == nil && len(given) == 0 {
				numbers = append(numbers, fmt.Sprint(all[i].Number))
			}
		}
		return numbers, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// A rollback is what lvsd config rollback is asked.
type rollback struct {
	path, dir, socket string
	output            *output
}

func newRollbackCommand() *cobra.Command {
	var r rollback
	c := &cobra.Command{
		Use:   "rollback NUMBER",
		Short: "Put the files of a configuration back, and reload",
		Long: `Puts the files of the configuration with this number back in their place, and has the
running daemon read them. Each file is replaced as a whole, and none is if one
cannot be; it keeps its owner and its mode. Files of the directory that the
configuration did not have are renamed to NAME` + ".rolled-back" + `. If no daemon answers, the
files are put back for its next start.

Nothing is done if the daemon would refuse the configuration now, as for an interface
that is gone.

The exit status is 0 if it was put back, and runs if a daemon does; 1 if not; and 2
for a mistake on the command line.`,
		Example: `  lvsd config history
  lvsd config rollback 41`,
		Args:              numberArgs(1),
		ValidArgsFunction: completeKept(&r.dir),
	}
	stateDirFlag(c, &r.dir)
	flags := c.Flags()
	flags.StringVar(&r.path, "config", daemon.DefaultConfig, "the configuration's place: a file, or a directory, as lvsd run has it")
	flags.StringVar(&r.socket, "socket", control.DefaultSocket, "the daemon's control socket")
	_ = c.MarkFlagFilename("socket", "sock")
	r.output = outputFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error { return r.run(c, args) }
	return c
}

// run goes back to a configuration.
func (r *rollback) run(c *cobra.Command, args []string) error {
	kept, err := keptConfiguration(r.dir, args)
	if err != nil {
		return failure(err)
	}
	client := control.Dial(r.socket)
	answers, err := r.wouldRun(c, client, &kept)
	if err != nil {
		return failure(err)
	}
	done, err := daemon.Restore(r.path, kept)
	if err != nil {
		return failure(fmt.Errorf("the files are as they were: %w", err))
	}
	outcome := &api.Reloaded{OK: true, Changes: []string{}, Warnings: []string{}}
	if answers {
		if outcome, err = apply(c, client); err != nil {
			return failure(fmt.Errorf("the files of configuration %d are in their place, but they do not run: %w", kept.Number, err))
		}
	}
	return r.print(c, &kept, append([]string{}, done...), answers, outcome)
}

// wouldRun reports whether a daemon answers. The error is that it would refuse the
// configuration.
func (r *rollback) wouldRun(c *cobra.Command, client *control.Client, kept *api.Configuration) (answers bool, err error) {
	var files []api.File
	for _, f := range kept.Files {
		files = append(files, api.File{Name: f.Path, Text: f.Text})
	}
	plan, err := client.Plan(c.Context(), files)
	switch {
	case errors.Is(err, control.ErrNoAnswer):
		return false, nil
	case err != nil:
		return false, err
	case !plan.OK:
		fmt.Fprint(c.ErrOrStderr(), plan.Diagnosis)
		return true, fmt.Errorf("the daemon would refuse configuration %d now, so nothing was done: %s", kept.Number, plan.Error)
	}
	return true, nil
}

// print tells what was done.
func (r *rollback) print(c *cobra.Command, kept *api.Configuration, done []string, answers bool, outcome *api.Reloaded) error {
	if r.output.word == "json" {
		answer := map[string]any{"schema_version": show.SchemaVersion, "number": kept.Number, "done": done, "running": answers && outcome.OK, "reload": outcome}
		if err := json.NewEncoder(c.OutOrStdout()).Encode(answer); err != nil {
			return failure(err)
		}
		if !outcome.OK {
			return exitError{exitFailure, nil}
		}
		return nil
	}
	writeLines(c.OutOrStdout(), done)
	if !answers {
		_, err := fmt.Fprintln(c.OutOrStdout(), "no daemon answers: they count at its next start (systemctl start lvsd)")
		return failure(err)
	}
	return failure(show.WriteReload(c.OutOrStdout(), c.ErrOrStderr(), outcome, false))
}

// writeLines prints what was done to files, or that nothing was.
func writeLines(w io.Writer, done []string) {
	if len(done) == 0 {
		done = []string{"the files are as they were then"}
	}
	fmt.Fprintln(w, strings.Join(done, "\n"))
}
