package director

import (
	"net/netip"

	"github.com/lvsd/lvsd/checker"
)

// Suspend makes these the services whose checks do not run now. A target that only they have
// says nothing of the network, as what was heard of it last may be long ago.
func (h *Healths) Suspend(asleep func(service int) bool) {
	h.targets, h.silent, h.several = 0, 0, false
	var addr netip.Addr
	for first := 0; first < len(h.waiters); {
		w, t := &h.waiters[first], h.target(h.waiters[first])
		w.asleep = true
		end := first
		for ; end < len(h.waiters) && *h.target(h.waiters[end]) == *t; end++ {
			w.asleep = w.asleep && asleep(int(h.waiters[end].service))
		}
		if first = end; w.asleep || !t.Addr.IsValid() {
			continue
		}
		h.targets++
		h.several = h.several || addr.IsValid() && t.Addr != addr
		if addr = t.Addr; w.silent {
			h.silent++
		}
	}
}

// decided reports whether the last probe of each check of a service could be run.
func (h *Healths) decided(service int) bool {
	for j := range h.servers[service] {
		for _, check := range h.of(service, j) {
			if last := check.Last().Outcome; last != checker.Passed && last != checker.Failed {
				return false
			}
		}
	}
	return true
}
