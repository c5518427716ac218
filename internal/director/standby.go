package director

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/text"
	"github.com/lvsd/lvsd/vrrp"
)

// saveWithin is how long an order waits for the disk.
const saveWithin = 5 * time.Second

// standBy begins a standby, once other directors are Master of all virtual routers.
// Another order within one only changes when that ends.
func (c *Core) standBy(now time.Time, in StandBy) {
	routers, err := c.concerned(nil)
	if err == nil {
		err = c.busy()
	}
	if err != nil {
		c.refuseOrder(in.Asker, err)
		return
	}
	lasts := "until lvsd resume"
	if in.For > 0 {
		lasts = in.For.String()
	}
	c.tell(now, event.Info, "standby-ordered", "", "a standby was ordered", slog.String("for", lasts),
		slog.Bool("force", in.Force), slog.String("user", in.By.Name), slog.Uint64("uid", uint64(in.By.UID)))
	if c.orders.standby != nil {
		c.beginStandby(now, in, done())
		return
	}
	c.offer(now, routers, in.Force, &moving{by: in.By, asker: in.Asker, asks: true, ended: func(now time.Time, o api.Ordered) {
		for _, m := range o.Routers {
			delete(c.orders.held, m.Router)
			o.OK = o.OK && (in.Force || !c.nextMaster(m))
		}
		if o.OK {
			c.beginStandby(now, in, o)
			return
		}
		o.Error = "this director is not in standby, since no other one has taken over all virtual routers: see to that one, or give --force"
		c.do(Conclude{in.Asker, o})
	}})
}

// nextMaster reports whether a router that was not Master is by now, or may be at any
// moment, since it follows none that stays.
func (c *Core) nextMaster(m api.Move) bool {
	s := c.statusOf(m.Router)
	follows := s.State == vrrp.Backup && s.Master.IsValid() && !slices.Contains([]vrrp.Phase{vrrp.Succeeding, vrrp.Entering, vrrp.Barred}, s.Phase)
	return m.Outcome == string(vrrp.NotMaster) && s.State != vrrp.Initialize && !follows
}

// beginStandby keeps this director from being Master.
func (c *Core) beginStandby(now time.Time, in StandBy, o api.Ordered) {
	s := api.Standby{By: in.By, Since: now}
	if in.For > 0 {
		s.Until = now.Add(in.For)
	}
	c.orders.standby, o.Standby = &s, &s
	c.tellKeeper()
	c.save(now, in.Asker, o)
}

// keepStandby goes on with a standby of an earlier process.
func (c *Core) keepStandby(now time.Time, kept StandbyKept) {
	s := api.Standby(kept)
	c.orders.standby = &s
	c.tell(now, event.Warning, "standby-kept", "", "still in standby, so this director does not become Master: lvsd resume ends that",
		slog.String("user", s.By.Name), slog.Uint64("uid", uint64(s.By.UID)), slog.Time("since", s.Since))
	c.tellKeeper()
}

// resume ends a standby, and lets virtual routers take back what failovers have given
// away.
func (c *Core) resume(now time.Time, in Resume) {
	if err := c.busy(); err != nil {
		c.refuseOrder(in.Asker, err)
		return
	}
	o, s := done(), c.orders.standby
	if s != nil {
		o.Ended = append(o.Ended, fmt.Sprintf("the standby, ordered by %v %s ago", s.By, now.Sub(s.Since).Round(time.Second)))
	}
	for _, router := range slices.Sorted(maps.Keys(c.orders.held)) {
		h := c.orders.held[router]
		o.Ended = append(o.Ended, fmt.Sprintf("the failover of virtual router %q, ordered by %v %s ago", router, h.By, now.Sub(h.Since).Round(time.Second)))
	}
	for _, name := range slices.Sorted(maps.Keys(c.barred)) {
		o.Ended = append(o.Ended, "the fault that "+c.barred[name])
	}
	if len(c.barred) > 0 {
		c.do(RetryResources{})
	}
	c.tell(now, event.Info, "resumed", "", "earlier orders of operators are over: this director takes part as configured",
		slog.Int("orders", len(o.Ended)), slog.String("user", in.By.Name), slog.Uint64("uid", uint64(in.By.UID)))
	c.orders.standby, c.orders.held = nil, nil
	if len(o.Ended) > 0 {
		c.tellKeeper()
	}
	if s == nil {
		c.do(Conclude{in.Asker, o})
		return
	}
	c.save(now, in.Asker, o)
}

// save has the standby kept beyond this process, and answers an order then, if there is
// one.
func (c *Core) save(now time.Time, asker func(api.Ordered), o api.Ordered) {
	c.orders.saves++
	c.do(SaveStandby{c.orders.saves, c.orders.standby})
	if asker != nil {
		c.orders.saving = &saving{asker, o, now.Add(saveWithin)}
	}
}

// savedStandby takes what came of that.
func (c *Core) savedStandby(in StandbySaved) {
	switch {
	case in.Number != c.orders.saves:
	case in.Err != nil:
		c.endSaving(fmt.Sprintf("this is not remembered over a restart of lvsd: %v", in.Err))
	default:
		c.endSaving("")
	}
}

// endSaving answers the order that waits for the disk, with a warning if there is one.
func (c *Core) endSaving(warning string) {
	s := c.orders.saving
	if s == nil {
		return
	}
	c.orders.saving = nil
	if warning != "" {
		s.outcome.Warnings = append(s.outcome.Warnings, warning)
	}
	c.do(Conclude{s.asker, s.outcome})
}

// expireOrders does what is due of what operators have ordered.
func (c *Core) expireOrders(now time.Time) {
	c.expireMoving(now)
	if s := c.orders.saving; s != nil && due(s.until, now) {
		c.endSaving("whether this is remembered over a restart of lvsd is not known: the disk with the state directory does not answer")
	}
	if s := c.orders.standby; s != nil && due(s.Until, now) {
		c.orders.standby = nil
		c.tell(now, event.Info, "standby-over", "", "the standby has ended as ordered: this director takes part again",
			slog.String("user", s.By.Name), slog.Uint64("uid", uint64(s.By.UID)), slog.Time("since", s.Since))
		c.tellKeeper()
		c.save(now, nil, api.Ordered{})
	}
}

// abandonOrders answers who waits for an order that a stop has overtaken.
func (c *Core) abandonOrders() {
	c.endSaving("")
	if m := c.orders.moving; m != nil {
		c.orders.moving = nil
		c.refuseOrder(m.asker, errors.New(stopping.Error))
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
