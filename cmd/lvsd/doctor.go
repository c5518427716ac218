package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/daemon"
	"github.com/lvsd/lvsd/internal/show"
)

func newDoctorCommand() *cobra.Command {
	var p preparation
	var director, fix bool
	c := &cobra.Command{
		Use:        "doctor",
		SuggestFor: []string{"diagnose", "examine", "health"},
		Short:      "Look for the silent ways in which a cluster fails",
		Long: `Examines this machine by the directors' configuration, as a director, a real server or
both: the kernel and its parameters, the network between directors and servers, who answers
for the virtual addresses, and other daemons. Each examination says "ok", what is wrong
and what to do, "not known", or "-" where nothing in the configuration needs it. It may run
beside the daemon, and changes nothing without --fix.

  ARP requests are sent for the virtual addresses, as by a machine that has no address yet.
  Real servers by NAT are asked by which way they answer, where this is the Master: a TCP
  SYN or an ICMP echo, and no connection.

lvsd-doctor(8) has all examinations, with what users see where one fails. The exit status is 0
if nothing is wrong, and 1 if something is.`,
		Example: `  lvsd doctor
  lvsd doctor --fix
  lvsd doctor -o json | jq '.examinations[] | select(.state == "wrong")'`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, _ []string) error {
			a, err := daemon.Doctor(c.Context(), p.Options, director, fix)
			if err != nil {
				return refused(c, err, p.color.word)
			}
			out := c.OutOrStdout()
			if p.output.word == "json" {
				err = json.NewEncoder(out).Encode(a)
			} else {
				width, colour := terminal(out, p.color.word)
				err = show.Terminal{Width: width, Color: colour}.WriteCheckup(out, a)
			}
			if err != nil {
				return failure(err)
			}
			if !a.OK {
				return exitError{exitFailure, nil}
			}
			return nil
		},
	}
	p.flags(c, true)
	c.Flags().StringVar(&p.Socket, "socket", control.DefaultSocket, "the daemon's control socket")
	c.Flags().BoolVar(&director, "director", false, "examine it as a director, too, if it is a real server and no daemon answers")
	c.Flags().BoolVar(&fix, "fix", false, "mend what can be mended and taken back: parameters of the kernel (until the next boot), modules, and what lvsd realserver up does")
	p.output, p.color = outputFlag(c), colorFlag(c)
	return c
}
