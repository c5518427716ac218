package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// reloadedConditions has, for every option of a condition block of every kind, what a
// reload changes it from and to. An option that is not here fails the test.
var reloadedConditions = map[string]struct {
	from, to string // lines of the block
	// told is what the reload says to have changed.
	told string
}{
	"up_after":   {"", `up_after = "10s"`, "track"},
	"down_after": {"", `down_after = "10s"`, "track"},
	"interval":   {"", `interval = "5s"`, "probes"},
	"timeout":    {"", `timeout = "500ms"`, "probes"},
	"rise":       {"", `rise = 3`, "probes"},
	"fall":       {"", `fall = 2`, "probes"},

	"ping/addresses":     {"", `addresses = ["10.13.0.2"]`, "probes"},
	"ping/minimum":       {`addresses = ["10.13.0.1", "192.168.1.99"]`, "addresses = [\"10.13.0.1\", \"192.168.1.99\"]\nminimum = 2", "minimum"},
	"exec/run":           {"", `run = ["/etc/lvsd/programs/other"]`, "probes"},
	"exec/user":          {"", `user = "nobody"`, "probes"},
	"exec/kill_children": {"", `kill_children = true`, "probes"},
	"exec/initial":       {"", `initial = "unmet"`, "initial"},
	"file/path":          {"", `path = "/run/other"`, "probes"},
	"file/number":        {"", `number = true`, "probes"},
	"process/program":    {"", `program = "chronyd"`, "probes"},
	"process/arguments":  {"", `arguments = ["-f"]`, "probes"},
	"process/owner":      {"", `owner = "root"`, "probes"},
	"process/minimum":    {"", `minimum = 2`, "probes"},
	"process/maximum":    {"", `maximum = 2`, "probes"},
	"service/minimum":    {`minimum = 1`, `minimum = "100%"`, "minimum"},
}

// conditionOf has, for each kind, a name and what its block must hold.
var conditionOf = map[string][2]string{
	"interface": {"eth1", ""},
	"ping":      {"gateway", `addresses = ["10.13.0.1"]`},
	"service":   {"web", ""},
	"exec":      {"gateway", `run = ["/etc/lvsd/programs/gateway"]`},
	"file":      {"flag", `path = "/run/flag"`},
	"process":   {"ntpd", ""},
}

// A reload that changes one option of a condition leaves the director as one that was
// started so: in what it probes, and in what it tells the keeper.
func TestEveryOptionOfAConditionTakesEffectByReload(t *testing.T) {
	for _, k := range blockOf(t, "condition").Kinds {
		for _, o := range k.Schema().Options {
			path := k.Name + "/" + o.Name
			row, ok := reloadedConditions[path]
			if !ok {
				row, ok = reloadedConditions[o.Name]
			}
			if !ok {
				t.Errorf("option %s has no row in this test", path)
				continue
			}
			t.Run(path, func(t *testing.T) {
				before, after := withCondition(t, k.Name, row.from), withCondition(t, k.Name, row.to)
				for _, up := range []bool{false, true} {
					reloaded, started := direct(t, before, after, up), direct(t, after, after, up)
					if diff := cmp.Diff(started, reloaded); diff != "" {
						t.Errorf("with results: %v: it is not as one that was started so (-want +got):\n%s", up, diff)
					}
					over := up && o.Name == "initial" // There were results.
					if !over && cmp.Equal(direct(t, before, before, up), reloaded) {
						t.Errorf("with results: %v: it is as if nothing had been changed, or this test does not show it", up)
					}
				}
				names(t, path, row.told, before, after)
			})
		}
	}
}

// blockOf is what a block at the top level may hold.
func blockOf(t *testing.T, name string) *block.Schema {
	for _, o := range config.Schema().Options {
		if o.Name == name {
			return o.Block
		}
	}
	t.Fatalf("there is no block %s", name)
	return nil
}

// withCondition is a configuration whose router tracks a condition with some lines.
func withCondition(t *testing.T, kind, lines string) *config.Config {
	t.Helper()
	of := conditionOf[kind]
	contents := filled(strings.Split(of[1], "\n"), strings.Split(lines, "\n"))
	return parsed(t, fmt.Sprintf(`
condition %q %q {
%s
}
virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.9.0.200/24"]
  track %[1]q %[2]q { weight = -20 }
}
virtual_service "web" {
  address = "10.13.0.200"
  port = 80
  forward = "nat"
  real_server "192.168.1.4" {}
  real_server "192.168.1.5" {}
}
`, kind, of[0], strings.Join(contents, "\n")))
}

// reloadedTracks has, for every option of a track block that is not the condition's,
// what a reload changes it to.
var reloadedTracks = map[string]string{
	"weight":     "weight = -30",
	"reverse":    "weight = -20\nreverse = true",
	"up_after":   "weight = -20\nup_after = \"5s\"",
	"down_after": "weight = -20\ndown_after = \"5s\"",
}

// A virtual router whose track has changed is as one that was started so.
func TestEveryOptionOfATrackTakesEffectByReload(t *testing.T) {
	track := func(lines string) vrrp.Config {
		return router(t, "track", "track \"interface\" \"eth1\" {\n"+lines+"\n}")
	}
	var tracks *block.Schema
	for _, o := range blockOf(t, "virtual_router").Options {
		if o.Name == "track" {
			tracks = o.Block
		}
	}
	for _, o := range tracks.Kinds[0].Schema().Options {
		lines, ok := reloadedTracks[o.Name]
		if !ok {
			t.Errorf("option %s has no row in this test", o.Name)
			continue
		}
		for _, role := range []vrrp.State{vrrp.Master, vrrp.Backup} {
			before, after := track("weight = -20"), track(lines)
			t.Run(fmt.Sprintf("%s of a %s", o.Name, role), func(t *testing.T) { takesEffect(t, role, before, after, false) })
			t.Run(fmt.Sprintf("%s of a %s, and back", o.Name, role), func(t *testing.T) { takesEffect(t, role, after, before, false) })
		}
	}
}
