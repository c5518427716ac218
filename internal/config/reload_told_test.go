package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	facts "github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// toldAs are the options that a reload tells by another name than their own.
var toldAs = map[string]string{"port": "address", "addresses": "address", "ports": "address", "protocols": "address", "protocol": "address", "firewall_mark": "address", "family": "address"}

// "director changed", said the log, and nobody knew what.
func TestAReloadNamesEveryOptionThatItChanges(t *testing.T) {
	for _, path := range leaves(config.Schema(), "") {
		row, ok := reloadedOptions[path]
		name := path[strings.LastIndex(path, "/")+1:]
		top, inner, _ := strings.Cut(path, "/")
		switch {
		case top == "virtual_router" || top == "sync_group" || top == "stream" || strings.HasPrefix(top, "condition "):
			continue
		case strings.Contains(path, "check "):
			kind, option, _ := strings.Cut(inner[strings.Index(inner, "check "):], "/")
			if !stands(strings.Trim(strings.TrimPrefix(kind, "check "), `"`), option) {
				continue
			}
			row, ok = reloadedCheck(inner[strings.Index(inner, "check "):])
			name = "checks"
		case top == "static":
			name, _, _ = strings.Cut(inner, "/")
		case strings.Contains(path, "fallback/"):
			name = "fallback"
		case strings.Contains(path, "persistence/"):
			name = "persistence"
		case strings.Contains(path, "tunnel/"):
			name = "tunnel"
		case top == "director":
		case toldAs[name] != "":
			name = toldAs[name]
		}
		if !ok {
			continue // Another test says so.
		}
		names(t, path, name, file(t, path, row.from, row.also), file(t, path, row.to, row.also))
	}
	for option, row := range reloadedHooks {
		names(t, option, ": on", hooked(t, ""), hooked(t, row))
	}
	for option, row := range reloadedStreams {
		names(t, option, "stream all: "+option, streamed(t, ""), streamed(t, row))
	}
	for path, row := range reloadedResources {
		before, after := with(t, path, row)
		names(t, path, ": resource", before, after)
	}
	for option, row := range reloadedRouters {
		with := func(text string) *config.Config {
			return &config.Config{Routers: []vrrp.Config{router(t, option, row.beside+"\n"+text)}}
		}
		names(t, option, option, with(""), with(row.text))
	}
}

// names tests that a reload which changes an option tells a name.
func names(t *testing.T, option, name string, before, after *config.Config) {
	t.Helper()
	var told []string
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	core, _ := director.Begin(now, "/etc/lvsd", director.Loaded{Config: before, Found: ipvsctl.Table{}}, facts.Facts{})
	core.Handle(now, director.Reload{Asker: func(outcome api.Reloaded) { told = outcome.Changes }})
	for _, e := range core.Handle(now, director.ReadingEnded{Number: 1, Loaded: director.Loaded{Config: after}}) {
		if a, ok := e.(director.Answer); ok {
			a.Asker(a.Outcome)
		}
	}
	if len(told) == 0 || !strings.HasPrefix(told[0], "changed ") || !strings.Contains(told[0], name) {
		t.Errorf("%s: told %q, want %s", option, told, name)
	}
}
