package director

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/text"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A KeptOut is a real server that has failed, and that manual_resume keeps out until an
// operator lets it in.
type KeptOut struct {
	Service string // the service's name
	Server  ipvsctl.DestinationKey
	Since   time.Time // when it failed
}

// An absent is a real server of a service, by the service's name: it is the same one when
// the service moves to another address.
type absent struct {
	service string
	server  ipvsctl.DestinationKey
}

// keptOut are all that manual_resume keeps out.
type keptOut struct {
	// since is when each of them has failed, and resumed when the others were let in that
	// have not failed since.
	since, resumed map[absent]time.Time
	// saving: they are being written. unsaved: others than those that are.
	saving, unsaved bool
}

// take takes those of an earlier process.
func (k *keptOut) take(all []KeptOut) {
	for _, out := range all {
		k.add(absent{out.Service, out.Server}, out.Since)
	}
}

func (k *keptOut) add(a absent, since time.Time) {
	if k.since == nil {
		k.since = make(map[absent]time.Time)
	}
	k.since[a] = since
	delete(k.resumed, a)
}

// resume lets one in, if it is out, and returns since when it was.
func (k *keptOut) resume(now time.Time, a absent) (since time.Time, out bool) {
	if since, out = k.since[a]; !out {
		return since, false
	}
	delete(k.since, a)
	if k.resumed == nil {
		k.resumed = make(map[absent]time.Time)
	}
	k.resumed[a] = now
	return since, true
}

// forget drops those that a configuration does not keep out any more, and reports whether
// there were any.
func (k *keptOut) forget(services []config.Service) bool {
	if len(k.since)+len(k.resumed) == 0 {
		return false
	}
	wanted := make(map[absent]bool)
	for i := range services {
		for j := range services[i].Servers {
			wanted[absent{services[i].Name, services[i].Servers[j].Key}] = services[i].Policed().ManualResume
		}
	}
	n := len(k.since)
	maps.DeleteFunc(k.since, func(a absent, _ time.Time) bool { return !wanted[a] })
	maps.DeleteFunc(k.resumed, func(a absent, _ time.Time) bool { return !wanted[a] })
	return len(k.since) < n
}

// absentOf identifies the real server Services[service].Servers[server].
func (c *Core) absentOf(service, server int) absent {
	s := &c.config.Services[service]
	return absent{s.Name, s.Servers[server].Key}
}

// keepOut keeps out those servers that have failed and lost their rows. One that panic
// or isolation has held in never left the table, so it is not kept out of it.
func (c *Core) keepOut(now time.Time) {
	changed := false
	for i := range c.config.Services {
		s := &c.config.Services[i]
		if !s.Policed().ManualResume {
			continue
		}
		holds := c.holds(i)
		for j := range s.Servers {
			standing := c.healths.Standing(i, j)
			if standing.State != checker.Down || !standing.Fell {
				continue
			}
			a := c.absentOf(i, j)
			since, out := c.kept.since[a]
			held := slices.ContainsFunc(holds, func(h Hold) bool { return h.holds(now, standing) })
			switch {
			case held && out && since.Equal(standing.Since):
				delete(c.kept.since, a)
				changed = true
			case !held && !out:
				c.kept.add(a, standing.Since)
				changed = true
				c.tell(now, event.Warning, "server-kept-out", s.Name+"/"+s.Servers[j].Name, "real server has failed, and stays out until an operator lets it in (manual_resume)",
					slog.String("service", s.Name), slog.String("server", s.Servers[j].Name), slog.String("address", s.Servers[j].Key.String()),
					slog.String("remedy", "lvsd resume "+s.Name+"/"+s.Servers[j].Name))
			}
		}
	}
	if changed {
		c.saveKeptOut()
	}
}

// saveKeptOut has them kept beyond this process, one writing after the other.
func (c *Core) saveKeptOut() {
	if c.kept.saving {
		c.kept.unsaved = true
		return
	}
	c.kept.saving, c.kept.unsaved = true, false
	all := make(SaveKeptOut, 0, len(c.kept.since))
	for a, since := range c.kept.since {
		all = append(all, KeptOut{a.service, a.server, since})
	}
	slices.SortFunc(all, func(a, b KeptOut) int { return cmp.Or(cmp.Compare(a.Service, b.Service), a.Server.Compare(b.Server)) })
	c.do(all)
}

