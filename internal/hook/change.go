package hook

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

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
// state before.
type change struct{ from, to, reason string }

// facts are what else a hook is told of its router.
type facts struct {
	link      string
	priority  uint8
	addresses []netip.Prefix
}

// variables are the environment of a program that is told of a change.
func (c change) variables(router string, f facts) []string {
	addresses := make([]string, len(f.addresses))
	for i, a := range f.addresses {
		addresses[i] = a.String()
	}
	return []string{
		"LVSD_ROUTER=" + router,
		"LVSD_STATE=" + c.to,
		"LVSD_FORMER_STATE=" + c.from,
		"LVSD_REASON=" + strings.ReplaceAll(c.reason, "\x00", ""),
		fmt.Sprintf("LVSD_PRIORITY=%d", f.priority),
		"LVSD_INTERFACE=" + f.link,
		"LVSD_ADDRESSES=" + strings.Join(addresses, " "),
	}
}

// stateAfter is the state that an event tells of; empty: it tells of none.
func stateAfter(e vrrp.Event) string {
	switch {
	case e.Code == vrrp.CannotStart, e.Changed() && e.Code == vrrp.StoodBack:
		return fault
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

// lasting is how long a router must have been in a fault of which no event has told:
// the events of a thousand routers at once may find no room, but a keeper that is
// started again begins with faults that are none.
const lasting = 3 * time.Second

// stateIn is the state that a status shows for certain, and the reason; empty: none.
func stateIn(now time.Time, s *vrrp.Status) (state, reason string) {
	switch {
	case s.State == vrrp.Master:
		return master, ""
	case s.State == vrrp.Backup:
		return backup, ""
	case s.Phase == vrrp.Ended:
		return stop, "stopped"
	case s.Phase == vrrp.Waiting && s.Fault != "" && now.Sub(s.Since) > lasting:
		return fault, s.Fault
	}
	return "", ""
}
