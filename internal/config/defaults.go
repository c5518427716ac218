package config

import (
	"fmt"
	"slices"

	"github.com/lvsd/lvsd/internal/block"
)

var defaultsTable = block.NewTable("defaults", func() []block.Entry[defaults] {
	return []block.Entry[defaults]{
		block.Many[defaults]("check", "The defaults for checks of one kind: a check has these values for the options that its own block leaves out, and so has the check of a service without any. The kind \"*\" gives the timing (interval to fall) to all kinds; the defaults of a kind take precedence.",
			checkKinds.Schema(), "kind"),
	}
})

// everyKind stands for all kinds of checks where their defaults are given.
var everyKind = checkKind{
	Name: "*", Schema: everyTable.Schema,
	Decode: checkReader{learn: func(b *block.Body, d *defaults) {
		p := everyTable.Read(b)
		d.timing = &p
	}},
}

var everyTable = block.NewTable("check", func() []block.Entry[probe] { return timing((*probe).self) })

// defaultKinds are the kinds of checks that have options.
var defaultKinds = block.NewKinds("check", append([]checkKind{everyKind},
	slices.DeleteFunc(slices.Clone(checkList), func(k checkKind) bool { return k.Decode.learn == nil })...)...)

// readDefaults reads what checks have where their blocks say nothing. The kind "*"
// comes first wherever it stands, since the others begin with it.
func readDefaults(b *block.Body) *defaults {
	claim(b, defaultsBlock, "block", b.Head)
	d := &defaults{kinds: map[string]any{}}
	defaultsTable.Decode(b, d)
	seen := map[string]block.Place{}
	for _, every := range []bool{true, false} {
		for inner := range b.Blocks("check") {
			name := inner.Labels[0]
			if (name == everyKind.Name) != every {
				continue
			}
			kind, known := defaultKinds.Of(inner)
			if first, again := seen[name]; again && known {
				b.Mistake(inner.Head, fmt.Sprintf("Duplicate check %q", name), "The defaults for it are already at %s: put everything into that block.", first)
			} else if known {
				seen[name] = inner.Head
				kind.learn(inner, d)
			}
		}
	}
	return d
}
