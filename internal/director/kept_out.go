package director

import (
	"maps"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

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
			wanted[absent{services[i].Name, services[i].Servers[j].Key}] = services[i].PolicyOf(j).ManualResume
		}
	}
	n := len(k.since)
	maps.DeleteFunc(k.since, func(a absent, _ time.Time) bool { return !wanted[a] })
	maps.DeleteFunc(k.resumed, func(a absent, _ time.Time) bool { return !wanted[a] })
	return len(k.since) < n
}
