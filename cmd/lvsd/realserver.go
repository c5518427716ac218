package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/daemon"
	"github.com/lvsd/lvsd/internal/show"
)

// A preparation is what lvsd realserver is asked.
type preparation struct {
	daemon.Options
	output *output
	color  *choice
}

func newRealServerCommand() *cobra.Command {
	c := &cobra.Command{
		Use:        "realserver COMMAND",
		SuggestFor: []string{"real-server", "server", "lo"},
		Short:      "Prepare this machine as a real server",
		Long: `Does on a real server what one does there by hand for LVS, from the directors' own
configuration: it finds the virtual services that have an address of this machine among
their real servers, and sees to what these need.

  direct routing   the virtual address on lo, and no answer to ARP for it
  tunnelling       the end of the tunnel (tunl0, gre0, GUE's port), up, with the virtual
                   address on it, without rp_filter, and no answer to ARP for it
  NAT              the default route, by the address of the director that is in this
                   machine's network and moves with the virtual one

What was there already is left alone; what was changed is remembered in the state directory,
and given back as it was by "lvsd realserver down". lvsd-realserver(8) tells all of it.`,
		Example: `  lvsd realserver check           what is missing here
  lvsd realserver up
  systemctl enable --now lvsd-realserver     at each boot, and kept so
  lvsd realserver down`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		newPreparation("up", "Change what this machine needs as a real server", "Gives this machine what it needs as a real server, and back what no virtual service needs any more.\nPrints each change. The exit status is 0 if all is as it should be then, and 1 if not.", true, daemon.RealServerUp),
		newPreparation("check", "Print what is wrong with this machine as a real server", "Changes nothing. The exit status is 0 if nothing is wrong, and 1 if something is.", true, daemon.RealServerCheck),
		newPreparation("down", "Give back what was changed", "Gives back all that \"lvsd realserver up\" and \"watch\" have changed, as it was before.\nThe configuration is not read. The exit status is 0 if all is as it was, and 1 if not.", false,
			func(_ context.Context, o daemon.Options) (*api.RealServer, error) { return daemon.RealServerDown(o) }),
		newRealServerWatch())
	return c
}

// newPreparation is a command that asks once.
func newPreparation(name, short, long string, reads bool, do func(context.Context, daemon.Options) (*api.RealServer, error)) *cobra.Command {
	var p preparation
	c := &cobra.Command{
		Use: name, Short: short, Long: long,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, _ []string) error {
			answer, err := do(c.Context(), p.Options)
			if err != nil {
				return refused(c, err, p.color.word)
			}
			return p.print(c, answer, name == "check")
		},
	}
	p.flags(c, reads)
	p.output, p.color = outputFlag(c), colorFlag(c)
	return c
}

// flags adds those that say where everything is.
func (p *preparation) flags(c *cobra.Command, reads bool) {
	flags := c.Flags()
	if reads {
		flags.StringVar(&p.Config, "config", daemon.DefaultConfig, "the directors' configuration: a file, or a directory of *.hcl files")
		flags.StringVar(&p.Node, "node", "", "read it as the director of this name (default: the host's name, or a director that the files name)")
		fileDirFlag(c, &p.FileDirs)
		completeFlag(c, "node")
	}
	flags.StringVar(&p.StateDir, "state-dir", "/var/lib/lvsd-realserver", "where it is remembered what was changed")
	_ = c.MarkFlagDirname("state-dir")
}

// refused is why nothing was done; the mistakes of a configuration are printed.
func refused(c *cobra.Command, err error, color string) error {
	if invalid, ok := errors.AsType[*daemon.InvalidError](err); ok {
		err = errors.Join(renderDiagnostics(c.ErrOrStderr(), invalid.Diagnostics, color), err)
	}
	return failure(err)
}

// print prints an answer.
func (p *preparation) print(c *cobra.Command, a *api.RealServer, check bool) error {
	out := c.OutOrStdout()
	if p.output.word == "json" {
		if err := json.NewEncoder(out).Encode(a); err != nil {
			return failure(err)
		}
	} else {
		width, colour := terminal(out, p.color.word)
		if err := (show.Terminal{Width: width, Color: colour}).WriteRealServer(out, a, check); err != nil {
			return failure(err)
		}
	}
	switch {
	case a.OK:
		return nil
	case a.Error != "":
		return failure(errors.New(a.Error))
	}
	return exitError{exitFailure, nil}
}

func newRealServerWatch() *cobra.Command {
	var p preparation
	var logFormat, logLevel string
	c := &cobra.Command{
		Use:   "watch",
		Short: "Keep this machine as it should be as a real server",
		Long: `Does what "lvsd realserver up" does, and does it again whenever something has changed
it: an address was removed, an interface is new, a parameter was set. It looks
every five seconds, and when the kernel tells of a change, and logs what it changed.

  SIGHUP   reads the configuration again; one with a mistake changes nothing
  SIGTERM  ends it (so does SIGINT); what was changed stays, until "lvsd realserver down"`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, _ []string) error {
			log, closeLog, err := daemon.OpenLog(c.ErrOrStderr(), logFormat, logLevel)
			if err != nil {
				return err
			}
			defer closeLog()
			p.Log = log
			if err := daemon.WatchRealServer(c.Context(), p.Options); err != nil {
				if _, ok := errors.AsType[*daemon.InvalidError](err); ok {
					return exitError{exitConfig, refused(c, err, colorAuto)}
				}
				return failure(err)
			}
			return nil
		},
	}
	p.flags(c, true)
	c.Flags().StringVar(&logFormat, "log-format", "text", "text or json")
	c.Flags().StringVar(&logLevel, "log-level", "info", "debug, info, warn or error")
	completeFlag(c, "log-format", "text", "json")
	completeFlag(c, "log-level", "debug", "info", "warn", "error")
	return c
}
