package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
)

// defaultConfig is where the configuration lies unless told otherwise.
const defaultConfig = "/etc/lvsd"

func newValidateCommand() *cobra.Command {
	var node, output string
	c := &cobra.Command{
		Use:   "validate [PATH]",
		Short: "Look for mistakes in a configuration, without running anything",
		Long: `Reads a configuration as the daemon would, a file or a directory of *.hcl files
(` + defaultConfig + ` by default), and prints every mistake in it with its place, the
source, and what to write instead.

The exit status is 0 for a valid configuration, also with warnings, 1 for one
that the daemon would refuse, and 2 for a mistake on the command line.`,
		Example: `  lvsd validate
  lvsd validate --node lvs2 /etc/lvsd       as the other director would read it
  lvsd validate -o json ./new | jq .        for scripts`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path := defaultConfig
			if len(args) == 1 {
				path = args[0]
			}
			if output != "text" && output != "json" {
				return fmt.Errorf("unknown output %q: write text or json", output)
			}
			return validate(c.OutOrStdout(), c.ErrOrStderr(), path, node, output == "json")
		},
	}
	c.Flags().StringVar(&node, "node", "", "read it as the director of this name (default: this host's, to the first dot)")
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return c
}

// validate prints what is wrong at path, and fails where the daemon would.
func validate(stdout, stderr io.Writer, path, node string, asJSON bool) error {
	o, facts, err := parseOptions(node)
	if err != nil {
		return failure(err)
	}
	if host, err := machine.NodeName(); err != nil || host != o.Node {
		o.Local = nil // What this machine has says nothing about another one.
	} else {
		o.Interfaces = facts.Interfaces
	}
	sources, err := config.Read(path)
	if err != nil {
		return failure(err)
	}
	parsed, diags := config.Parse(sources, o)
	if asJSON {
		return validateJSON(stdout, o.Node, diags)
	}
	width, colour := terminal(stderr)
	if err := diags.Render(stderr, width, colour); err != nil {
		return failure(fmt.Errorf("printing the diagnostics: %w", err))
	}
	if diags.HasErrors() {
		return failure(fmt.Errorf("%s is not valid for node %q", path, o.Node))
	}
	fmt.Fprintf(stdout, "%s is valid for node %q: %s, %s, %s\n", path, o.Node,
		count(len(parsed.Routers), "virtual router"), count(len(parsed.Services), "virtual service"),
		count(servers(parsed), "real server"))
	return nil
}

// validateJSON prints the diagnostics for programs.
func validateJSON(stdout io.Writer, node string, diags config.Diagnostics) error {
	if diags == nil {
		diags = config.Diagnostics{}
	}
	err := json.NewEncoder(stdout).Encode(map[string]any{
		"valid": !diags.HasErrors(), "node": node, "diagnostics": diags,
	})
	if err == nil && diags.HasErrors() {
		return failure(nil)
	}
	return err
}

// servers counts the real servers of all services.
func servers(c *config.Config) int {
	n := 0
	for i := range c.Services {
		n += len(c.Services[i].Servers)
	}
	return n
}

// count returns "1 thing" or "2 things".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// terminal tells how wide a writer is and whether it may be coloured; one that
// is no terminal is 78 columns wide and plain.
func terminal(w io.Writer) (width int, colour bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 78, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 40 {
		width = 78
	}
	return width, os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
