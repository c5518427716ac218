package control

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/vrrp"
)

// Warnings returns what an operator should look at, the most urgent first, one
// printable sentence each: what follows from the figures, and the director's
// own warnings.
func Warnings(st *director.Status) []string {
	var all []string
	warn := func(format string, args ...any) { all = append(all, Printable(fmt.Sprintf(format, args...))) }
	if r := &st.Reload; !r.OK && !r.Last.IsZero() {
		warn("RELOAD REFUSED at %s, the configuration of %s still runs. Mend %s, try it with \"lvsd validate\", and reload again: %s",
			clock(r.Last), clock(r.Applied), r.Path, r.Error)
	}
	if why := notReady(st); why != "" {
		warn("not ready: %s", why)
	}
	if len(st.Routers) > 0 && st.Keeper.PID == 0 {
		warn("the process that keeps the adverts is not running (it was started again %d times): no address is renewed and the peer may take over", st.Keeper.Restarts)
	}
	for i := range st.Routers {
		warnRouter(warn, &st.Routers[i])
	}
	warnServices(warn, st)
	if down, servers := downServers(st); len(down) > 0 {
		warn("%d of %d real servers are down: %s", len(down), servers, shorten(down, 3))
	}
	switch {
	case st.Table.LastError == "":
	case st.Table.Pending > 0:
		warn("the kernel's table is not as wanted, %d operations are left to do: %s", st.Table.Pending, st.Table.LastError)
	default:
		warn("the kernel's table is as wanted, but something failed: %s", st.Table.LastError)
	}
	for _, w := range st.Warnings {
		warn("%s", w)
	}
	return all
}

func warnRouter(warn func(string, ...any), r *vrrp.Status) {
	switch {
	case r.State == vrrp.Master && r.Held < len(r.Addresses):
		warn("virtual router %s is Master and holds %d of its %d addresses", r.Name, r.Held, len(r.Addresses))
	case r.State != vrrp.Master && r.Held > 0:
		warn("virtual router %s is %v and holds %d of its %d addresses all the same", r.Name, r.State, r.Held, len(r.Addresses))
	}
}

// unserved says why a service is, in an operator's words.
var unserved = map[director.Reason]string{
	director.NoServer: "no real server is configured",
	director.NoneUp:   "no real server is up",
	director.Drained:  "every real server that is not down has weight 0",
	director.NoResult: "no real server has had a result of its checks",
}

// warnServices sums up the services that serve badly, of which there may be
// thousands, by how they do.
func warnServices(warn func(string, ...any), st *director.Status) {
	var missing []string
	refusing, relieved := make(map[director.Reason][]string), make(map[director.Reason][]string)
	for i := range st.Services {
		v := &st.Services[i]
		name := fmt.Sprintf("%s (%s)", v.Name, v.Address)
		switch {
		case isMissing(v):
			missing = append(missing, name)
		case v.Supply != director.Unserved:
		case v.Fallback != nil && v.Fallback.InKernel:
			relieved[v.Reason] = append(relieved[v.Reason], name)
		default:
			refusing[v.Reason] = append(refusing[v.Reason], name)
		}
	}
	if len(missing) > 0 {
		warn("virtual services %s: not in the kernel's table, nobody serves their clients", shorten(missing, 3))
	}
	for _, reason := range slices.Sorted(maps.Keys(refusing)) {
		warn("virtual services %s: %s, clients are refused", shorten(refusing[reason], 3), unserved[reason])
	}
	for _, reason := range slices.Sorted(maps.Keys(relieved)) {
		warn("virtual services %s: %s, the fallback serves", shorten(relieved[reason], 3), unserved[reason])
	}
}

// isMissing tells whether a service is not in the kernel's table and should be.
func isMissing(v *director.ServiceStatus) bool {
	return !v.InKernel && v.Supply != director.Withheld
}

// countHealth counts a service's real servers by health.
func countHealth(v *director.ServiceStatus) map[director.Health]int {
	count := make(map[director.Health]int, 4)
	for i := range v.Servers {
		count[v.Servers[i].Health]++
	}
	return count
}

// downServers names the real servers that are down, and counts all of them.
func downServers(st *director.Status) (down []string, servers int) {
	for i := range st.Services {
		v := &st.Services[i]
		servers += len(v.Servers)
		for j := range v.Servers {
			if v.Servers[j].Health == director.HealthDown {
				down = append(down, v.Name+"/"+v.Servers[j].Name)
			}
		}
	}
	return down, servers
}

// shorten lists the first n names and counts the rest.
func shorten(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}

// clock writes a moment in the daemon's time zone, to the second.
func clock(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.DateTime)
}

// span writes a duration in its two largest units: "4m12s", "3h05m", "2d04h".
func span(d time.Duration) string {
	s := int64(max(d, 0) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 60*60:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 24*60*60:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	default:
		return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
	}
}

// latency writes how long a probe took: "850 µs", "1.2 ms", "1.02 s".
func latency(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}
