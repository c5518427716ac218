package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkSIP = newCheckKind("sip", "A SIP server answers a question for its abilities (OPTIONS). With a tls block or transport = \"tcp\" it is asked by TCP.",
	sipTable, (*sipCheck).self, func(b *block.Body, c *sipCheck) probe { return c.compile(b) })

type sipCheck struct {
	probe
	asks   checker.SIP
	tls    optionalTLS
	expect sipExpect
}

type sipExpect struct{ status []block.Item }

var sipTable = block.NewTable("check", func() []block.Entry[sipCheck] {
	uri := func(s string) error { return checker.SIP{URI: s}.Validate() }
	return append(networked(viaTable, (*sipCheck).self),
		block.Choice("transport", "How the server is asked. A datagram is not sent twice.", "udp",
			[]block.Word[bool]{{Name: "udp", Value: false}, {Name: "tcp", Value: true}}, func(c *sipCheck) *bool { return &c.asks.TCP }).Unless(`"udp", and with a tls block "tcp"`),
		validText("uri", "Whom the question is for. A server that knows only its own domains answers for these: \"sip:example.org\".", "",
			uri, func(c *sipCheck) *string { return &c.asks.URI }).Unless("the server's address, as sip:192.0.2.1"),
		validText("from", "Who asks, for servers that answer only those whom they know.", "",
			uri, func(c *sipCheck) *string { return &c.asks.From }).Unless("lvsd at the director's address, as sip:lvsd@192.0.2.1"),
		block.Inner("expect", "Which answers pass the check.", sipExpectTable, func(c *sipCheck) *sipExpect { return &c.expect }),
		tlsFromTheStart(func(c *sipCheck) *optionalTLS { return &c.tls }),
	)
})

var sipExpectTable = block.NewTable("expect", func() []block.Entry[sipExpect] {
	return []block.Entry[sipExpect]{
		block.List("status", "The status codes, and ranges of status codes, that pass. A server that answers 404 or 405 is alive too, if that is what it says to strangers.",
			func(e *sipExpect) *[]block.Item { return &e.status }).Unless(`["` + checker.DefaultStatus.String() + `"]`),
	}
})

// compile works out what a check asks and expects.
func (c *sipCheck) compile(b *block.Body) probe {
	c.asks.TLS = c.tls.compile(b)
	if c.asks.TLS != nil {
		if !c.asks.TCP && b.Given("transport") {
			b.Mistake(b.At("transport"), "TLS by UDP", "TLS is spoken on connections: remove transport, or tls.")
		}
		c.asks.TCP = true
	}
	if inner, given := b.Block("expect"); given && c.expect.status != nil {
		c.asks.Status = statusRanges(inner, c.expect.status)
	}
	c.expect.status = nil
	return c.asking(b, c.asks)
}
