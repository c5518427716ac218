package daemon

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/ipvsctl/connections"
)

// What a dry run takes for set is so from then on, or it would be set at each look.
func TestADryRunRemembersSettings(t *testing.T) {
	var told []string
	d := &drySettings{tell: func(e event.Event) { told = append(told, e.Text) }, set: make(map[machine.Setting]string)}
	if refused, err := d.tune(map[machine.Setting]string{machine.ExpireNodest: "1"}, nil); len(refused) > 0 || err != nil {
		t.Fatal(refused, err)
	}
	real := machine.Facts{Settings: map[machine.Setting]string{machine.ExpireNodest: "0"}}
	f, err := d.facts(real, nil)
	if err != nil || f.Settings[machine.ExpireNodest] != "1" || real.Settings[machine.ExpireNodest] != "0" {
		t.Errorf("the settings are %v, and were %v", f.Settings, real.Settings)
	}
	if want := "would set " + string(machine.ExpireNodest) + ` to "1"`; len(told) != 1 || told[0] != want {
		t.Errorf("told %q, want %q", told, want)
	}
	if f, _ = d.facts(machine.Facts{}, nil); f.Settings[machine.ExpireNodest] != "1" {
		t.Errorf("on a machine without settings: %v", f.Settings)
	}
}

func TestADryRunTellsNobodyOfConnections(t *testing.T) {
	var told []string
	d := &dryConnections{tell: func(e event.Event) { told = append(told, e.Text) }}
	for _, telling := range []*connections.Telling{nil, {Every: 10 * time.Second}, {Every: 10 * time.Second}, nil} {
		d.Set(telling)
	}
	if len(told) != 1 || told[0] != "would tell other directors of all connections every 10s" {
		t.Errorf("told %q", told)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Run(ctx); err != nil {
		t.Error(err)
	}
}

// A hook would be run, and is not; a program that stays is taken for one that runs.
func TestADryRunStartsNoProgram(t *testing.T) {
	made := filepath.Join(t.TempDir(), "made")
	c := spawn.Command{Args: []string{"/usr/bin/touch", made}, User: "root"}
	var log strings.Builder
	tell := eventsOf(Options{DryRun: true, Log: &Log{Logger: slog.New(slog.NewTextHandler(&log, nil))}})
	p := dryPrograms{tell}
	if o, err := p.Run(t.Context(), c); err != nil || !o.OK() {
		t.Errorf("run: %v, %v", o, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	lines := 0
	if _, err := p.Keep(ctx, c, func(context.Context) []byte {
		if lines++; lines == 3 {
			cancel()
		}
		return nil
	}, nil); err != nil || lines != 3 {
		t.Errorf("keep: %v, after %d lines", err, lines)
	}
	if _, err := os.Stat(made); err == nil {
		t.Error("the program was run")
	}
	for range 200 { // More than are logged of anything else.
		would(tell, "count")
	}
	if n := strings.Count(log.String(), "would run /usr/bin/touch "+made+" as root"); n != 2 {
		t.Errorf("%d times: %s", n, log.String())
	}
	if n := strings.Count(log.String(), "dry_run=true"); n != 202 {
		t.Errorf("%d lines are marked, want 202", n)
	}
}