// savedKeptOut takes what came of that.
func (c *Core) savedKeptOut(now time.Time, err error) {
	c.kept.saving = false
	if err != nil {
		c.tell(now, event.Warning, "kept-out-unsaved", "", "which real servers are kept out (manual_resume) is not remembered over a restart of lvsd", slog.Any("error", err))
	}
	if c.kept.unsaved {
		c.saveKeptOut()
	}
}

// letIn lets real servers in that manual_resume keeps out: "web/192.168.1.4", or "web" for
// all of a service. One that is down serves as soon as its checks pass.
func (c *Core) letIn(now time.Time, in Resume) {
	o := done()
	var all []position
	for _, name := range in.Servers {
		found, err := c.named(name)
		if err != nil {
			c.refuseOrder(in.Asker, err)
			return
		}
		all = append(all, found...)
	}
	for _, p := range all {
		since, out := c.kept.resume(now, c.absentOf(p.service, p.server))
		if !out {
			continue
		}
		c.healths.forgive(p.service, p.server)
		s := &c.config.Services[p.service]
		name := s.Name + "/" + s.Servers[p.server].Name
		how := "serves now"
		if c.healths.State(p.service, p.server) != checker.Up {
			how = "serves as soon as its checks pass"
		}
		o.Ended = append(o.Ended, fmt.Sprintf("manual_resume of %s, which failed %s ago, and %s", name, now.Sub(since).Round(time.Second), how))
		c.tell(now, event.Info, "server-resumed", name, "real server is let in again, as was ordered", slog.String("service", s.Name), slog.String("server", s.Servers[p.server].Name),
			slog.String("user", in.By.Name), slog.Uint64("uid", uint64(in.By.UID)))
	}
	if len(o.Ended) > 0 {
		c.outdated = true
		c.saveKeptOut()
	}
	c.do(Conclude{in.Asker, o})
}

// A position is the place of a real server: Services[service].Servers[server].
type position struct{ service, server int }

// named are the real servers that an operator names: by service and server, or by the
// service.
func (c *Core) named(name string) (all []position, err error) {
	var services []string
	for i := range c.config.Services {
		s := &c.config.Services[i]
		services = append(services, s.Name)
		server, one := strings.CutPrefix(name, s.Name+"/")
		switch {
		case name != s.Name && !one:
			continue
		case !s.Policed().ManualResume:
			err = fmt.Errorf("virtual service %q has no manual_resume, so its real servers come back by themselves", s.Name)
			continue
		}
		var servers []string
		found := len(all)
		for j := range s.Servers {
			servers = append(servers, s.Servers[j].Name)
			if !one || server == s.Servers[j].Name || server == s.Servers[j].Key.String() {
				all = append(all, position{i, j})
			}
		}
		if len(all) == found {
			err = fmt.Errorf("virtual service %q has no real server %q: they are %s", s.Name, server, text.Few(servers))
		}
	}
	switch {
	case len(all) > 0:
		return all, nil
	case err == nil:
		err = fmt.Errorf("there is no virtual service or real server %q: write SERVICE/SERVER, or SERVICE; the virtual services are %s", name, text.Few(services))
	}
	return nil, err
}

// absentees finds real servers that wait for an operator.
func (c *Core) absentees() findings {
	var all findings
	var names []string
	for i := range c.config.Services {
		s := &c.config.Services[i]
		for j := range s.Servers {
			if _, out := c.kept.since[c.absentOf(i, j)]; out {
				names = append(names, s.Name+"/"+s.Servers[j].Name)
			}
		}
	}
	if len(names) > 0 {
		all.add(api.Warning, "servers-kept-out", "", fmt.Sprintf("see why, then let it in: lvsd resume %s", names[0]),
			"%s failed and %s kept out until lvsd resume (manual_resume): %s", text.Count(len(names), "real server"), text.Be(len(names)), text.Few(names))
	}
	return all
}
