package director

import (
	"log/slog"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/vrrp"
)

// offerAgain is how long an offer waits for an operator's order to end.
const offerAgain = time.Second

// offerRoles has a director that is cut off offer the roles that it still has, once until it
// has seen a server: a peer that does not preempt takes them, and one as blind declines.
func (c *Core) offerRoles(now time.Time) {
	if !due(c.offerAt, now) {
		return
	}
	c.offerAt = time.Time{}
	var masters []vrrp.Config
	for _, r := range c.config.Routers {
		if c.statusOf(r.Name).State == vrrp.Master && r.Priority != 255 {
			masters = append(masters, r)
		}
	}
	switch {
	case c.stopping || len(masters) == 0:
	case c.busy() != nil:
		c.offerAt = now.Add(offerAgain)
	default:
		c.tell(now, event.Warning, "isolation-offer", "", "this director is cut off, and no other one has taken over: it offers its roles once, and keeps them if nobody takes them",
			slog.String("routers", namesOf(masters)))
		c.offer(now, masters, false, &moving{by: api.User{Name: "lvsd itself, which is cut off"}, isolated: true, asker: func(api.Ordered) {}, ended: c.offeredRoles})
	}
}

// offeredRoles tells what came of that.
func (c *Core) offeredRoles(now time.Time, o api.Ordered) {
	for _, m := range o.Routers {
		c.tell(now, event.Info, "isolation-offered", m.Router, "the role of a director that is cut off was offered", slog.String("router", m.Router), slog.String("outcome", m.Outcome))
	}
}
