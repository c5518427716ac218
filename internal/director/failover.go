package director

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/text"
	"github.com/lvsd/lvsd/vrrp"
)

// failOver begins a failover.
func (c *Core) failOver(now time.Time, in Failover) {
	routers, err := c.concerned(in.Routers)
	err = cmp.Or(err, c.busy(), refuseOwners(routers))
	if err != nil {
		c.refuseOrder(in.Asker, err)
		return
	}
	c.tell(now, event.Info, "failover-ordered", "", "a failover was ordered", slog.String("routers", namesOf(routers)),
		slog.Bool("force", in.Force), slog.String("user", in.By.Name), slog.Uint64("uid", uint64(in.By.UID)))
	c.offer(now, routers, in.Force, &moving{by: in.By, asker: in.Asker, ended: func(_ time.Time, o api.Ordered) { c.do(Conclude{in.Asker, o}) }})
}

// refuseOrder answers an order that is not carried out.
func (c *Core) refuseOrder(asker func(api.Ordered), err error) {
	o := done()
	o.OK, o.Error = false, err.Error()
	c.do(Conclude{asker, o})
}

// busy refuses an order while the director cannot carry it out.
func (c *Core) busy() error {
	switch {
	case c.stopping:
		return errors.New("lvsd is stopping, and hands over anyway")
	case c.orders.moving != nil:
		return fmt.Errorf("another failover is under way, ordered by %v: wait until it has ended", c.orders.moving.by)
	case c.orders.saving != nil:
		return errors.New("another order is being written to the disk: wait until it is")
	}
	return nil
}

// done is what becomes of an order that is carried out, so far.
func done() api.Ordered {
	return api.Ordered{OK: true, Routers: []api.Move{}, Ended: []string{}, Warnings: []string{}}
}

