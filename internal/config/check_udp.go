package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkUDP = newCheckKind("udp", "Nobody says that the UDP port is closed, or, with expect or reply, the server answers. A server that is off is only noticed if it must answer, since a datagram that is lost tells nothing.",
	udpTable, (*udpCheck).self, func(b *block.Body, c *udpCheck) probe { return c.compile(b) })

type udpCheck struct {
	probe
	send   []byte
	reply  bool
	expect answer
}

var udpTable = block.NewTable("check", func() []block.Entry[udpCheck] {
	return append(networked(viaTable, (*udpCheck).self),
		sendOption("The datagram that is sent. Without it, it has no data, which most servers ignore.", func(c *udpCheck) *[]byte { return &c.send }),
		block.Flag("reply", "The server must answer. If false, the check passes when its timeout is over and nobody has refused the datagram.",
			false, func(c *udpCheck) *bool { return &c.reply }).Unless("true with expect, else false"),
		expectOption(func(c *udpCheck) *answer { return &c.expect }),
	)
})

// compile works out what a check sends and expects.
func (c *udpCheck) compile(b *block.Body) probe {
	asks := checker.UDP{Send: c.send, Reply: c.reply, Expect: c.expect.compile(b)}
	if !asks.Expect.Empty() {
		if !c.reply && b.Given("reply") {
			b.Mistake(b.At("reply"), "Answer not required", "This check expects something of the answer, so there must be one: remove reply, or expect.")
		}
		asks.Reply = true
	}
	if c.via.forwarded && !asks.Reply && !c.partial {
		b.Mistake(b.Head, "Silence that passes", "A server that has lost the virtual address is silent, and this check passes then: set reply = true, or write what it expects.")
	}
	return c.asking(b, asks)
}
