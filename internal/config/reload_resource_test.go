package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/resource"
	"github.com/lvsd/lvsd/vrrp"
)

// reloadedResources has, for every option of every kind of resource, what a reload changes
// it to, and what the block says besides.
var reloadedResources = map[string][2]string{
	`resource "systemd"/timeout`: {`timeout = "5s"`},
	`resource "mount"/timeout`:   {`timeout = "5s"`, `device = "/dev/sdb1"`},
	`resource "mount"/device`:    {`device = "/dev/sdb2"`, `device = "/dev/sdb1"`},
	`resource "mount"/type`:      {`type = "ext4"`, `device = "/dev/sdb1"`},
	`resource "mount"/options`:   {`options = ["noatime", "ro"]`, `device = "/dev/sdb1"`},
	`resource "command"/timeout`: {`timeout = "5s"`, volume},
	`resource "command"/start`:   {`start = ["/volume", "begin"]`, volume},
	`resource "command"/stop`:    {`stop = ["/volume", "end"]`, volume},
	`resource "command"/status`:  {`status = ["/volume", "state"]`, volume},
	`resource "command"/user`:    {`user = "nobody"`, volume},
}

const volume = "start = [\"/volume\", \"start\"]\nstop = [\"/volume\", \"stop\"]\nstatus = [\"/volume\", \"status\"]"

// running is a configuration with a virtual router that has one resource.
func running(t *testing.T, kind string, lines ...string) *config.Config {
	t.Helper()
	name := map[string]string{"mount": "/srv", "systemd": "nginx.service", "command": "volume"}[kind]
	var said []string
	for i, line := range lines { // The last of an option counts.
		option, _, _ := strings.Cut(line, " ")
		again := false
		for _, later := range lines[i+1:] {
			again = again || strings.HasPrefix(later, option+" ")
		}
		if !again {
			said = append(said, line)
		}
	}
	return parsed(t, fmt.Sprintf("virtual_router \"outside\" {\ninterface = \"eth0\"\nid = 51\npreempt = false\naddresses = [\"10.13.0.200/24\"]\nresource %q %q {\n%s\n}\n}\n", kind, name, strings.Join(said, "\n")))
}

// with are the configurations without and with an option of a resource.
func with(t *testing.T, path string, row [2]string) (before, after *config.Config) {
	kind := strings.Split(path, "\"")[1]
	besides := strings.Split(row[1], "\n")
	return running(t, kind, besides...), running(t, kind, append(besides, row[0])...)
}

// A reload that changes one option of a resource leaves it as one that was started so.
func TestEveryOptionOfAResourceTakesEffectByReload(t *testing.T) {
	for _, path := range leaves(config.Schema(), "") {
		option, ok := strings.CutPrefix(path, "virtual_router/")
		if !ok || !strings.HasPrefix(option, "resource ") {
			continue
		}
		row, ok := reloadedResources[option]
		if !ok {
			t.Errorf("option %s has no row in this test", path)
			continue
		}
		before, after := with(t, option, row)
		reloaded, started := carried(before, after), carried(after, after)
		if diff := cmp.Diff(started, reloaded); diff != "" {
			t.Errorf("%s: it is not as one that was started so (-want +got):\n%s", path, diff)
		}
		if cmp.Equal(carried(before, before), reloaded) {
			t.Errorf("%s: it is as if nothing had been changed", path)
		}
	}
}

// carried runs one configuration as a Master, then the other, and returns what is running
// then, and how it is stopped.
func carried(before, after *config.Config) (seen []string) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var core resource.Core
	var under []resource.Run
	does := make(map[string]bool)
	do := func(effects []resource.Effect) {
		for _, e := range effects {
			if r, ok := e.(resource.Run); ok {
				under = append(under, r)
			}
		}
		for len(under) > 0 {
			r := under[0]
			under = under[1:]
			id := strings.Join(r.Resource.Start, " ") + " as " + r.Resource.User
			result := resource.Result{OK: true, Runs: does[id]}
			switch r.Action {
			case resource.Start:
				does[id] = true
			case resource.Stop:
				delete(does, id)
			}
			for _, e := range core.Ended(now, r.ID, result) {
				if r, ok := e.(resource.Run); ok {
					under = append(under, r)
					seen = append(seen, fmt.Sprintf("%s %+v", r.Action, r.Resource))
				}
			}
		}
	}
	become := func(s vrrp.Status) { s.Name = "outside"; do(core.Take(now, []*vrrp.Status{new(s)}, nil)) }
	do(core.Configure(now, before.Routers, before.Resources))
	become(vrrp.Status{State: vrrp.Master})
	do(core.Configure(now, after.Routers, after.Resources))
	seen = append(seen[:0], fmt.Sprint(does, after.Routers[0].Leave))
	core.Take(now, []*vrrp.Status{{Name: "outside", State: vrrp.Master, Question: vrrp.Question{Number: 1, Step: vrrp.Leave}}}, nil)
	routers, _ := core.Statuses()
	for _, r := range routers["outside"] {
		seen = append(seen, fmt.Sprintf("%s %s %s", r.Kind, r.Name, r.State))
	}
	return append(seen, fmt.Sprintf("%+v", after.Resources))
}

// A router is not Master where a resource could not be started, and waits for them before
// it leaves; those of a group alike.
func TestWhatResourcesMeanForTheirRouters(t *testing.T) {
	c := parsed(t, `
virtual_router "outside" {
  interface = "eth0"
  id        = 51
  preempt   = false
  addresses = ["10.13.0.200/24"]
  resource "mount" "/srv" {
    device  = "/dev/sdb1"
    timeout = "5s"
  }
  resource "systemd" "nginx.service" { timeout = "20s" }
}
virtual_router "inside" {
  interface = "eth1"
  id        = 51
  preempt   = false
  addresses = ["192.168.1.1/24"]
}
virtual_router "alone" {
  interface = "eth2"
  id        = 51
  addresses = ["192.168.2.1/24"]
}
sync_group "nat" {
  routers = ["outside", "inside"]
  resource "systemd" "nat.service" { timeout = "1s" }
}
`)
	// 5 and 20 s to stop them, 20 s for one that is starting, and 10 s for what does not end.
	want := []string{
		"outside [resources of outside resources of group nat] 55s",
		"inside [resources of group nat] 55s",
		"alone [] 0s",
	}
	var got []string
	for _, r := range c.Routers {
		var names []string
		for _, track := range r.Track {
			names = append(names, track.Condition)
		}
		got = append(got, fmt.Sprintf("%s %s %v", r.Name, names, r.Leave.Timeout))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
