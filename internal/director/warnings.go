package director

import (
	"fmt"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A warning is a condition that an operator should mend. Its text may have
// figures that change, its subject tells whether it is news.
type warning struct{ subject, text string }

func (w warning) sameSubject(other warning) bool { return w.subject == other.subject }

// allWarnings are the conditions that an operator should mend.
func (d *Director) allWarnings() []string {
	all := append([]string{}, d.warnings...)
	all = append(all, advertWarnings(d.tallies[0].routers, d.counters())...)
	for _, w := range d.warned {
		all = append(all, w.text)
	}
	all = append(all, standBacks(d.statuses)...)
	if d.config.Director != d.atStart {
		all = append(all, "the director block differs from the one that lvsd was started with, and takes effect at the next start: systemctl restart lvsd")
	}
	if k := d.o.Keeper.Status(); k.PID != 0 && k.Why != "" {
		all = append(all, "the keeper runs with less than it should have: "+k.Why)
	}
	return all
}

// standBacks says why virtual routers are in Initialize.
func standBacks(routers []vrrp.Status) []string {
	var all []string
	for i := range routers {
		if r := &routers[i]; r.State == vrrp.Initialize && r.Fault != "" {
			all = append(all, fmt.Sprintf("virtual router %q stands back: %s", r.Name, r.Fault))
		}
	}
	return all
}

// forwardingWarnings are about services that need a machine which forwards
// packets, where this one does not: one for each family.
func forwardingWarnings(c *config.Config, m machine.Facts) []warning {
	var all []warning
	for _, family := range []struct {
		forwards, six bool
		sysctl        string
	}{
		{m.Forward4, false, "net.ipv4.ip_forward"},
		{m.Forward6, true, "net.ipv6.conf.all.forwarding"},
	} {
		i := slices.IndexFunc(c.Services, func(s config.Service) bool {
			return slices.ContainsFunc(s.Servers, func(srv config.Server) bool {
				return srv.Destination.Forward == ipvsctl.NAT && srv.Key.Addr.Is6() == family.six
			})
		})
		if i >= 0 && !family.forwards {
			all = append(all, warning{family.sysctl, fmt.Sprintf("virtual service %q forwards by NAT, but this director does not forward packets, "+
				"so no answer reaches a client: set %s=1 (sysctl -w, and in /etc/sysctl.d)", c.Services[i].Name, family.sysctl)})
		}
	}
	return all
}

// notRunPatience is how long a check may be impossible to run, for a reason of
// this director's own, before that is worth a warning.
const notRunPatience = 10 * time.Second

// notRunWarnings are about checks that this director cannot run: one for all,
// since they usually have one reason.
func (h *Healths) notRunWarnings(now time.Time) []warning {
	stuck, example := 0, ""
	for i := range h.servers {
		for j := range h.servers[i] {
			for _, c := range h.servers[i][j].checks {
				since := c.NotRunSince()
				if since.IsZero() || now.Sub(since) < notRunPatience {
					continue
				}
				if stuck++; stuck == 1 {
					s := &h.services[i]
					example = fmt.Sprintf("%s/%s: %s", s.Name, s.Servers[j].Name, c.Last().Detail)
				}
			}
		}
	}
	if stuck == 0 {
		return nil
	}
	return []warning{{"checks that cannot be run", fmt.Sprintf("%d checks cannot be run for a reason of this director's own, so their servers stay as they are (%s)", stuck, example)}}
}
