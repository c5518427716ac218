package config

import (
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkNNTP = newCheckKind("nntp", "A news server tells the time, or has a newsgroup if one is named.",
	nntpTable, (*nntpCheck).self, func(b *block.Body, c *nntpCheck) probe { return c.compile(b) })

type nntpCheck struct {
	probe
	login
	channel channel
	group   string
}

var nntpTable = block.NewTable("check", func() []block.Entry[nntpCheck] {
	return slices.Concat(networked(tcpViaTable, (*nntpCheck).self),
		loginOptions(func(c *nntpCheck) *login { return &c.login }),
		[]block.Entry[nntpCheck]{
			validText("group", "A newsgroup that the server must have.", "",
				func(s string) error { return checker.NNTP{Group: s}.Validate() }, func(c *nntpCheck) *string { return &c.group }).Unless("none; the server is asked for its time"),
			channelOption(func(c *nntpCheck) *channel { return &c.channel }),
		},
	)
})

// compile works out what a check says.
func (c *nntpCheck) compile(b *block.Body) probe {
	return c.asking(b, checker.NNTP{Channel: c.channel.compile(b), Login: c.withBoth(b), Group: c.group})
}
