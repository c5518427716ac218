package main

import (
	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/keeper"
	"github.com/lvsd/lvsd/vrrp/link"
)

// newKeeperCommand is the process that sends and receives the adverts.
func newKeeperCommand() *cobra.Command {
	var lock string
	c := &cobra.Command{
		Use:    "keeper",
		Short:  "Send and receive the adverts (started by lvsd run, not by hand)",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return failure(keeper.Main(keeper.Child{Lock: lock, Open: func() (keeper.Edge, error) { return link.Open() }}))
		},
	}
	c.Flags().StringVar(&lock, "lock", "", "the file that a keeper locks while it runs")
	return c
}
