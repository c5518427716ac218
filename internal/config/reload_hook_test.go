package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
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
	become := func(state vrrp.State) { do(core.Take(now, []*vrrp.Status{{Name: "outside", State: state}}, nil)) }
	do(core.Configure(now, before.Routers, before.AllHooks()))
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

// reloadedServiceHooks has the same for every option of a hook of a virtual service.
var reloadedServiceHooks = map[string]string{
	"run":           `run = ["/etc/lvsd/hooks/notify", "again"]`,
	"user":          `user = "nobody"`,
	"timeout":       `timeout = "5s"`,
	"kill_children": `kill_children = true`,
	"at_start":      `at_start = true`,
	"at_stop":       `at_stop = true`,
}

// hookedService is a configuration with a virtual service, or a server of one, that has a
// hook with an option.
func hookedService(t *testing.T, ofServer bool, option string) *config.Config {
	t.Helper()
	if !strings.HasPrefix(option, "run") {
		option = "run = [\"/etc/lvsd/hooks/notify\"]\n" + option
	}
	hook := "on \"down\" {\n" + option + "\n}\n"
	if ofServer {
		hook = "real_server \"192.168.1.4\" {\n" + hook + "}\n"
	} else {
		hook += "real_server \"192.168.1.4\" {}\n"
	}
	return parsed(t, "virtual_service \"web\" {\naddress = \"10.13.0.200\"\nport = 80\nforward = \"nat\"\n"+hook+"}\n")
}

func TestEveryOptionOfAServicesHookTakesEffectByReload(t *testing.T) {
	for _, path := range leaves(config.Schema(), "") {
		option, ok := strings.CutPrefix(strings.TrimPrefix(path, "virtual_service/real_server/"), "on/")
		if !ok {
			option, ok = strings.CutPrefix(path, "virtual_service/on/")
		}
		if !ok {
			continue
		}
		row := reloadedServiceHooks[option]
		if row == "" {
			t.Errorf("option %s has no row in this test", path)
			continue
		}
		ofServer := strings.Contains(path, "real_server")
		before, after := hookedService(t, ofServer, ""), hookedService(t, ofServer, row)
		reloaded, started := notifiedOfServers(before, after), notifiedOfServers(after, after)
		if diff := cmp.Diff(started, reloaded); diff != "" {
			t.Errorf("%s: it is not as one that was started so (-want +got):\n%s", path, diff)
		}
		if cmp.Equal(notifiedOfServers(before, before), reloaded) {
			t.Errorf("%s: it is as if nothing had been changed", path)
		}
	}
}

// notifiedOfServers runs one configuration, then the other, and returns what hooks are told
// when a server of its goes down and comes up, and when lvsd stops.
func notifiedOfServers(before, after *config.Config) (commands []string) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var core hook.Core
	do := func(effects []hook.Effect) {
		for len(effects) > 0 {
			e := effects[0]
			effects = effects[1:]
			if s, ok := e.(hook.Start); ok {
				commands = append(commands, fmt.Sprintf("%+v", s.Command))
				effects = append(effects, core.Ended(now, s.ID, spawn.Outcome{}, nil)...)
			}
		}
	}
	hear := func(server, state string) {
		do(core.Hear(now, []api.ServiceState{{Service: "web", Server: server, State: state}}))
	}
	do(core.Configure(now, before.Routers, before.AllHooks()))
	do(core.Configure(now, after.Routers, after.AllHooks()))
	hear("192.168.1.4", "down") // which is the first that is known
	hear("192.168.1.4", "up")
	hear("192.168.1.4", "down")
	hear("192.168.1.4", "up")
	do(core.Finish(now))
	return commands
}
