package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/daemon"
	"github.com/lvsd/lvsd/internal/reader"
	"github.com/lvsd/lvsd/internal/show"
)

// A validation is what lvsd validate is asked.
type validation struct {
	daemon.Options
	output *output
	color  *choice
	strict bool
}

func newValidateCommand() *cobra.Command {
	var v validation
	c := &cobra.Command{
		Use:        "validate [PATH]",
		SuggestFor: []string{"test", "configtest", "verify"},
		Short:      "Check a configuration without running anything",
		Long: `Reads a configuration as the daemon would: a file, a directory of *.hcl files
(` + daemon.DefaultConfig + ` by default), or with - what comes from standard input. Prints every
mistake in it with its place, its source line, and what to write instead.

Only as the director that this machine is, it is also compared with the
interfaces and addresses of this machine. With another --node, only the
machine's own address is, which no virtual router may take, unless the
configuration names this machine, too.

The exit status is 0 for a valid configuration, even with warnings unless
--strict is given; 1 for one that the daemon would refuse or that is not there,
and with --strict for one with a warning; and 2 for a mistake on the command line.`,
		Example: `  lvsd validate
  lvsd validate --strict && systemctl reload lvsd
  lvsd validate --node lvs2 /etc/lvsd       as the other director would read it
  lvsd validate - < new.hcl                 a text that is in no file yet
  lvsd validate -o json ./new | jq .        for scripts`,
		Args: v.args,
		RunE: func(c *cobra.Command, _ []string) error { return v.run(c) },
	}
	flags := c.Flags()
	flags.StringVar(&v.Config, "config", daemon.DefaultConfig, "the same as PATH, as lvsd run has it")
	flags.BoolVar(&v.strict, "strict", false, "treat warnings as errors")
	flags.StringVar(&v.Node, "node", "", "read it as the director of this name (default: the host's name up to its first dot)")
	fileDirFlag(c, &v.FileDirs)
	completeFlag(c, "node")
	v.output, v.color = outputFlag(c), colorFlag(c)
	return c
}

// args takes the path from the command line.
func (v *validation) args(c *cobra.Command, args []string) error {
	switch {
	case len(args) > 1:
		return errors.New("validate reads one configuration: give a file, or a directory whose *.hcl files are read together")
	case len(args) == 1 && c.Flags().Changed("config"):
		return errors.New("give the path once, with or without --config")
	case len(args) == 1:
		v.Config = args[0]
	}
	return nil
}

// run reads the configuration and prints what is wrong with it.
func (v *validation) run(c *cobra.Command) error {
	r, err := daemon.Validate(c.Context(), v.Options, c.InOrStdin())
	if err != nil && v.output.word == "json" {
		return printReading(c.OutOrStdout(), &daemon.Reading{Path: v.Config, Node: v.Node}, err)
	}
	if err != nil {
		return failure(err)
	}
	verdict := r.Err()
	if verdict == nil && v.strict && len(r.Diagnostics) > 0 {
		verdict = fmt.Errorf("%s has warnings for node %q, and --strict makes them errors", r.Path, r.Node)
	}
	if v.output.word == "json" {
		return printReading(c.OutOrStdout(), r, verdict)
	}
	if err := renderDiagnostics(c.ErrOrStderr(), r.Diagnostics, v.color.word); err != nil {
		return failure(err)
	}
	if verdict == nil {
		fmt.Fprintf(c.OutOrStdout(), "%s is valid for node %q: %s%s\n", r.Path, r.Node, contents(r.Contents), notCompared(r))
	}
	return failure(verdict)
}

// notCompared says that what this machine has did not count, where that is so.
func notCompared(r *daemon.Reading) string {
	if r.Host == "" {
		return ""
	}
	if r.NamesHost {
		return fmt.Sprintf(" (this machine is %q, another director, so its interfaces and addresses were not compared)", r.Host)
	}
	return fmt.Sprintf(" (this machine is %q, so of its interfaces and addresses, only its own address was compared)", r.Host)
}

// printReading prints a reading, why it is not valid if it is not, and its
// diagnostics for programs.
func printReading(out io.Writer, r *daemon.Reading, why error) error {
	answer := map[string]any{
		"schema_version": show.SchemaVersion, "valid": why == nil, "path": r.Path, "node": r.Node,
		"diagnostics": config.Diagnostics{},
	}
	if r.Diagnostics != nil {
		answer["diagnostics"] = r.Diagnostics
	}
	if why != nil {
		answer["error"] = why.Error()
	}
	if why == nil || r.Diagnostics != nil {
		answer["machine_compared"] = r.Host == ""
	}
	if err := json.NewEncoder(out).Encode(answer); err != nil {
		return failure(fmt.Errorf("printing the diagnostics: %w", err))
	}
	if why != nil {
		return exitError{exitFailure, nil}
	}
	return nil
}

// contents names what a configuration has: "1 virtual router, 2 virtual
// services, 4 real servers".
func contents(c reader.Contents) string {
	return fmt.Sprintf("%s, %s, %s", count(c.Routers, "virtual router"),
		count(c.Services, "virtual service"), count(c.Servers, "real server"))
}

// count returns "1 thing" or "2 things".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
