package config

import (
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// HookStates are the states of a virtual router or of a sync group that hooks are told of, and AnyState
// stands for all of them.
var HookStates = []string{"master", "backup", "fault", "stop"}

// AnyState is any of HookStates.
const AnyState = "any"

// hookTimeout is how long a hook may take by default, and beforeTimeout one that the
// addresses wait for.
const (
	hookTimeout   = 30 * time.Second
	beforeTimeout = 10 * time.Second
)

// answerMargin is how much longer a virtual router waits than its hooks may take: they are
// ended with all that they have started.
const answerMargin = 3 * time.Second

type hookBlock struct {
	programBlock
	before, atStart, required bool
	assert                    time.Duration
}

var hookTable = block.NewTable("on", func() []block.Entry[hookBlock] {
	return append(programOptions(hookTimeout, func(h *hookBlock) *programBlock { return &h.programBlock }),
		block.Duration("assert", "Run it again when this time has passed since it ended, as long as the state lasts: for a program that itself moves what clients reach, as in a cloud, where somebody else may move it back. A change of the state ends such a run. \"lvsd assert\" runs it again at once, also without this.",
			0, time.Second, 24*time.Hour, func(h *hookBlock) *time.Duration { return &h.assert }).Unless("never"),
		block.Flag("before", "Run it before this director takes the addresses over, and before it sends an advert: to fence a director that fell silent, so that two never have them, by a command for its power switch. For \"master\" only, with a timeout of 10s by default. It does not run where the Master hands over or is preempted. When an advert is heard meanwhile, it is ended.",
			false, func(h *hookBlock) *bool { return &h.before }),
		block.Flag("at_start", "With before, run it also where no Master was heard since the start. Two directors that start at once without hearing each other then fence each other.",
			false, func(h *hookBlock) *bool { return &h.atStart }),
		block.Choice("on_failure", "With before, what happens if the program fails, exceeds its timeout or cannot be run, or lvsd does not answer in time. \"continue\" takes the addresses over all the same. \"stop\" does not: nobody may have them then, until the program, which is run again after 10s, succeeds, or a Master is heard.",
			"continue", []block.Word[bool]{{Name: "continue"}, {Name: "stop", Value: true}}, func(h *hookBlock) *bool { return &h.required }))
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
		h.Before, h.AtStart, h.Required, h.Assert = p.before, p.atStart, p.required, p.assert
		switch {
		case p.assert > 0 && (p.before || on == "stop"):
			inner.Mistake(inner.At("assert"), "Nothing to assert", "A program can be run again while a state lasts, and not one that the addresses wait for (before), or that is told that the router has stopped: remove assert.")
		case p.before && on != "master":
			inner.Mistake(inner.At("before"), "Invalid before", "Only what is run for \"master\" can come before the addresses, but this is for %q: write on \"master\", or remove before.", on)
		case p.before && !inner.Given("timeout"):
			h.Timeout = beforeTimeout
		case !p.before:
			for _, option := range []string{"at_start", "on_failure"} {
				if inner.Given(option) {
					inner.Mistake(inner.At(option), "Option without before", "%s is for a program that the addresses wait for: add before = true, or remove it.", option)
				}
			}
		}
		all = append(all, h)
	}
	return all
}

// withQuestions has the virtual routers ask before they take over whose addresses, or
// those of their group, wait for a program.
func withQuestions(routers []vrrp.Config, hooks []Hook) {
	movers := make(map[string]Owner, len(routers))
	for i := range routers {
		movers[routers[i].Name] = Mover(&routers[i])
	}
	enter := make(map[Owner]vrrp.Clearance)
	for _, h := range hooks {
		o := h.Owner
		if h.Group == "" {
			o = movers[h.Router]
		}
		if c := enter[o]; h.Before {
			enter[o] = vrrp.Clearance{Timeout: max(c.Timeout, answerMargin) + h.Timeout, Unheard: c.Unheard || h.AtStart, Required: c.Required || h.Required}
		}
	}
	for i := range routers {
		routers[i].Enter = enter[Mover(&routers[i])]
	}
}
