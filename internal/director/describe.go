package director

import (
	"fmt"
	"strings"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/vrrp"
)

// maxNames is how many virtual routers in one state are named, and not counted.
const maxNames = 4

// describe tells the service manager in one line how the daemon is, if that is
// news.
func (c *Core) describe() {
	if line := c.description(); line != c.described {
		c.described = line
		c.do(Describe(line))
	}
}

// description is a line such as "Master of outside; 2 of 3 virtual services
// served".
func (c *Core) description() string {
	var all []string
	switch {
	case c.stopping:
		all = append(all, "stopping")
	case !c.ready:
		all = append(all, "starting")
	}
	if c.orders.standby != nil {
		all = append(all, "in standby")
	}
	for _, s := range []vrrp.State{vrrp.Master, vrrp.Backup, vrrp.Initialize} {
		if of := namesIn(c.routers, s); of != "" {
			all = append(all, string(s)+" of "+of)
		}
	}
	served, withheld := 0, 0
	for _, v := range c.planned.Verdicts {
		switch v.Supply {
		case api.Served:
			served++
		case api.Withheld:
			withheld++
		}
	}
	if n := len(c.planned.Verdicts); n > withheld {
		all = append(all, fmt.Sprintf("%d of %d virtual services served", served, n-withheld))
	}
	if !c.reload.OK {
		all = append(all, `RELOAD REFUSED (see "lvsd status")`)
	}
	return strings.Join(all, "; ")
}

// namesIn names the virtual routers in a state, or counts them where they are
// many.
func namesIn(routers []*vrrp.Status, s vrrp.State) string {
	var names []string
	for i := range routers {
		if routers[i].State == s {
			names = append(names, routers[i].Name)
		}
	}
	if len(names) > maxNames {
		return fmt.Sprintf("%d virtual routers", len(names))
	}
	return strings.Join(names, ", ")
}
