package hook

import (
	"slices"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

func TestTheHooksOfAGroup(t *testing.T) {
	s := newStage()
	pair := []vrrp.Config{{Name: "web", SyncGroup: "nat"}, {Name: "inside", SyncGroup: "nat"}}
	h := on("any")
	h.Owner = config.Owner{Group: "nat"}
	s.do(s.Configure(s.now, pair, []config.Hook{h}))
	inside := func(from, to vrrp.State, code string) {
		st := status(to)
		st.Name, st.Interface, st.Priority, st.Addresses = "inside", "eth1", 90, st.Addresses[1:]
		s.do(s.Take(s.now, []*vrrp.Status{new(st)}, []vrrp.Event{{Code: code, Router: "inside", From: from, To: to, Text: "because"}}))
	}
	s.become(vrrp.Initialize, vrrp.Backup, vrrp.BecameBackup)
	s.check(t)
	inside(vrrp.Initialize, vrrp.Backup, vrrp.BecameBackup)
	s.check(t, "start /hooks/any LVSD_STATE=backup LVSD_FORMER_STATE=")
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.check(t)
	inside(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.check(t, "start /hooks/any LVSD_STATE=master LVSD_FORMER_STATE=backup")
	want := []string{"LVSD_ROUTER=inside web", "LVSD_GROUP=nat", "LVSD_PRIORITY=90", "LVSD_INTERFACE=eth1 eth0", "LVSD_ADDRESSES=192.168.1.254/24 10.13.0.200/24 192.168.1.254/24"}
	for _, v := range want {
		if !slices.Contains(s.begun[2].Env, v) {
			t.Errorf("%s is not in %q", v, s.begun[2].Env)
		}
	}
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	inside(vrrp.Master, vrrp.Initialize, vrrp.StoodBack)
	s.check(t, "start /hooks/any LVSD_STATE=fault LVSD_FORMER_STATE=master")
	s.become(vrrp.Master, vrrp.Initialize, vrrp.StoodBack)
	s.end(spawn.Outcome{}, nil)
	s.seen = nil
	s.do(s.Finish(s.now))
	s.check(t, "start /hooks/any LVSD_STATE=stop LVSD_FORMER_STATE=fault")
}

// A reload takes the sync group "nat" of two Masters, "web" and "inside", away.
func TestASyncGroupThatLeavesTheConfigurationStops(t *testing.T) {
	both := routers("web", "inside")
	grouped := func(name string, all []vrrp.Config) []vrrp.Config {
		all = slices.Clone(all)
		for i := range all {
			all[i].SyncGroup = name
		}
		return all
	}
	hook := func(group string) config.Hook {
		h := on("any")
		h.Owner, h.Run = config.Owner{Group: group}, []string{"/hooks/" + group}
		return h
	}
	const stopped = "start /hooks/nat LVSD_STATE=stop LVSD_FORMER_STATE=master"
	for _, c := range []struct {
		name    string
		routers []vrrp.Config
		hooks   []config.Hook
		want    []string
	}{
		{"its routers stay, alone", both, nil, []string{stopped}},
		{"one router stays, the other one goes", both[:1], nil, []string{stopped}},
		{"it has another name", grouped("dmz", both), []config.Hook{hook("dmz")}, []string{"start /hooks/dmz LVSD_STATE=master LVSD_FORMER_STATE=", stopped}},
		{"its routers go, and have not stopped yet", nil, nil, nil},
		{"it stays with one router", grouped("nat", both)[:1], []config.Hook{hook("nat")}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage()
			s.do(s.Configure(s.now, grouped("nat", both), []config.Hook{hook("nat")}))
			inside := status(vrrp.Master)
			inside.Name = "inside"
			s.do(s.Take(s.now, []*vrrp.Status{new(status(vrrp.Master)), new(inside)}, nil))
			s.end(spawn.Outcome{}, nil)
			s.seen = nil
			s.do(s.Configure(s.now, c.routers, c.hooks))
			s.check(t, c.want...)
			for _, command := range s.begun {
				if slices.Contains(command.Env, "LVSD_STATE=stop") && (!slices.Contains(command.Env, "LVSD_ROUTER=inside web") || !slices.Contains(command.Env, "LVSD_GROUP=nat")) {
					t.Errorf("told %q", command.Env)
				}
			}
			s.do(s.Configure(s.now, c.routers, c.hooks))
			s.check(t)
		})
	}
}

// The group comes back by a reload while its hook for stop still runs.
func TestASyncGroupThatComesBackIsToldOfItsState(t *testing.T) {
	s := newStage()
	h := on("any")
	h.Owner = config.Owner{Group: "nat"}
	grouped := []vrrp.Config{{Name: "web", SyncGroup: "nat"}}
	s.do(s.Configure(s.now, grouped, []config.Hook{h}))
	s.become(vrrp.Backup, vrrp.Master, vrrp.BecameMaster)
	s.end(spawn.Outcome{}, nil)
	s.do(s.Configure(s.now, routers("web"), nil))
	s.seen = nil
	s.do(s.Configure(s.now, grouped, []config.Hook{h}))
	s.check(t)
	s.end(spawn.Outcome{}, nil)
	s.check(t, "hook-run sync_group=nat state=stop program=/hooks/any result=exited with status 0", "start /hooks/any LVSD_STATE=master LVSD_FORMER_STATE=stop")
	s.become(vrrp.Master, vrrp.Backup, vrrp.BecameBackup)
	s.end(spawn.Outcome{}, nil)
	if !slices.Contains(s.seen, "start /hooks/any LVSD_STATE=backup LVSD_FORMER_STATE=master") {
		t.Errorf("%q", s.seen)
	}
}

func TestTheStateOfAGroup(t *testing.T) {
	for states, want := range map[string]string{
		"master master": "master", "backup backup": "backup", "backup master": "", "master fault": "fault", "backup fault": "fault",
		"stop stop": "stop", "stop backup": "", "backup": "backup",
	} {
		if got := jointly(strings.Fields(states)); got != want {
			t.Errorf("%s: %q, want %q", states, got, want)
		}
	}
	if got := jointly([]string{"stop", ""}); got != stop {
		t.Errorf("one that was never heard of, and one that stopped: %q", got)
	}
	if got := jointly([]string{"backup", ""}); got != "" {
		t.Errorf("one that was not heard of yet: %q", got)
	}
}
