package hook

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// The states of a virtual router as hooks are told of them, config.HookStates.
const (
	master = "master"
	backup = "backup"
	fault  = "fault"
	stop   = "stop"
)

// A change is one of a router's state. From is empty where no hook has been told of a
// state before. Asserted is why a hook is run although nothing has changed, so that from
// and to are equal; empty: it has.
type change struct{ from, to, reason, asserted string }

// What has a hook run again in the same state.
const (
	byInterval = "interval"
	byOrder    = "order"
)

// facts are what else a hook is told: of its router, or of all routers of its group.
type facts struct {
	routers    []string
	group      string
	interfaces []string
	priority   uint8 // the lowest
	addresses  []string
}

// factsOf are the facts of a router, by its status.
func factsOf(s *vrrp.Status) facts {
	f := facts{routers: []string{s.Name}, interfaces: []string{s.Interface}, priority: s.Priority}
	for _, a := range s.Addresses {
		f.addresses = append(f.addresses, a.String())
	}
	return f
}

// configured are the facts of a router of which nothing has been heard yet.
func configured(c *vrrp.Config) facts {
	f := facts{routers: []string{c.Name}, interfaces: []string{c.Interface}, priority: c.Priority}
	for _, a := range c.Addresses {
		f.addresses = append(f.addresses, a.String())
	}
	for _, e := range c.Extra {
		f.addresses = append(f.addresses, e.Prefix.String())
	}
	return f
}

// earliest is the earlier of two times, of which zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// and are the facts of several routers.
func (f facts) and(other facts) facts {
	if f.routers == nil {
		return other
	}
	f.routers = slices.Concat(f.routers, other.routers)
	f.addresses = slices.Concat(f.addresses, other.addresses)
	for _, name := range other.interfaces {
		if !slices.Contains(f.interfaces, name) {
			f.interfaces = append(slices.Clip(f.interfaces), name)
		}
	}
	f.priority = min(f.priority, other.priority)
	return f
}

// variables are the environment of a program that is told of a change.
func (c change) variables(f facts) []string {
	return []string{
		"LVSD_ROUTER=" + strings.Join(f.routers, " "),
		"LVSD_GROUP=" + f.group,
		"LVSD_STATE=" + c.to,
		"LVSD_FORMER_STATE=" + c.from,
		"LVSD_ASSERTED=" + c.asserted,
		"LVSD_REASON=" + strings.ReplaceAll(c.reason, "\x00", ""),
		fmt.Sprintf("LVSD_PRIORITY=%d", f.priority),
		"LVSD_INTERFACE=" + strings.Join(f.interfaces, " "),
		"LVSD_ADDRESSES=" + strings.Join(f.addresses, " "),
	}
}

// serviceVariables are the environment of a program that is told of a service's change.
func (c change) serviceVariables(st *api.ServiceState) []string {
	return []string{
		"LVSD_SERVICE=" + st.Service,
		"LVSD_SERVICE_ADDRESS=" + st.Address,
		"LVSD_SERVER=" + st.Server,
		"LVSD_SERVER_ADDRESS=" + st.ServerAddress,
		"LVSD_STATE=" + c.to,
		"LVSD_FORMER_STATE=" + c.from,
		"LVSD_REASON=" + strings.ReplaceAll(c.reason, "\x00", ""),
		fmt.Sprintf("LVSD_WEIGHT=%d", st.Weight),
		fmt.Sprintf("LVSD_SERVERS=%d", st.Servers),
		fmt.Sprintf("LVSD_SERVERS_SERVING=%d", st.Serving),
	}
}

// serverAttr names the server of a state in an event, if there is one.
func serverAttr(st *api.ServiceState) []slog.Attr {
	if st == nil || st.Server == "" {
		return nil
	}
	return []slog.Attr{slog.String("server", st.Server)}
}

// jointly is the state of a group whose routers are in these states; empty: they are
// on their way, or nothing was heard of one.
func jointly(states []string) string {
	switch first := states[0]; {
	case slices.Contains(states, fault):
		return fault
	case !slices.ContainsFunc(states, func(s string) bool { return s != first }):
		return first
	case slices.Contains(states, stop) && !slices.ContainsFunc(states, func(s string) bool { return s != stop && s != "" }):
		return stop
	}
	return ""
}

// stateAfter is the state that an event tells of; empty: it tells of none.
func stateAfter(e vrrp.Event) string {
	switch {
	case e.Code == vrrp.CannotStart, e.Changed() && e.Code == vrrp.StoodBack:
		return stoodBack(e.Text)
	case !e.Changed():
		return ""
	case e.Code == vrrp.StoppedRouter:
		return stop
	case e.To == vrrp.Master:
		return master
	case e.To == vrrp.Backup:
		return backup
	}
	return ""
}

// stoodBack is the state of a router that stands back. A standby is no fault: nothing is
// wrong, and an operator wants another director to be Master.
func stoodBack(why string) string {
	if api.IsStandby(why) {
		return backup
	}
	return fault
}

// lasting is how long a router must have been in a fault of which no event has told:
// the events of a thousand routers at once may find no room, but a keeper that is
// started again begins with faults that are none.
const lasting = 3 * time.Second

// starting is how long a virtual router may wait for the first IPVS table: a start has
// that fault, too, while it goes well.
const starting = time.Minute

// stateIn is the state that a status shows for certain, and the reason; empty: none.
// Before a router has run, its fault must be a condition that is not met.
func stateIn(now time.Time, s *vrrp.Status, ran bool) (state, reason string) {
	switch {
	case s.State == vrrp.Master:
		return master, ""
	case s.State == vrrp.Backup:
		return backup, ""
	case s.Phase == vrrp.Ended:
		return stop, "stopped"
	case s.Phase != vrrp.Waiting || s.Fault == "":
		return "", ""
	}
	unmet := slices.IndexFunc(s.Conditions, func(c vrrp.Judged) bool { return c.Hard && !c.Met }) // The first one is the fault.
	wait := lasting
	if unmet >= 0 && s.Conditions[unmet].Name == config.TableCondition {
		wait = starting
	}
	if now.Sub(s.Since) > wait && (ran || unmet >= 0) {
		return stoodBack(s.Fault), s.Fault
	}
	return "", ""
}
