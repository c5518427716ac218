package main

import (
	"fmt"
	"time"

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
or only those that are named, by their own names or by that of a sync group, whose
routers move together. It waits until that is done, and prints who is Master now.

No packet is lost: this director says that it leaves (an advert of priority 0),
and keeps the addresses until it hears the other one. If no other director takes
over in time (Master_Down, about three and a half advert intervals), this one goes
on as Master, and the command fails; with --force it lets the addresses go all the
same, and takes them again if it hears nobody for that time once more.

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
		return failure(show.WriteOrdered(c.OutOrStdout(), c.ErrOrStderr(), o, output.word == "json"))
	}
	return c
}

func newStandbyCommand() *cobra.Command {
	var socket string
	var lasts time.Duration
	var force bool
	c := &cobra.Command{
		Use:        "standby",
		SuggestFor: []string{"maintenance", "disable", "pause"},
		Short:      "Keep this director from being Master",
		Long: `Hands all virtual routers over to another director, as "lvsd failover" does, and
keeps this one from being Master of any until "lvsd resume", or for the time that
--for says, even if the other director fails. It goes on checking the servers,
keeping the table and listening, so that it is ready at once. If no other
director takes over in time, nothing changes, and the command fails; with
--force, the addresses are then nowhere.

A restart of lvsd or of the machine does not end it. "lvsd status" has a warning
while it lasts, with who has ordered it. Ordered again, it only ends at another
time. To move the addresses without giving up the redundancy, use "lvsd failover".

The exit status is 0 if this director is in standby now; 1 if not; 2 for a
mistake on the command line; 3 if no daemon answers; and 75 if other orders are
under way.`,
		Example:           `  lvsd standby --for 2h    before a maintenance that must not be disturbed`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	output := orderFlags(c, &socket)
	c.Flags().DurationVar(&lasts, "for", 0, "end it by itself after this time, such as 90m or 2h")
	c.Flags().BoolVar(&force, "force", false, "begin it even if no other director takes over")
	completeFlag(c, "for", "30m", "2h", "8h")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if c.Flags().Changed("for") && lasts < time.Second {
			return fmt.Errorf("--for %v: a standby lasts at least a second; without --for, it lasts until lvsd resume", lasts)
		}
		o, err := control.Dial(socket).StandBy(c.Context(), lasts, force)
		if err != nil {
			return answered(err)
		}
		return failure(show.WriteOrdered(c.OutOrStdout(), c.ErrOrStderr(), o, output.word == "json"))
	}
	return c
}

func newResumeCommand() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use:   "resume [SERVICE[/SERVER]...]",
		Short: "End a standby and what failovers have left, or let failed servers in",
		Long: `Without arguments, it ends a standby, and what earlier failovers have left: virtual
routers that do not take their role back. From now on this director takes part and
preempts as it is configured, so with the higher priority it becomes Master again
at once.

With arguments, it lets real servers in that have failed and that manual_resume
keeps out: SERVICE/SERVER, where SERVER is a name or an address with its port, or
SERVICE for all of a service. A server whose checks do not pass serves as soon as
they do. Orders to this director are not ended then. The other director keeps its
own account: give the order there, too.

The exit status is 0 if that is done, also if there was nothing to end; 1 if it
was refused; 2 for a mistake on the command line; 3 if no daemon answers; and 75
if other orders are under way.`,
		Example: `  lvsd resume                    after a maintenance of this director
  lvsd resume web/compute-0-1    after one of this real server`,
		ValidArgsFunction: completeKeptOut(&socket),
	}
	output := orderFlags(c, &socket)
	c.RunE = func(c *cobra.Command, servers []string) error {
		o, err := control.Dial(socket).Resume(c.Context(), servers)
		if err != nil {
			return answered(err)
		}
		return failure(show.WriteOrdered(c.OutOrStdout(), c.ErrOrStderr(), o, output.word == "json"))
	}
	return c
}

func newAssertCommand() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use:        "assert [NAME...]",
		SuggestFor: []string{"notify", "hooks", "rerun"},
		Short:      "Run the hooks again in the states that there are",
		Long: `Runs the programs again that blocks on "master", "backup", "fault" and "any" name,
for the states that the virtual routers and sync groups are in, or those alone of
the ones that are named; of a sync group, those of its routers, too. It waits for
their ends, and prints them. Where programs move an address in a cloud, and
somebody else has moved it, this moves it again.

A change of the state meanwhile comes first: such a run is ended, and the
programs for the new state are run. Those that the addresses wait for
(before = true) are not run. The programs find order in LVSD_ASSERTED.

The exit status is 0 if all have succeeded, also if there were none; 1 if not; 2
for a mistake on the command line; 3 if no daemon answers; and 75 if other
orders are under way.`,
		Example: `  lvsd assert            all hooks for the present states
  lvsd assert outside    only those of this virtual router`,
		ValidArgsFunction: completeRoutersAndGroups(&socket),
	}
	output := orderFlags(c, &socket)
	c.RunE = func(c *cobra.Command, names []string) error {
		o, err := control.Dial(socket).Assert(c.Context(), names)
		if err != nil {
			return answered(err)
		}
		return failure(show.WriteAsserted(c.OutOrStdout(), c.ErrOrStderr(), o, output.word == "json"))
	}
	return c
}

// orderFlags adds the flags of commands that give an order.
func orderFlags(c *cobra.Command, socket *string) *output {
	c.Flags().StringVar(socket, "socket", control.DefaultSocket, "the daemon's control socket")
	_ = c.MarkFlagFilename("socket", "sock")
	return outputFlag(c)
}
