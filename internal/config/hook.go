package config

import (
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/block"
)

// HookStates are the states of a virtual router or of a sync group that hooks are told of, and AnyState
// stands for all of them.
var HookStates = []string{"master", "backup", "fault", "stop"}

// AnyState is any of HookStates.
const AnyState = "any"

// hookTimeout is how long a hook may take by default.
const hookTimeout = 30 * time.Second

var hookTable = block.NewTable("on", func() []block.Entry[programBlock] {
	return programOptions(hookTimeout, func(p *programBlock) *programBlock { return p })
})

// readHooks reads the hooks of a block, which are h but for what they say.
func readHooks(b *block.Body, h Hook) []Hook {
	var all []Hook
	for inner := range b.Blocks("on") {
		on := inner.Labels[0]
		if words := append(slices.Clone(HookStates), AnyState); !slices.Contains(words, on) {
			inner.UnknownWord(inner.LabelAt(0), "state", on, words)
		}
		p := hookTable.Read(inner)
		h.On, h.Program = on, p.read(inner)
		all = append(all, h)
	}
	return all
}
