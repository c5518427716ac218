package config

import (
	"cmp"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

// A processCondition is about the processes of this machine.
type processCondition struct {
	conditionOptions
	watching
	program, owner   string
	arguments        []block.Item
	minimum, maximum int
}

var trackProcess = newConditionKind(conditionKind{
	name: "process", help: "Met while as many processes of a program run as should. Where the kernel tells when processes begin and end, it is known within a tenth of a second; everywhere at each interval. The unit lvsd.service hides those of other users: with ProtectProc=default in a drop-in (systemctl edit lvsd) they are seen. Until then, what cannot be told is a finding, and counts as met.", sufficient: true,
}, func() []block.Entry[processCondition] {
	return []block.Entry[processCondition]{
		block.Text("program", "The name of the program or script, or its path as it is started.",
			"", programName, func(p *processCondition) *string { return &p.program }).Within("a name or an absolute path").Unless("the condition's name"),
		block.List("arguments", "Arguments that the process must have, in this order. It may have others.",
			func(p *processCondition) *[]block.Item { return &p.arguments }).Unless("any"),
		block.Text("owner", "Only processes that this user has started count. Without it, anybody on this machine can start one that has this name.",
			"", userName, func(p *processCondition) *string { return &p.owner }).Within("the name or number of a user").Unless("anybody"),
		block.Count("minimum", minimumHelp,
			1, 0, 32768, func(p *processCondition) *int { return &p.minimum }).Within(minimumRange),
		block.Count("maximum", "How many processes may run.",
			0, 1, 32768, func(p *processCondition) *int { return &p.maximum }).Unless("any number"),
		intervalOption((*processCondition).watch),
	}
}, (*processCondition).self, func(b *block.Body, p *processCondition) Condition {
	o := checker.Process{Program: cmp.Or(p.program, b.Labels[1]), Owner: p.owner, Minimum: p.minimum, Maximum: p.maximum}
	for _, it := range p.arguments {
		o.Arguments = append(o.Arguments, it.Text)
	}
	switch {
	case p.maximum != 0 && p.maximum < p.minimum:
		b.Mistake(b.At("maximum"), "Invalid maximum", "maximum is %d, but minimum is %d: no number of processes is between.", p.maximum, p.minimum)
	case p.minimum == 0 && p.maximum == 0:
		b.Mistake(b.At("minimum"), "Nothing to watch", "With a minimum of 0, any number of processes will do: write a maximum as well.")
	}
	return Condition{Checks: []Check{p.check(checker.Target{}, o)}, Minimum: 1}
})

func (p *processCondition) watch() *watching { return &p.watching }

// programName checks the name or path of a program.
func programName(b *block.Body, s string, at block.Place) (string, bool) {
	if s == "" {
		b.Mistake(at, "Empty program", "Write the name of a program, such as \"haproxy\", or remove program.")
		return "", false
	}
	return s, true
}
