package main

import (
	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/show"
)

func newVRRPCommand() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use:        "vrrp [ROUTER...]",
		SuggestFor: []string{"router", "routers", "ha"},
		Short:      "Show all about the virtual routers",
		Long: `Shows all that the running daemon knows about its virtual routers, or about those
that are named, by their own names or by that of a sync group: the state and what
the router does in it; the effective priority and which conditions make it; the
Master that it follows and the other directors that were heard; how regularly
adverts come, and how late they are sent; what was counted that is unusual; and
the last ten changes of the state, with their times and reasons.

A Backup is silent, so a Master that has heard no other director is in order.
"lvsd status" tells what is wrong and what to do about it.

The exit status is 0 if the daemon answered; 1 if the answer could not be read
or printed, or has no such virtual router; 2 for a mistake on the command line;
3 if no daemon answers; and 75 if it is busy.`,
		Example: `  lvsd vrrp                                       why is this director Master, or not?
  lvsd vrrp outside -o json | jq '.[0].transitions'`,
		ValidArgsFunction: completeRouters(&socket),
	}
	output, color := orderFlags(c, &socket), colorFlag(c)
	c.RunE = func(c *cobra.Command, names []string) error {
		st, err := control.Dial(socket).Status(c.Context())
		if err != nil {
			return answered(err)
		}
		width, colour := terminal(c.OutOrStdout(), color.word)
		return failure(show.Terminal{Width: width, Color: colour}.WriteVRRP(c.OutOrStdout(), st, names, output.word == "json"))
	}
	return c
}
