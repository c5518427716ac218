package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/show"
)

// An application is what lvsd apply is asked.
type application struct {
	socket  string
	confirm time.Duration
	lose    string
	output  *output
	color   *choice
}

func newApplyCommand() *cobra.Command {
	var a application
	c := &cobra.Command{
		Use:        "apply",
		SuggestFor: []string{"commit", "deploy"},
		Short:      "Take the configuration's files, and go back unless that is confirmed",
		Long: `Shows what the daemon's files would change, as "lvsd plan" does, and has the daemon
take them, as "lvsd reload" does. With --confirm they are on trial for that time: unless
"lvsd confirm" comes before its end, the configuration that ran before runs again by
itself, for instance if the change has cut you off from this director; and at once if
a virtual service is no longer served, or more real servers than --lose says that served
are down. What the files themselves remove, or give weight 0, is not lost.

What ran before is kept on the disk before anything is changed, so neither a crash nor
a restart loses the way back. After the end of the time every start and every reload
runs what ran before, until the files are that again, or "lvsd apply" takes them, or
"lvsd config rollback" restores others. A finding of lvsd status says so.

The exit status is 0 if the files run now, also if nothing has changed; 1 if they were
refused; 2 for a mistake on the command line; 3 if no daemon answers; and 75 if other
orders are under way.`,
		Example: `  lvsd apply --confirm 5m && sleep 60 && curl -fsS http://10.13.0.200/ && lvsd confirm`,
		Args:    cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, _ []string) error { return a.run(c) },
	}
	a.output, a.color = orderFlags(c, &a.socket), colorFlag(c)
	c.Flags().DurationVar(&a.confirm, "confirm", 0, "go back after this time, such as 5m, unless lvsd confirm comes before")
	c.Flags().StringVar(&a.lose, "lose", "0", "with --confirm, how many `servers` may be lost before it goes back at once: 2, 10% or any")
	completeFlag(c, "confirm", "1m", "5m", "30m")
	completeFlag(c, "lose", "0", "1", "10%", "any")
	return c
}

// run plans, and applies.
func (a *application) run(c *cobra.Command) error {
	if c.Flags().Changed("confirm") && a.confirm <= 0 {
		return fmt.Errorf("--confirm %v: say after which time to go back, such as 5m", a.confirm)
	}
	if c.Flags().Changed("lose") && a.confirm == 0 {
		return errors.New("--lose says when a configuration on trial has failed: it needs --confirm")
	}
	if err := api.Lose(a.lose).Check(); err != nil {
		return fmt.Errorf("--lose: %w", err)
	}
	client := control.Dial(a.socket)
	plan, err := client.Plan(c.Context(), nil)
	if err != nil {
		return answered(err)
	}
	out, asJSON := c.OutOrStdout(), a.output.word == "json"
	if !asJSON || !plan.OK {
		width, colour := terminal(out, a.color.word)
		if err := (show.Terminal{Width: width, Color: colour}).WritePlan(out, c.ErrOrStderr(), plan); err != nil {
			return failure(err)
		}
	}
	done, err := client.Apply(c.Context(), api.ApplyOrder{Confirm: a.confirm, Lose: api.Lose(a.lose)})
	if err != nil {
		return answered(err)
	}
	if asJSON {
		err = json.NewEncoder(out).Encode(map[string]any{"schema_version": show.SchemaVersion, "plan": plan, "applied": done})
		if err == nil && !done.OK {
			err = errors.New(done.Error)
		}
		return failure(err)
	}
	return failure(show.WriteApplied(out, c.ErrOrStderr(), done))
}

func newConfirmCommand() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use:        "confirm",
		SuggestFor: []string{"keep", "accept"},
		Short:      "Keep the configuration that is on trial",
		Long: `Ends the trial of a configuration that "lvsd apply --confirm" has begun, so that it
runs for good.

The exit status is 0 if it does; 1 if none is on trial, or the time was over; 2 for a
mistake on the command line; 3 if no daemon answers; and 75 if other orders are under
way.`,
		Args: cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
	}
	output := orderFlags(c, &socket)
	c.RunE = func(c *cobra.Command, _ []string) error {
		done, err := control.Dial(socket).Confirm(c.Context())
		switch {
		case err != nil:
			return answered(err)
		case output.word == "json":
			err = json.NewEncoder(c.OutOrStdout()).Encode(done)
		case done.OK:
			_, err = fmt.Fprintln(c.OutOrStdout(), "confirmed: the configuration runs for good")
		}
		if err == nil && !done.OK {
			err = errors.New(done.Error)
		}
		return failure(err)
	}
	return c
}

// apply has the daemon take its files for good, also where others were not confirmed.
func apply(c *cobra.Command, client *control.Client) (*api.Reloaded, error) {
	done, err := client.Apply(c.Context(), api.ApplyOrder{})
	if err != nil {
		return nil, err
	}
	return &done.Reloaded, nil
}
