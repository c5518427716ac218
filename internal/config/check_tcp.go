package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkTCP = newCheckKind("tcp", "A TCP connection can be established. By default, only the server's kernel is asked, and its process does not notice: lvsd sends a SYN of its own, for which it needs no socket, and the answer is reset. Whoever does not answer in a third of the timeout is asked by connect(2), and so is everybody where that is not possible, which is a finding. With send, expect or tls, what it says is checked, too.",
	tcpTable, (*tcpCheck).self, func(b *block.Body, c *tcpCheck) probe { return c.compile(b) })

type tcpCheck struct {
	probe
	halfOpen   bool
	send, quit []byte
	expect     answer
	tls        optionalTLS
	asks       checker.TCP // by all of these
}

var tcpTable = block.NewTable("check", func() []block.Entry[tcpCheck] {
	return append(networked(tcpViaTable, (*tcpCheck).self),
		block.Flag("half_open", "Leave out the last packet of the handshake, so that the server's process does not see the connection: it is not logged, and takes no place in a queue. If false, the connection is established, and closed in order.",
			true, func(c *tcpCheck) *bool { return &c.halfOpen }).Unless("true, unless there is send, quit, expect, tls, or forwarded in the via block"),
		sendOption("What is sent when the connection is established. Write a line's end as the protocol has it: \"PING\\r\\n\".", func(c *tcpCheck) *[]byte { return &c.send }),
		message("quit", "What is sent in the end, so that the server knows that nothing went wrong: \"QUIT\\r\\n\".", checker.ValidateSend, func(c *tcpCheck) *[]byte { return &c.quit }),
		expectOption(func(c *tcpCheck) *answer { return &c.expect }),
		tlsFromTheStart(func(c *tcpCheck) *optionalTLS { return &c.tls }),
	)
})

// compile works out what a check says and expects.
func (c *tcpCheck) compile(b *block.Body) probe {
	c.asks = checker.TCP{Send: c.send, Quit: c.quit, Expect: c.expect.compile(b), TLS: c.tls.compile(b)}
	// IPVS keeps a connection that was reset before it was established for a minute, and
	// would send the next one from that port to the same server.
	established := c.via.Proxy != 0 || c.via.forwarded
	if c.halfOpen && b.Given("half_open") && (established || !c.asks.HalfOpen()) {
		b.Mistake(b.At("half_open"), "Half-open conversation", "This check says or expects something, or is forwarded, for which a connection must be established: remove half_open.")
	}
	c.asks.Connected = (established || !c.halfOpen) && c.asks.HalfOpen()
	return c.asking(b, c.asks)
}
