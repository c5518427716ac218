package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkFile = newCheckKind("file", "A file of this director exists, or holds a weight that something else has worked out. To change what it holds, write another file and rename it: what is read while it is being written may fail the check.",
	fileTable, (*fileCheck).self, func(b *block.Body, f *fileCheck) probe { return f.compile(b) })

type fileCheck struct {
	probe
	asks checker.File
}

var fileTable = block.NewTable("check", func() []block.Entry[fileCheck] {
	return append(timing((*fileCheck).self),
		block.Text("path", "The path of the file, which is absolute. A symbolic link counts as a file, and is not followed.",
			"", absolutePath, func(f *fileCheck) *string { return &f.asks.Path }).Within("a path").Unless(""),
		block.Choice("weight", "What the whole number means that the file must hold: from 0 to 100, how many percent of the configured weight the server has (\"percent\"); or, from 0 to 10000, which weight it has in place of that (\"absolute\"). 0 drains the server. A file that is missing, or holds no such number, fails the check.",
			"none", []block.Word[checker.Measure]{{Name: "none", Value: checker.Unweighted}, {Name: "percent", Value: checker.Percent}, {Name: "absolute", Value: checker.Absolute}},
			func(f *fileCheck) *checker.Measure { return &f.asks.Weight }),
		block.Flag("absent", "The check passes while there is no such file: create it to take the servers out.",
			false, func(f *fileCheck) *bool { return &f.asks.Absent }),
	)
})

// compile works out what a check looks for.
func (f *fileCheck) compile(b *block.Body) probe {
	f.local = true
	if f.asks.Path == "" && !f.partial {
		b.Require("path", `path = "/run/lvsd/weight-of-web1"`)
	}
	if f.asks.Absent && f.asks.Weight != checker.Unweighted {
		b.Mistake(b.Head, "Weight of a file that is absent", "A file with a weight must exist: remove absent, or weight.")
	}
	return f.asking(b, f.asks)
}
