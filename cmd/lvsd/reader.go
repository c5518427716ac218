package main

import (
	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/daemon"
	"github.com/lvsd/lvsd/internal/reader"
)

// newReadCommand is the process that reads a configuration for the others.
func newReadCommand() *cobra.Command {
	return &cobra.Command{
		Use:    daemon.ReadCommand,
		Short:  "Read a configuration (started by lvsd itself, not by hand)",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return failure(reader.Main(c.InOrStdin(), c.OutOrStdout()))
		},
	}
}
