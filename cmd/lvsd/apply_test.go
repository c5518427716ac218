package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
)

// TestApplyCommands holds what --help promises.
func TestApplyCommands(t *testing.T) {
	until := time.Date(2026, 11, 28, 4, 30, 0, 0, time.UTC)
	differs := api.Plan{OK: true, Differences: true, Changes: []api.Difference{{Action: api.Add, Kind: "virtual_service", Name: "web"}}}
	done := api.Applied{Reloaded: api.Reloaded{OK: true, Changes: []string{"added virtual service web"}}}
	tried := done
	tried.Trial = &api.Trial{Until: until}
	two := 2
	bound := tried
	bound.Trial = &api.Trial{Until: until, Spare: &two}
	for _, tt := range []struct {
		name, args string
		plan       api.Plan
		applied    api.Applied
		exit       int
		out, errs  string // a part of each
		asked      string
	}{
		{"for good", "apply", differs, done, 0, "reloaded: added virtual service web\n", "", "apply 0s"},
		{"on trial", "apply --confirm 5m", differs, tried, 0, "reloaded: added virtual service web\non trial: the configuration before runs again at 2026-11-28 04:30:00, unless", "", "apply 5m0s"},
		{"for a program", "apply --confirm 5m -o json", differs, tried, 0, `"applied":{"ok":true,`, "", "apply 5m0s"},
		{"it would be refused, so nothing is tried", "apply --confirm 5m", api.Plan{Error: "no", Diagnosis: "web.hcl:5: no"}, api.Applied{}, exitFailure, "", "it would be refused", ""},
		{"the way back cannot be kept", "apply --confirm 5m", differs, api.Applied{Reloaded: api.Reloaded{Error: "no space left on device"}}, exitFailure, "+ virtual", "no space left", "apply 5m0s"},
		{"whatever is lost", "apply --confirm 5m --lose any", differs, tried, 0, "unless lvsd confirm comes before\n", "", "apply 5m0s any"},
		{"with a bound", "apply --confirm 5m --lose 10%", differs, bound, 0, "confirm comes before; at once if a virtual service is no longer served, or more than 2 real servers that served are down\n", "", "apply 5m0s 10%"},
		{"no bound", "apply --confirm 5m --lose most", differs, done, exitUsage, "", `"most" is not how many real servers may be lost`, ""},
		{"a bound without a trial", "apply --lose 1", differs, done, exitUsage, "", "it needs --confirm", ""},
		{"no time", "apply --confirm 0s", differs, done, exitUsage, "", "--confirm 0s", ""},
		{"confirmed", "confirm", differs, done, 0, "confirmed: the configuration runs for good\n", "", "confirm"},
		{"too late", "confirm", differs, api.Applied{Reloaded: api.Reloaded{Error: "it is too late"}}, exitFailure, "", "it is too late", "confirm"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := ""
			source := oneStatus{planned: func(api.PlanOrder) api.Plan { return tt.plan }, applied: func(o api.ApplyOrder) api.Applied {
				asked = strings.TrimSuffix(fmt.Sprintf("apply %v %v", o.Confirm, o.Lose), " 0")
				if o.Confirm < 0 {
					asked = "confirm"
				}
				return tt.applied
			}}
			out, errs, exit := command(t, append(strings.Fields(tt.args), "--socket", answering(t, source))...)
			if exit != tt.exit || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.errs) || asked != tt.asked {
				t.Errorf("exit status %d, output %q, error %q, asked %q; want %d, %q, %q, %q", exit, out, errs, asked, tt.exit, tt.out, tt.errs, tt.asked)
			}
		})
	}
	for _, args := range [][]string{{"apply"}, {"confirm"}} {
		if _, errs, exit := command(t, append(args, "--socket", "/nowhere/lvsd.sock")...); exit != exitNoAnswer || !strings.Contains(errs, "systemctl start lvsd") {
			t.Errorf("%v without a daemon: exit status %d, error %q", args, exit, errs)
		}
	}
}

func (s oneStatus) Apply(_ context.Context, _ api.User, o api.ApplyOrder) (api.Applied, error) {
	if s.applied == nil {
		return api.Applied{Reloaded: s.reloaded}, nil
	}
	return s.applied(o), nil
}

func (s oneStatus) Confirm(context.Context, api.User, api.ConfirmOrder) (api.Applied, error) {
	return s.applied(api.ApplyOrder{Confirm: -1}), nil
}
