package main

import (
	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/keeper"
	"github.com/lvsd/lvsd/vrrp/link"
)

// newKeeperCommand is the process that keeps the adverts; lvsd run starts it.
func newKeeperCommand() *cobra.Command {
	var lock string
	c := &cobra.Command{
		Use:    "keeper",
		Short:  "Keep the adverts (started by lvsd run, not by hand)",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return failure(keeper.Main(keeper.Child{Lock: lock, Open: func() (keeper.Edge, error) { return link.Open() }}))
		},
	}
	c.Flags().StringVar(&lock, "lock", "", "the file that a keeper locks as long as it runs")
	return c
}
