package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/hook"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

// reloadedHooks has, for every option of a hook, what a reload changes it to.
var reloadedHooks = map[string]string{
	"run":           `run = ["/etc/lvsd/hooks/notify", "again"]`,
	"user":          `user = "nobody"`,
	"timeout":       `timeout = "5s"`,
	"kill_children": `kill_children = true`,
	"assert":        `assert = "30s"`,
	"before":        `before = true`,
	"at_start":      "before = true\nat_start = true",
	"on_failure":    "before = true\non_failure = \"stop\"",
}

// hooked is a configuration with a virtual router that has a hook with an option.
func hooked(t *testing.T, option string) *config.Config {
	t.Helper()
	if !strings.HasPrefix(option, "run") {
		option = "run = [\"/etc/lvsd/hooks/notify\"]\n" + option
	}
	return parsed(t, "virtual_router \"outside\" {\ninterface = \"eth0\"\nid = 51\naddresses = [\"10.13.0.200/24\"]\non \"master\" {\n"+option+"\n}\n}\n")
}

// A reload that changes one option of a hook leaves it as one that was started so, and
// tells it, which is another one now, of the state that there is.
func TestEveryOptionOfAHookTakesEffectByReload(t *testing.T) {
	for _, path := range leaves(config.Schema(), "") {
		option, ok := strings.CutPrefix(path, "virtual_router/on/")
		if !ok {
			continue
		}
		row := reloadedHooks[option]
		if row == "" {
			t.Errorf("option %s has no row in this test", path)
			continue
		}
		before, after := hooked(t, ""), hooked(t, row)
		reloaded, started := notified(before, after), notified(after, after)
		if diff := cmp.Diff(started, reloaded); diff != "" {
			t.Errorf("%s: it is not as one that was started so (-want +got):\n%s", path, diff)
		}
		if cmp.Equal(notified(before, before), reloaded) {
			t.Errorf("%s: it is as if nothing had been changed", path)
		}
	}
}

// notified runs one configuration, then the other, and returns what hooks are told of the
// next state, and when they are run again.
func notified(before, after *config.Config) (commands []string) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var core hook.Core
	var running []uint64
	do := func(effects []hook.Effect) {
		for _, e := range effects {
			if s, ok := e.(hook.Start); ok {
				commands = append(commands, fmt.Sprintf("%+v", s.Command))
				running = append(running, s.ID)
			}
		}
	}
	become := func(state vrrp.State) { do(core.Take(now, []vrrp.Status{{Name: "outside", State: state}}, nil)) }
	do(core.Configure(now, before.Routers, before.Hooks))
	become(vrrp.Backup)
	do(core.Configure(now, after.Routers, after.Hooks))
	end := func() {
		for len(running) > 0 {
			id := running[0]
			running = running[1:]
			do(core.Ended(now, id, spawn.Outcome{}, nil))
		}
	}
	end()
	commands = nil
	become(vrrp.Master)
	end()
	return append(commands, fmt.Sprint("again ", core.Deadline()))
}
