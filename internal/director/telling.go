package director

import (
	"fmt"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
	"github.com/lvsd/lvsd/vrrp"
)

// syncRole is the role that the kernel's sync daemon should have; zero: nobody asks for one.
func (c *Core) syncRole() ipvsctl.SyncRole {
	switch router := c.config.Director.Sync.Router; {
	case router == "":
		return 0
	case c.masters()(router):
		return ipvsctl.SyncMaster
	default:
		return ipvsctl.SyncBackup
	}
}

// wantedSettings are the kernel's parameters as they should be now.
func (c *Core) wantedSettings() map[machine.Setting]string {
	return wantedSettings(c.config, c.facts, c.syncRole(), c.tuned)
}

// tellConnections has the others told of all connections while this director is Master of
// the router that decides, by the newest table.
func (c *Core) tellConnections() {
	s := c.config.Director.Sync
	tell := c.syncRole() == ipvsctl.SyncMaster && s.Refresh > 0
	if tell {
		c.do(TellConnections{&connections.Telling{Daemon: syncDaemon(s, ipvsctl.SyncMaster), Table: c.planned.Table, Rules: Rules(c.config), Every: s.Refresh, Rate: s.Rate}})
	} else if c.telling {
		c.do(TellConnections{})
	}
	c.telling = tell
}

// learned is when this director has been told of all connections, as far as is known. Whoever
// tells of them does that within one time, and again; a round of which the beginning was
// heard may take longer, and its end will be heard.
func (c *Core) learned() time.Time {
	rounds := time.Duration(2)
	if c.begun {
		rounds = mostRounds
	}
	return c.started.Add(rounds * c.config.Director.Sync.Refresh)
}

// mostRounds bounds how long the end of a round is waited for.
const mostRounds = 10

// listen has this director hear when it has been told of all connections, once its kernel
// takes what is told.
func (c *Core) listen() {
	d := syncDaemon(c.config.Director.Sync, ipvsctl.SyncBackup)
	if c.learning && !c.listening && c.syncRole() == ipvsctl.SyncBackup && obeyed(machine.SyncBackup, c.facts.Settings[machine.SyncBackup], c.wantedSettings()[machine.SyncBackup]) {
		c.listening = true
		c.do(LearnConnections{d})
	}
}

// decides reports whether a virtual router is the one that decides about connections, or
// moves with that.
func decides(routers []vrrp.Config, s config.ConnectionSync, r *vrrp.Config) bool {
	i := slices.IndexFunc(routers, func(other vrrp.Config) bool { return other.Name == s.Router })
	return i >= 0 && (r.Name == s.Router || r.SyncGroup != "" && r.SyncGroup == routers[i].SyncGroup)
}

// notPreempting are the virtual routers as they are to run while this director may not know
// all connections: the role that decides about them stays with who is Master.
func (c *Core) notPreempting(routers []vrrp.Config) []vrrp.Config {
	if !c.learning {
		return routers
	}
	routers = slices.Clone(routers)
	for i := range routers {
		if decides(routers, c.config.Director.Sync, &routers[i]) {
			routers[i].Preempt = false
		}
	}
	return routers
}

// learning finds a virtual router that would be Master if its director had been told of all
// connections.
func (all *findings) learning(c *Core) {
	s := c.config.Director.Sync
	i := slices.IndexFunc(c.config.Routers, func(r vrrp.Config) bool { return r.Name == s.Router })
	backup := slices.ContainsFunc(c.routers, func(st *vrrp.Status) bool { return st.Name == s.Router && st.State == vrrp.Backup })
	if !c.learning || i < 0 || !c.config.Routers[i].Preempt || !backup {
		return
	}
	all.add(api.Info, "learning-connections", fmt.Sprintf("virtual router %q", s.Router), "wait, or run lvsd failover on the other director",
		"virtual router %q does not preempt until this director has been told of all connections, by %s at the latest", s.Router, c.learned().Format(time.TimeOnly))
}
