package director

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/text"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// isolationCondition is the name of the condition that this director hears something
// of the servers. It concerns every virtual router.
const isolationCondition = "isolation"

// holds are what keeps servers of a service in the table, in the order in which they
// decide.
func (c *Core) holds(service int) (all []Hold) {
	if h := c.panics[c.config.Services[service].Key]; h.By != "" {
		all = append(all, h)
	}
	if c.isolation.By != "" {
		all = append(all, c.isolation)
	}
	return all
}

// judgePanics judges of which services so many servers have fallen silent at once
// that the network is the likelier fault.
func (c *Core) judgePanics(now time.Time) {
	for i := range c.config.Services {
		if s := &c.config.Services[i]; s.Policed().PanicPercent > 0 {
			c.judgePanic(now, i)
		} else {
			delete(c.panics, s.Key)
		}
	}
}

// judgePanic does that for one of them. A panic that is over stays known for as long
// as the failures that it was for could count again.
func (c *Core) judgePanic(now time.Time, service int) {
	s := &c.config.Services[service]
	hold := c.panics[s.Key]
	from := now.Add(-longest(s.Servers, (*config.Check).Detection))
	if hold.By != "" {
		switch held, _ := c.fallen(now, service, Hold{From: hold.From}); {
		case due(hold.Until, now) && c.isolated && held > 0:
			hold.Until = now.Add(s.Policy.PanicFor) // What is in the table stays in it.
			c.panics[s.Key] = hold
			return
		case due(hold.Until, now):
			c.panics[s.Key] = Hold{Until: hold.Until}
			c.tell(now, event.Warning, "panic-over", s.Name, "real servers were held in the table for panic_for: from now on, checks decide", about(s)...)
		case held == 0:
			c.panics[s.Key] = Hold{Until: now}
			c.tell(now, event.Info, "panic-over", s.Name, "the real servers that were held in the table answer again", about(s)...)
		default:
			return
		}
	}
	if until := c.panics[s.Key].Until; until.After(from) {
		from = until
	} else {
		delete(c.panics, s.Key)
	}
	fallen, all := c.fallen(now, service, Hold{From: from})
	if fallen*100 <= all*int(s.Policy.PanicPercent) {
		return
	}
	if c.panics == nil {
		c.panics = make(map[ipvsctl.ServiceKey]Hold)
	}
	c.panics[s.Key] = Hold{By: api.ByPanic, From: from, Until: now.Add(s.Policy.PanicFor)}
	c.tell(now, event.Error, "panic", s.Name, "real servers fell silent together: the network is likelier to be at fault, so they are held in the table",
		append(about(s), slog.Int("silent", fallen), slog.Int("of", all), slog.Duration("for", s.Policy.PanicFor))...)
}

// fallen counts the servers of a service that a hold keeps in the table, and all that
// have a weight.
func (c *Core) fallen(now time.Time, service int, h Hold) (fallen, all int) {
	for j := range c.config.Services[service].Servers[:c.config.Services[service].Real()] {
		if c.config.Services[service].Servers[j].Destination.Weight == 0 {
			continue
		}
		all++
		if h.holds(now, c.healths.Standing(service, j)) {
			fallen++
		}
	}
	return fallen, all
}

// longest is the longest time of all checks of some servers.
func longest(servers []config.Server, of func(*config.Check) time.Duration) (most time.Duration) {
	for j := range servers {
		for k := range servers[j].Checks {
			most = max(most, of(&servers[j].Checks[k]))
		}
	}
	return most
}

// isolate judges whether this director is cut off from all servers, and reports
// whether that has changed. When it is over, the servers that were held in have the
// time to be found up before they are let go.
func (c *Core) isolate(now time.Time) (changed bool) {
	cut := c.config.Director.Isolation && c.healths.Silent()
	if cut == c.isolated {
		return false
	}
	c.isolated, c.outdated = cut, true
	var most time.Duration
	of := (*config.Check).Recovery
	if cut {
		of = (*config.Check).Detection
	}
	for i := range c.config.Services {
		most = max(most, longest(c.config.Services[i].Servers, of))
	}
	if cut {
		if c.isolation.By == "" || due(c.isolation.Until, now) {
			c.isolation = Hold{By: api.ByIsolation, From: now.Add(-most)}
		}
		c.isolation.Until = time.Time{}
		c.offerAt = now.Add(patienceWithPeers(c.config.Routers))
		c.tell(now, event.Error, "isolated", "", "every check of every real server is silent: this director is likelier to be cut off than all of them to be dead, so they stay in the table",
			slog.Int("targets", c.healths.targets))
	} else {
		c.offerAt = time.Time{}
		most *= 2 // Some come back somewhat later than the first.
		c.isolation.Until = now.Add(most)
		c.tell(now, event.Info, "isolation-over", "", "a real server answers again: from now on, checks decide", slog.Duration("within", most))
	}
	return true
}

// defaultMissed is how many adverts a peer misses before a Master counts as gone.
const defaultMissed = 3

// patienceWithPeers is how long it takes at most until a peer that preempts has taken over
// from a Master whose priority has fallen: Master_Down, and an interval in which it hears of
// that.
func patienceWithPeers(routers []vrrp.Config) (most time.Duration) {
	for i := range routers {
		missed := time.Duration(max(routers[i].MissedAdverts, defaultMissed))
		most = max(most, (missed+2)*routers[i].Interval)
	}
	return max(most, time.Second)
}

// isolationJudged is what isolation means for virtual routers: this director should
// be Master only where no other one sees more.
func (c *Core) isolationJudged() vrrp.Condition {
	return vrrp.Condition{Name: isolationCondition, OK: !c.isolated, Penalty: vrrp.MaxPenalty,
		Reason: fmt.Sprintf("this director is cut off from all real servers: all of its %d targets are silent", c.healths.targets)}
}

// held finds servers that are in the table although their checks say that they are
// down.
func (c *Core) held(now time.Time) findings {
	var all findings
	if c.isolated {
		all.add(api.Error, "isolated", "", "look at this director's link, switch and routes to the real servers; if they are all dead in truth, isolation = false in the director block makes them count as that",
			"this director hears nothing from any real server, so it keeps them in the table, and is Master only if no other director is better: all of its %d targets are silent", c.healths.targets)
	}
	for i := range c.config.Services {
		s := &c.config.Services[i]
		h := c.panics[s.Key]
		if h.By == "" {
			continue
		}
		if n, _ := c.fallen(now, i, h); n > 0 {
			all.add(api.Error, "panic", s.Name, "look at the network between this director and these servers",
				"%s of virtual service %q fell silent together, so they are held in the table until %s", text.Count(n, "real server"), s.Name, h.Until.Format(time.TimeOnly))
		}
	}
	return all
}

// reserves finds services that are served by another tier than their first.
func (c *Core) reserves() findings {
	var all findings
	var names []string
	for i := range c.config.Services {
		// The last plan may be one of another configuration.
		if s := &c.config.Services[i]; c.ranked[s.Key].late() {
			names = append(names, s.Name)
		}
	}
	if len(names) > 0 {
		all.add(api.Warning, "tier-serves", "", "", "too few servers of the first tier take connections, so those of a later one serve: %s", text.Few(names))
	}
	return all
}
