package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/daemon"
	"github.com/lvsd/lvsd/internal/keeper"
	"github.com/lvsd/lvsd/internal/reader"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
)

// newKeeperCommand is the process that sends and receives the adverts.
func newKeeperCommand() *cobra.Command {
	var lock string
	var dry bool
	c := &cobra.Command{
		Use:    "keeper",
		Short:  "Send and receive the adverts (started by lvsd run, not by hand)",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return failure(keeper.Main(lock, func(report func(vrrp.Event)) (keeper.Edge, error) {
				if dry {
					return link.OpenDry(report)
				}
				return link.Open()
			}))
		},
	}
	c.Flags().StringVar(&lock, "lock", "", "the file that a keeper locks while it runs")
	c.Flags().BoolVar(&dry, "dry-run", false, "send nothing, and change nothing")
	return c
}

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

// newSpawnCommand is the process between the daemon and a program that it runs.
func newSpawnCommand() *cobra.Command {
	return &cobra.Command{
		Use:    daemon.SpawnCommand,
		Short:  "Run a program for the daemon (started by lvsd itself, not by hand)",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return failure(spawn.Main(os.Stdin, os.Stdout))
		},
	}
}
