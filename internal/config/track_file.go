package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

// A fileCondition is about a file of this machine.
type fileCondition struct {
	conditionOptions
	watching
	path   string
	number bool
}

var trackFile = newConditionKind(conditionKind{
	name: "file", help: "Met while the file exists, or while it holds a whole number.",
}, func() []block.Entry[fileCondition] {
	return []block.Entry[fileCondition]{
		block.Text("path", "The path of the file, which is absolute. A symbolic link counts as a file, and is not followed.",
			"", absolutePath, func(f *fileCondition) *string { return &f.path }).Within("a path").Unless(""),
		block.Flag("number", "The file holds a whole number from -10000 to 10000, and the priority changes by that many times the weight. A file that is missing, or holds no number, changes nothing, and is a finding.",
			false, func(f *fileCondition) *bool { return &f.number }),
		intervalOption((*fileCondition).watch),
	}
}, (*fileCondition).self, func(b *block.Body, f *fileCondition) Condition {
	b.Require("path", `path = "/run/maintenance"`)
	return Condition{Checks: []Check{f.check(checker.Target{}, checker.File{Path: f.path, Number: f.number})}, Minimum: 1, Counts: f.number}
})

func (f *fileCondition) watch() *watching { return &f.watching }
