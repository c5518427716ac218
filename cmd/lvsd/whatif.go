package main

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/show"
)

// A question is what lvsd whatif is asked.
type question struct {
	api.WhatIfOrder
	socket string
	rate   bool
	output *output
	color  *choice
}

// rateOver is for how long --rate counts connections.
const rateOver = 3 * time.Second

func newWhatIfCommand() *cobra.Command {
	var q question
	c := &cobra.Command{
		Use:        "whatif --down SERVER",
		SuggestFor: []string{"simulate", "capacity", "what-if"},
		Short:      "Show what would be if real servers were down",
		Long: `Shows what would become of the virtual services if some real servers were down: the
weights and shares of those that are left, by the health and the roles of now, with
fallbacks, tiers and min_healthy; how many connections each would have if there were
as many as now, against its upper threshold; and with --rate how many would begin in
a second, for which it counts for three seconds. Nothing is changed.

A server is meant by its name or a pattern of names ("rack1-*"), SERVICE/NAME, its
address, or a network ("192.168.1.0/24"). --down may be repeated.

Shares are those that the scheduler gives in the mean: by the weights, or equal ones
(rr, lc, dh), or all to the highest weight (fo, ovf). A hash (sh, mh) and persistence
are as even as the clients are many.

The exit status is 0 if all services would be served that are so now, and no server
would reach its upper threshold; 4 if not; 1 if that cannot be told; 2 for a mistake
on the command line, 3 if no daemon answers, and 75 if it is busy.`,
		Example: `  lvsd whatif --down web2
  lvsd whatif --down 'rack1-*' --down 192.168.7.0/24 --rate`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(c *cobra.Command, _ []string) error { return q.run(c) },
	}
	flags := c.Flags()
	flags.StringArrayVar(&q.Down, "down", nil, "a real server, or a pattern of names, SERVICE/NAME, an address or a network; may be repeated")
	flags.BoolVar(&q.rate, "rate", false, "count connections for three seconds, and show how many would begin in a second")
	flags.StringVar(&q.socket, "socket", control.DefaultSocket, "the daemon's control socket")
	_ = c.MarkFlagFilename("socket", "sock")
	_ = c.RegisterFlagCompletionFunc("down", completeServers(&q.socket))
	q.output, q.color = outputFlag(c), colorFlag(c)
	return c
}

// run asks, and prints the answer.
func (q *question) run(c *cobra.Command) error {
	if len(q.Down) == 0 {
		return errors.New("say which real servers are down: --down SERVER, where a pattern may stand for several")
	}
	if q.rate {
		q.Rate = rateOver
	}
	all, err := control.Dial(q.socket).WhatIf(c.Context(), q.WhatIfOrder)
	if err != nil {
		return answered(err)
	}
	if all.Error != "" {
		return failure(errors.New(all.Error))
	}
	out := c.OutOrStdout()
	if q.output.word == "json" {
		err = json.NewEncoder(out).Encode(all)
	} else {
		width, colour := terminal(out, q.color.word)
		err = show.Terminal{Width: width, Color: colour}.WriteWhatIf(out, all)
	}
	if err == nil && all.Lost {
		return exitError{exitDifferences, nil}
	}
	return failure(err)
}
