package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/daemon"
	"github.com/lvsd/lvsd/internal/reader"
)

func newValidateCommand() *cobra.Command {
	var node, output string
	c := &cobra.Command{
		Use:   "validate [PATH]",
		Short: "Check a configuration without running anything",
		Long: `Reads a configuration as the daemon would: a file, or a directory of *.hcl files
(` + daemon.DefaultConfig + ` by default). Prints every mistake in it with its place, its source
line, and what to write instead.

The exit status is 0 for a valid configuration, even with warnings; 1 for one
that the daemon would refuse; and 2 for a mistake on the command line.`,
		Example: `  lvsd validate
  lvsd validate --node lvs2 /etc/lvsd       as the other director would read it
  lvsd validate -o json ./new | jq .        for scripts`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path := daemon.DefaultConfig
			if len(args) == 1 {
				path = args[0]
			}
			if output != "text" && output != "json" {
				return fmt.Errorf("unknown output %q: write text or json", output)
			}
			r, err := daemon.Validate(c.Context(), path, node)
			if err != nil {
				return failure(err)
			}
			if output == "json" {
				return printReading(c.OutOrStdout(), r)
			}
			if err := renderDiagnostics(c.ErrOrStderr(), r.Diagnostics); err != nil {
				return failure(err)
			}
			if r.Err() == nil {
				fmt.Fprintf(c.OutOrStdout(), "%s is valid for node %q: %s\n", r.Path, r.Node, contents(r.Contents))
			}
			return failure(r.Err())
		},
	}
	c.Flags().StringVar(&node, "node", "", "read it as the director of this name (default: the host's name up to its first dot)")
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return c
}

// printReading prints a reading and its diagnostics for programs.
func printReading(out io.Writer, r *daemon.Reading) error {
	diags := r.Diagnostics
	if diags == nil {
		diags = config.Diagnostics{}
	}
	err := json.NewEncoder(out).Encode(map[string]any{
		"valid": r.Err() == nil, "node": r.Node, "diagnostics": diags,
	})
	if err != nil {
		return failure(fmt.Errorf("printing the diagnostics: %w", err))
	}
	if r.Err() != nil {
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
