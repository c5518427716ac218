package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/daemon"
	"github.com/lvsd/lvsd/internal/reader"
	"github.com/lvsd/lvsd/internal/show"
)

func newValidateCommand() *cobra.Command {
	var node string
	var fileDirs []string
	var o *output
	var color *choice
	var strict bool
	c := &cobra.Command{
		Use:        "validate [PATH]",
		SuggestFor: []string{"check", "test", "config", "configtest", "verify"},
		Short:      "Check a configuration without running anything",
		Long: `Reads a configuration as the daemon would: a file, or a directory of *.hcl files
(` + daemon.DefaultConfig + ` by default). Prints every mistake in it with its place, its source
line, and what to write instead.

The exit status is 0 for a valid configuration, even with warnings unless
--strict is given; 1 for one that the daemon would refuse, and with --strict for
one with a warning; and 2 for a mistake on the command line.`,
		Example: `  lvsd validate
  lvsd validate --strict && systemctl reload lvsd
  lvsd validate --node lvs2 /etc/lvsd       as the other director would read it
  lvsd validate -o json ./new | jq .        for scripts`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path := daemon.DefaultConfig
			if len(args) == 1 {
				path = args[0]
			}
			r, err := daemon.Validate(c.Context(), path, node, fileDirs)
			if err != nil {
				return failure(err)
			}
			verdict := r.Err()
			if verdict == nil && strict && len(r.Diagnostics) > 0 {
				verdict = fmt.Errorf("%s has warnings for node %q, and --strict makes them errors", r.Path, r.Node)
			}
			if o.word == "json" {
				return printReading(c.OutOrStdout(), r, verdict == nil)
			}
			if err := renderDiagnostics(c.ErrOrStderr(), r.Diagnostics, color.word); err != nil {
				return failure(err)
			}
			if verdict == nil {
				fmt.Fprintf(c.OutOrStdout(), "%s is valid for node %q: %s\n", r.Path, r.Node, contents(r.Contents))
			}
			return failure(verdict)
		},
	}
	c.Flags().BoolVar(&strict, "strict", false, "treat warnings as errors")
	c.Flags().StringVar(&node, "node", "", "read it as the director of this name (default: the host's name up to its first dot)")
	fileDirFlag(c, &fileDirs)
	completeFlag(c, "node")
	o, color = outputFlag(c), colorFlag(c)
	return c
}

// printReading prints a reading, whether it is valid, and its diagnostics for
// programs.
func printReading(out io.Writer, r *daemon.Reading, valid bool) error {
	diags := r.Diagnostics
	if diags == nil {
		diags = config.Diagnostics{}
	}
	err := json.NewEncoder(out).Encode(map[string]any{
		"schema_version": show.SchemaVersion, "valid": valid, "node": r.Node, "diagnostics": diags,
	})
	if err != nil {
		return failure(fmt.Errorf("printing the diagnostics: %w", err))
	}
	if !valid {
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
