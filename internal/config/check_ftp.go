package config

import (
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkFTP = newCheckKind("ftp", "An FTP server greets, lets a user in if there is one, and has a file if one is named.",
	ftpTable, (*ftpCheck).self, func(b *block.Body, c *ftpCheck) probe { return c.compile(b) })

type ftpCheck struct {
	probe
	login
	channel channel
	file    string
	expect  answer
}

var ftpTable = block.NewTable("check", func() []block.Entry[ftpCheck] {
	return slices.Concat(networked(viaTable, (*ftpCheck).self),
		loginOptions(func(c *ftpCheck) *login { return &c.login }),
		[]block.Entry[ftpCheck]{
			validText("file", "A file that the user must see, whose size is asked. With expect, it is read in passive mode, from the server itself, and may have 1 MiB.", "",
				func(s string) error { return checker.FTP{File: s, Login: checker.Login{User: "ftp"}}.Validate() }, func(c *ftpCheck) *string { return &c.file }).Within("a path").Unless("none"),
			block.Inner("expect", "What must be in the file.", answerTable, func(c *ftpCheck) *answer { return &c.expect }),
			channelOption(func(c *ftpCheck) *channel { return &c.channel }),
		},
	)
})

// compile works out what a check says and expects.
func (c *ftpCheck) compile(b *block.Body) probe {
	asks := checker.FTP{Channel: c.channel.compile(b), Login: c.login.compile(b), File: c.file, Expect: c.expect.compile(b)}
	if !asks.Anonymous() {
		asks.Login = c.withBoth(b)
	}
	switch {
	case asks.File == "" && !asks.Expect.Empty() && !b.Given("file"):
		b.Mistake(b.Head, "No file", "What is expected must be in a file: write file = \"pub/lvsd.txt\".")
	case asks.File != "" && asks.Login.User == "" && !b.Given("user"):
		b.Mistake(b.At("file"), "File without a user", "Files are shown to users only: write user = \"anonymous\", or a user with a password.")
	}
	return c.asking(b, asks)
}
