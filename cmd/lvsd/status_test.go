package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/control"
)

// oneStatus is a daemon whose next reload or order ends as it says.
type oneStatus struct {
	reloaded api.Reloaded
	ordered  api.Ordered
	planned  func(api.PlanOrder) api.Plan
	supposed func(api.WhatIfOrder) api.WhatIf
	applied  func(api.ApplyOrder) api.Applied
}

func (oneStatus) Status(context.Context) (*api.Status, error) {
	return &api.Status{
		Version: "0.1.0", Node: "lvs1", Ready: true,
		Findings: []api.Finding{{Severity: api.Error, Text: "no real server is up"}},
		Services: []api.Service{
			{Name: "web", Supply: api.Served, InKernel: true, Servers: []api.Server{{Name: "a", Health: api.Up}}},
			{Name: "ftp", Supply: api.Served, InKernel: true, Servers: []api.Server{{Name: "a", Health: api.Up}, {Name: "b", Health: api.Down}}, Fallbacks: []api.Server{{Name: "sorry"}}},
			{Name: "dns", Supply: api.Unserved, Reason: "down", InKernel: true, Servers: []api.Server{{Name: "c", Health: api.Down}}},
		},
	}, nil
}

func (oneStatus) Ready(context.Context) (bool, error) { return true, nil }

func (s oneStatus) ReloadAndWait(context.Context) (api.Reloaded, error) { return s.reloaded, nil }

func (s oneStatus) Failover(context.Context, api.User, api.FailoverOrder) (api.Ordered, error) {
	return s.ordered, nil
}

func (s oneStatus) StandBy(context.Context, api.User, api.StandbyOrder) (api.Ordered, error) {
	return s.ordered, nil
}

func (s oneStatus) Resume(context.Context, api.User, api.ResumeOrder) (api.Ordered, error) {
	return s.ordered, nil
}

func (s oneStatus) Assert(context.Context, api.User, api.AssertOrder) (api.Ordered, error) {
	return s.ordered, nil
}

// answering runs a server, and returns its socket.
func answering(t *testing.T, src control.Source) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "lvsd.sock")
	s, err := control.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { done <- s.Serve(ctx, src) }()
	t.Cleanup(func() { cancel(); <-done })
	return socket
}

// TestStatusCommand holds the exit statuses that --help promises to scripts.
func TestStatusCommand(t *testing.T) {
	socket := answering(t, oneStatus{})
	for _, tt := range []struct {
		name string
		args []string
		exit int
		want string // in the output, or in the error
	}{
		{"a table for people", []string{"--socket", socket}, 0, "lvsd 0.1.0 on lvs1: ready"},
		{"an unknown output", []string{"--socket", socket, "-o", "yaml"}, exitUsage, "write text, json or wide"},
		{"the word of another version", []string{"--socket", socket, "-o", "table"}, 0, "lvsd 0.1.0 on lvs1: ready"},
		{"in colour, for watch -c and less -R", []string{"--socket", socket, "--color"}, 0, "\x1b[31m!\x1b[0m"},
		{"in colour, with the word", []string{"--socket", socket, "--color=always"}, 0, "\x1b[31m!\x1b[0m"},
		{"never in colour", []string{"--socket", socket, "--color=never"}, 0, "\n! no real server is up\n"},
		{"a wrong word for colour", []string{"--socket", socket, "--color=yes"}, exitUsage, "write auto, always or never"},
		{"one service", []string{"--socket", socket, "web"}, 0, "Nothing is wrong"},
		{"a service that is not configured", []string{"--socket", socket, "wbe"}, exitFailure, `no virtual service "wbe"`},
		{"server rows with their service, for grep", []string{"--socket", socket, "-o", "wide"}, 0, "dns/c"},
		{"only problems", []string{"--socket", socket, "--problems"}, 0, "0/1 up"},
		{"for monitoring: fine", []string{"--socket", socket, "--exit-code", "web"}, 0, "Nothing is wrong"},
		{"for monitoring: a warning", []string{"--socket", socket, "--exit-code", "web", "ftp"}, 1, ""},
		{"for monitoring: critical", []string{"--socket", socket, "--exit-code", "dns"}, 2, ""},
		{"for monitoring: all of it", []string{"--socket", socket, "--exit-code"}, 2, ""},
		{"for monitoring: all of it, for a program", []string{"--socket", socket, "--exit-code", "-o", "json"}, 2, ""},
		{"for monitoring: an unknown service", []string{"--socket", socket, "--exit-code", "wbe"}, 3, "wbe"},
		{"for monitoring: no daemon", []string{"--socket", socket + "x", "--exit-code"}, 3, "no lvsd answers"},
		{"no daemon", []string{"--socket", socket + "x"}, exitNoAnswer, "systemctl start lvsd"},
		{"no daemon, for a program", []string{"--socket", socket + "x", "-o", "json"}, exitNoAnswer, "no lvsd answers on"},
	} {
		out, exit, err := runStatus(tt.args...)
		if err != nil {
			out = err.Error()
		}
		if exit != tt.exit || !strings.Contains(out, tt.want) {
			t.Errorf("%s: exit %d, %q; want %d, %q", tt.name, exit, out, tt.exit, tt.want)
		}
	}

	out, _, err := runStatus("--socket", socket, "-o", "json")
	var st api.Status
	if err := errors.Join(err, json.Unmarshal([]byte(out), &st)); err != nil || st.Node != "lvs1" {
		t.Errorf("-o json prints %q: %v", out, err)
	}
}

// runStatus runs the command and returns the program's exit status with it.
func runStatus(args ...string) (output string, exit int, err error) {
	var out bytes.Buffer
	c := newStatusCommand()
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&out)
	err = c.Execute()
	if status, ok := errors.AsType[exitError](err); ok {
		return out.String(), status.code, err
	}
	if err != nil {
		return out.String(), exitUsage, err
	}
	return out.String(), 0, nil
}
