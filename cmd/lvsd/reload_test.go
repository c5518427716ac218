package main

import (
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
)

// TestReloadCommand holds what "systemctl reload" and its users rely on.
func TestReloadCommand(t *testing.T) {
	for _, tt := range []struct {
		name           string
		outcome        api.Reloaded
		exit           int
		stdout, stderr string
	}{
		{"accepted", api.Reloaded{OK: true, Changes: []string{"removed virtual service web", "changed virtual router out: peers"}}, 0,
			"reloaded: removed virtual service web\nreloaded: changed virtual router out: peers\n", ""},
		{"accepted with a warning", api.Reloaded{OK: true, Warnings: []string{"web.hcl:1: no router"}}, 0,
			"reloaded: nothing has changed\n", "warning: web.hcl:1: no router\n"},
		{"refused for its mistakes", api.Reloaded{Error: "web.hcl:1: Unknown (and 1 more)", Diagnosis: "Error: Unknown\n\nError: Missing\n"}, 1,
			"", "Error: Unknown\n\nError: Missing\n\nlvsd: reload refused: the configuration has mistakes; the previous one keeps running\n"},
		{"it could not be read", api.Reloaded{Error: "open /etc/lvsd: permission denied"}, 1,
			"", "lvsd: reload refused: open /etc/lvsd: permission denied\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, exit := command(t, "reload", "--socket", answering(t, oneStatus{reloaded: tt.outcome}))
			if exit != tt.exit || stdout != tt.stdout || stderr != tt.stderr {
				t.Errorf("exit status %d, output %q, error %q; want %d, %q, %q", exit, stdout, stderr, tt.exit, tt.stdout, tt.stderr)
			}
		})
	}
	if _, stderr, exit := command(t, "reload", "--socket", "/nowhere/lvsd.sock"); exit != exitNoAnswer || !strings.Contains(stderr, "systemctl start lvsd") {
		t.Errorf("without a daemon: exit status %d, error %q", exit, stderr)
	}
}