// concerned are the virtual routers of these names, or of sync groups, or all where none
// is given. One of a sync group moves with all others of it.
func (c *Core) concerned(names []string) ([]vrrp.Config, error) {
	all := c.config.Routers
	if len(all) == 0 {
		return nil, fmt.Errorf("no virtual router is configured: this director moves no addresses")
	}
	if len(names) == 0 {
		return all, nil
	}
	routers, groups := make(map[string]bool), make(map[string]bool)
	for _, name := range names {
		found := false
		for i := range all {
			r := &all[i]
			if r.Name == name || r.SyncGroup == name && name != "" {
				found, routers[r.Name], groups[r.SyncGroup] = true, true, r.SyncGroup != ""
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no virtual router or sync group %q: the virtual routers are %s", name, namesOf(all))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(r vrrp.Config) bool { return !routers[r.Name] && !groups[r.SyncGroup] }), nil
}

func namesOf(routers []vrrp.Config) string {
	names := make([]string, 0, len(routers))
	for i := range routers {
		names = append(names, routers[i].Name)
	}
	return text.Few(names)
}

// refuseOwners refuses a failover of routers that would not hold back.
func refuseOwners(routers []vrrp.Config) error {
	for i := range routers {
		if routers[i].Priority == 255 {
			return fmt.Errorf("virtual router %q owns its addresses (priority 255), and an owner always takes them back (RFC 9568 section 6.1): stop lvsd instead, or lower the priority",
				routers[i].Name)
		}
	}
	return nil
}

// offer has the Masters among some routers offer their roles.
func (c *Core) offer(now time.Time, routers []vrrp.Config, force bool, m *moving) {
	m.moves, m.until = make(map[string]api.Move), now.Add(tellWithin)
	c.orders.number++
	for i := range routers {
		r := &routers[i]
		s := c.statusOf(r.Name)
		if s.State != vrrp.Master && (!m.asks || s.Name == "") {
			m.moves[r.Name] = moveOf(r.Name, vrrp.NotMaster, s)
			continue
		}
		m.offers = append(m.offers, vrrp.Offer{Router: r.Name, Number: c.orders.number, Force: force})
		if until := now.Add(tellWithin + r.Leave.Timeout + offerIntervals*r.Interval); until.After(m.until) {
			m.until = until
		}
		if r.Preempt && s.State == vrrp.Master && !m.isolated {
			c.orders.hold(r.Name, api.Held{By: m.by, Since: now})
		}
	}
	c.orders.moving = m
	if len(m.offers) > 0 {
		c.tellKeeper()
	}
	c.followOrders(now)
}

// statusOf is what was last heard of a router; zero: nothing.
func (c *Core) statusOf(router string) *vrrp.Status {
	for i := range c.routers {
		if c.routers[i].Name == router {
			return c.routers[i]
		}
	}
	return &vrrp.Status{State: vrrp.Initialize}
}

func moveOf(router string, how vrrp.Outcome, s *vrrp.Status) api.Move {
	m := api.Move{Router: router, Outcome: string(how), State: api.State(s.State)}
	if s.State == vrrp.Backup {
		m.Master, m.MasterPriority = s.Master, s.MasterPriority
	}
	if how == vrrp.Kept {
		m.Reason = s.Offered.Reason
	}
	return m
}

// followOrders takes what the keeper has told about the routers that were ordered to do
// something.
func (c *Core) followOrders(now time.Time) {
	if m := c.orders.moving; m != nil {
		for _, o := range m.offers {
			if s := c.statusOf(o.Router); s.Offered.Number == o.Number && s.Offered.Outcome != "" {
				m.moves[o.Router] = moveOf(o.Router, s.Offered.Outcome, s)
			}
		}
		c.conclude(now)
	}
	if c.orders.moving != nil {
		return // Those that offer their roles are Master still.
	}
	for _, router := range slices.Sorted(maps.Keys(c.orders.held)) {
		if why := c.orders.over(router, c.statusOf(router)); why != "" {
			delete(c.orders.held, router)
			c.tell(now, event.Info, "failover-over", fmt.Sprintf("virtual router %q", router), why, slog.String("router", router))
			c.tellKeeper()
		}
	}
}

// expireMoving ends a failover of which the keeper has not told in time.
func (c *Core) expireMoving(now time.Time) {
	m := c.orders.moving
	if m == nil || now.Before(m.until) {
		return
	}
	for _, o := range m.offers {
		if _, ok := m.moves[o.Router]; !ok {
			m.moves[o.Router] = moveOf(o.Router, "unknown", c.statusOf(o.Router))
		}
	}
	c.conclude(now)
}

// conclude ends a failover if all its routers have. One that is Master still, or was
// not, has nothing to hold back from.
func (c *Core) conclude(now time.Time) {
	m := c.orders.moving
	outcome := done()
	offered := make(map[string]bool, len(m.offers))
	for _, o := range m.offers {
		if _, ok := m.moves[o.Router]; !ok {
			return
		}
		offered[o.Router] = true
	}
	for _, router := range slices.Sorted(maps.Keys(m.moves)) {
		move := m.moves[router]
		outcome.Routers = append(outcome.Routers, move)
		switch vrrp.Outcome(move.Outcome) {
		case vrrp.Accepted, vrrp.LetGo:
			continue
		case vrrp.NotMaster:
		default:
			outcome.OK = false
		}
		if offered[router] {
			delete(c.orders.held, router)
		}
	}
	if !outcome.OK {
		outcome.Error = "not all virtual routers were handed over"
	}
	c.orders.moving = nil
	m.ended(now, outcome)
	if len(m.offers) > 0 {
		c.tellKeeper()
	}
}

// assert has hooks run again.
func (c *Core) assert(now time.Time, in Assert) {
	_, err := c.concerned(in.Names)
	if c.stopping {
		err = errors.New("lvsd is stopping")
	}
	if err != nil {
		c.refuseOrder(in.Asker, err)
		return
	}
	names := "all"
	if len(in.Names) > 0 {
		names = text.Few(in.Names)
	}
	c.tell(now, event.Info, "assertion-ordered", "", "the hooks are run again, as was ordered", slog.String("of", names),
		slog.String("user", in.By.Name), slog.Uint64("uid", uint64(in.By.UID)))
	c.do(AssertHooks{in.Names, in.By, in.Asker})
}
