package main

import (
	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/show"
)

func newFailoverCommand() *cobra.Command {
	var socket string
	var force bool
	c := &cobra.Command{
		Use:        "failover [ROUTER...]",
		SuggestFor: []string{"switchover", "move", "demote"},
		Short:      "Hand the virtual addresses over to another director",
		Long: `Hands the virtual routers of which this director is Master over to another one,
or only those that are named, waits until that is done, and prints who is Master
now. No packet is lost: this director says that it leaves (an advert of priority
0), and keeps the addresses until it hears the other one. If no other director
takes over in time (Master_Down, about three and a half advert intervals), this
one goes on as Master, and the command fails; with --force it lets the addresses
go all the same, and takes them again if it hears nobody for that time once
more.

After that this director does not take the role back while another one is
Master, even if it has the higher priority and preempts. It takes it back when
that Master fails or leaves, after "lvsd resume", and when lvsd is restarted.

The exit status is 0 if another director is Master of them now, or was so
before; 1 if not; 2 for a mistake on the command line; 3 if no daemon answers;
and 75 if other orders are under way.`,
		Example: `  lvsd failover            before work on this director
  lvsd failover outside    only this virtual router`,
		ValidArgsFunction: completeRouters(&socket),
	}
	output := orderFlags(c, &socket)
	c.Flags().BoolVar(&force, "force", false, "let the addresses go even if no other director takes over")
	c.RunE = func(c *cobra.Command, names []string) error {
		o, err := control.Dial(socket).Failover(c.Context(), names, force)
		if err != nil {
			return answered(err)
		}
		return failure(show.WriteOrdered(c.OutOrStdout(), o, output.word == "json"))
	}
	return c
}

func newResumeCommand() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use:   "resume",
		Short: "End what earlier orders have left",
		Long: `Ends what earlier failovers have left: virtual routers that do not take their
role back. From now on this director preempts as it is configured, so with the
higher priority it becomes Master again at once.

The exit status is 0 if that is done, also if there was nothing to end; 1 if it
was refused; 2 for a mistake on the command line; 3 if no daemon answers; and 75
if other orders are under way.`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	output := orderFlags(c, &socket)
	c.RunE = func(c *cobra.Command, _ []string) error {
		o, err := control.Dial(socket).Resume(c.Context())
		if err != nil {
			return answered(err)
		}
		return failure(show.WriteOrdered(c.OutOrStdout(), o, output.word == "json"))
	}
	return c
}

// orderFlags adds the flags of commands that give an order.
func orderFlags(c *cobra.Command, socket *string) *output {
	c.Flags().StringVar(socket, "socket", control.DefaultSocket, "the daemon's control socket")
	_ = c.MarkFlagFilename("socket", "sock")
	return outputFlag(c)
}
