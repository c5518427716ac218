package config

import (
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkIMAP = newCheckKind("imap", "A server of mailboxes greets by IMAP, and lets a user in if there is one.",
	mailboxTable, (*mailboxCheck).self, func(b *block.Body, c *mailboxCheck) probe { return c.asking(b, checker.IMAP{Mailbox: c.compile(b)}) })

var checkPOP3 = newCheckKind("pop3", "A server of mailboxes greets by POP3, and lets a user in if there is one.",
	mailboxTable, (*mailboxCheck).self, func(b *block.Body, c *mailboxCheck) probe { return c.asking(b, checker.POP3{Mailbox: c.compile(b)}) })

type mailboxCheck struct {
	probe
	login
	channel channel
}

var mailboxTable = block.NewTable("check", func() []block.Entry[mailboxCheck] {
	return slices.Concat(networked(tcpViaTable, (*mailboxCheck).self),
		loginOptions(func(c *mailboxCheck) *login { return &c.login }),
		[]block.Entry[mailboxCheck]{channelOption(func(c *mailboxCheck) *channel { return &c.channel })},
	)
})

// compile works out what a check says.
func (c *mailboxCheck) compile(b *block.Body) checker.Mailbox {
	return checker.Mailbox{Channel: c.channel.compile(b), Login: c.withBoth(b)}
}
