package config

import (
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

// An execCondition is what a program says.
type execCondition struct {
	conditionOptions
	watching
	programBlock
	initial checker.State
}

// execTimeout is how long the program may take by default.
const execTimeout = time.Second

var trackExec = newConditionKind(conditionKind{
	name: "exec", help: "Met while a program, which is run again and again, exits with status 0. It is not started again before it has ended.",
}, func() []block.Entry[execCondition] {
	return append(programOptions(execTimeout, (*execCondition).program),
		append(watchingOptions((*execCondition).watch),
			block.Choice("initial", "What the condition is before the program has run: met or not until rise or fall runs in a row say otherwise; or unknown until the first run decides.",
				"unknown", []block.Word[checker.State]{{Name: "unknown", Value: checker.Unknown}, {Name: "met", Value: checker.Up}, {Name: "unmet", Value: checker.Down}},
				func(e *execCondition) *checker.State { return &e.initial }))...,
	)
}, (*execCondition).self, func(b *block.Body, e *execCondition) Condition {
	p := e.read(b)
	e.watching.timeout = p.Timeout
	check := e.check(checker.Target{}, checker.Exec{Run: p.Run, User: p.User, KillChildren: p.KillChildren})
	return Condition{Checks: []Check{check}, Minimum: 1, Initial: e.initial}
})

func (e *execCondition) watch() *watching { return &e.watching }

func (e *execCondition) program() *programBlock { return &e.programBlock }
