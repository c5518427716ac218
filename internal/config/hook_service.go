package config

import (
	"slices"

	"github.com/lvsd/lvsd/internal/block"
)

// The states that the hooks of a virtual service are told of: of each real server, and of
// the service itself.
const (
	ServerUp      = "up"
	ServerDown    = "down"
	QuorumLost    = "quorum_lost"
	QuorumReached = "quorum_reached"
)

// ServiceStates are these, and serverStates those of them that a server has.
var (
	ServiceStates = []string{ServerUp, ServerDown, QuorumLost, QuorumReached}
	serverStates  = ServiceStates[:2]
)

type serviceHook struct {
	programBlock
	atStart, atStop bool
}

var serviceHookTable = block.NewTable("on", func() []block.Entry[serviceHook] {
	return append(programOptions(hookTimeout, func(h *serviceHook) *programBlock { return &h.programBlock }),
		block.Flag("at_start", "Run it also for the state that lvsd finds: after its start, for a server or a service that a reload has added, and for this block if it is new.",
			false, func(h *serviceHook) *bool { return &h.atStart }),
		block.Flag("at_stop", "For \"down\" and \"quorum_lost\" only: run it also when lvsd stops, for each server that is up, or if there is a quorum.",
			false, func(h *serviceHook) *bool { return &h.atStop }))
})

// readServiceHooks reads the hooks of a service or a server, which are h but for what they
// say.
func readServiceHooks(b *block.Body, h Hook) (all []Hook) {
	if b.Count("on") == 0 {
		return nil
	}
	words := ServiceStates
	if h.Server != "" {
		words = serverStates
	}
	for inner := range b.Blocks("on") {
		on := inner.Labels[0]
		if !slices.Contains(words, on) {
			inner.UnknownWord(inner.LabelAt(0), "state", on, words)
		}
		p := serviceHookTable.Read(inner)
		h.On, h.Program, h.AtStart, h.AtStop = on, p.read(inner), p.atStart, p.atStop
		if h.AtStop && on != ServerDown && on != QuorumLost {
			inner.Mistake(inner.At("at_stop"), "Invalid at_stop", "When lvsd stops, servers are told to be \"down\", and quorums to be \"quorum_lost\", but this is for %q: remove at_stop.", on)
		}
		all = append(all, h)
	}
	return all
}
