package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkSMTP = newCheckKind("smtp", "A mail server greets, and takes this director for a client. Nothing is sent.",
	smtpTable, (*smtpCheck).self, func(b *block.Body, c *smtpCheck) probe { return c.compile(b) })

type smtpCheck struct {
	probe
	channel channel
	name    string
	expect  greeting
}

type greeting struct{ code int }

var smtpTable = block.NewTable("check", func() []block.Entry[smtpCheck] {
	return append(networked(tcpViaTable, (*smtpCheck).self),
		validText("name", "What the director is called in the greeting (EHLO, and HELO where that is refused).", "",
			func(s string) error { return checker.SMTP{Name: s}.Validate() }, func(c *smtpCheck) *string { return &c.name }).Unless("its address, as [192.0.2.1]"),
		block.Inner("expect", "How the server must greet.", greetingTable, func(c *smtpCheck) *greeting { return &c.expect }),
		channelOption(func(c *smtpCheck) *channel { return &c.channel }),
	)
})

var greetingTable = block.NewTable("expect", func() []block.Entry[greeting] {
	return []block.Entry[greeting]{
		block.Count("greeting", "The code of the greeting. With another one than 220, such as the 554 of a server that takes no mail, nothing else is asked.",
			220, 200, 599, func(g *greeting) *int { return &g.code }),
	}
})

// compile works out what a check says and expects.
func (c *smtpCheck) compile(b *block.Body) probe {
	asks := checker.SMTP{Channel: c.channel.compile(b), Name: c.name, Code: c.expect.code}
	if asks.StartTLS && asks.Code != 220 {
		b.Mistake(b.Head, "Contradictory check", "A server that greets by %d is not asked for STARTTLS: remove greeting, or starttls.", asks.Code)
	}
	return c.asking(b, asks)
}
