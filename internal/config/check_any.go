package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

// A check may consist of checks: all of them, or so many of them, must pass.

// grouped are the kinds of checks that a check may consist of: all that there are, which
// include those below.
var grouped *block.Kinds[checkReader]

var checkAll = checkKind{
	Name: "all", Help: "All of the checks in it must pass. Several checks in a row mean the same, so it is for use in check \"any\".",
	Schema: allTable.Schema, Decode: checkReader{read: func(b *block.Body, d *defaults) probe {
		allTable.Read(b)
		return readCombined(b, d, 0)
	}},
}

var checkAny = checkKind{
	Name: "any", Help: "One of the checks in it must pass, or as many as at_least says. The others may fail, and are shown. One that could not be run since it was set up counts neither way: the others decide.",
	Schema: anyTable.Schema, Decode: checkReader{read: func(b *block.Body, d *defaults) probe {
		return readCombined(b, d, anyTable.Read(b).atLeast)
	}},
}

type anyCheck struct{ atLeast int }

var (
	anyTable = block.NewTable("check", func() []block.Entry[anyCheck] {
		return []block.Entry[anyCheck]{
			block.Count("at_least", "How many of the checks in it must pass.", 1, 1, maxGrouped, func(c *anyCheck) *int { return &c.atLeast }),
			partsOption[anyCheck](),
		}
	})
	allTable = block.NewTable("check", func() []block.Entry[struct{}] { return []block.Entry[struct{}]{partsOption[struct{}]()} })
)

func partsOption[T any]() block.Entry[T] {
	return block.Many[T]("check", "One of the checks that it consists of, with options of its own.", grouped.Schema(), "kind")
}

const (
	maxGrouped = 100
	maxNested  = 3 // checks in checks, each in the next
)

// readParts reads the checks in a block.
func readParts(b *block.Body, d *defaults) (probes []probe) {
	for inner := range b.Blocks("check") {
		kind, known := grouped.Of(inner)
		if !known {
			continue
		}
		p := kind.read(inner, d)
		switch within := b.Type == "check"; {
		case p.spec != "" || p.group != "":
			probes = append(probes, p)
		case within || b.Count("check") > 1:
			b.Mistake(inner.Head, "Check none among others", "check \"none\" {} says that there is no check: remove it, or the others.")
		}
	}
	return probes
}

// readCombined reads a check of which at least so many parts must pass; 0: all.
func readCombined(b *block.Body, d *defaults, atLeast int) probe {
	p := probe{at: b.Head, group: b.Labels[0], parts: readParts(b, d), atLeast: atLeast}
	n, passing := b.Count("check"), 0 // where nobody answers
	for i := range p.parts {
		p.nested = max(p.nested, p.parts[i].nested+1)
		if p.parts[i].auxiliary {
			passing++
		}
	}
	p.auxiliary = passing > 0 && (passing == len(p.parts) || atLeast > 0 && passing >= atLeast)
	switch {
	case n == 0:
		b.Mistake(b.Head, "No check", "A check %q consists of other checks: write them into it.", p.group)
	case n == 1:
		b.Doubt(b.Head, "Check of one part", "Only one check is in it: write that in its place, or add another one.")
	case atLeast > n && !b.Refused("at_least"):
		b.Mistake(b.At("at_least"), "Invalid at_least", "There are %d checks in it, so at most that many can pass, but at_least is %d.", n, atLeast)
	case p.nested > maxNested:
		b.Mistake(b.Head, "Nested too deeply", "Checks can be in checks, but not more than %d deep.", maxNested)
	case p.auxiliary && passing < len(p.parts):
		b.Doubt(b.Head, "Check that always passes", "An agent that does not answer changes nothing, so it passes, and that is enough here: set required = true in its block.")
	}
	return p
}

// ruled returns the checks that probes consist of, in the order of the file, and how many
// of them must pass; nil: all.
func ruled(probes []probe) (checks []probe, rule *checker.Rule) {
	whole := ruleOf(probes, 0, &checks)
	if len(whole.Rules) == 0 {
		return checks, nil
	}
	return checks, &whole
}

func ruleOf(probes []probe, atLeast int, checks *[]probe) checker.Rule {
	rule := checker.Rule{AtLeast: atLeast}
	for _, p := range probes {
		if p.group != "" {
			rule.Rules = append(rule.Rules, ruleOf(p.parts, p.atLeast, checks))
			continue
		}
		rule.Checks = append(rule.Checks, len(*checks))
		*checks = append(*checks, p)
	}
	return rule
}
