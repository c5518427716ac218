package config

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkDNS = newCheckKind("dns", "A DNS server answers a question as expected.",
	dnsTable, (*dnsCheck).self, func(b *block.Body, c *dnsCheck) probe { return c.compile(b) })

type dnsCheck struct {
	probe
	asks   checker.DNS
	expect dnsExpect
}

type dnsExpect struct {
	code    string
	answers []block.Item
	primary netip.AddrPort
}

var dnsTable = block.NewTable("check", func() []block.Entry[dnsCheck] {
	return append(networked(viaTable, (*dnsCheck).self),
		validText("name", "The domain name that is asked for. A server that is asked by resolvers knows only its own zones: write one of these.", ".",
			func(s string) error { return checker.DNS{Name: s}.Validate() }, func(c *dnsCheck) *string { return &c.asks.Name }),
		block.Choice("type", "The type of the records.", "SOA",
			words(slices.Sorted(maps.Keys(checker.DNSTypes))...), func(c *dnsCheck) *string { return &c.asks.Type }),
		block.Choice("transport", "How the server is asked. By UDP, it is asked again by TCP where its answer has no room.", "udp",
			[]block.Word[bool]{{Name: "udp", Value: false}, {Name: "tcp", Value: true}}, func(c *dnsCheck) *bool { return &c.asks.TCP }),
		block.Inner("expect", "What the answer must be.", dnsExpectTable, func(c *dnsCheck) *dnsExpect { return &c.expect }),
	)
})

var dnsExpectTable = block.NewTable("expect", func() []block.Entry[dnsExpect] {
	return []block.Entry[dnsExpect]{
		block.Choice("code", "The code of the answer. With NOERROR, there must be a record of the type.", "NOERROR",
			words(checker.DNSCodes...), func(e *dnsExpect) *string { return &e.code }),
		block.List("answers", "Records that must be in the answer, among any others, as zone files have them: [\"192.0.2.1\"], [\"10 mail.example.org\"].", func(e *dnsExpect) *[]block.Item { return &e.answers }).Unless("none; any record passes"),
		block.Text("primary", "The address of another server of the zone, and its port if that is not 53: \"192.0.2.53\". The zone's serial there must not be newer, so that a server which has missed changes fails. That server is asked by each probe, too; while it does not answer, this is not looked at.",
			netip.AddrPort{}, primaryServer, func(e *dnsExpect) *netip.AddrPort { return &e.primary }).Within("an IP address, or one with a port").Unless("none"),
	}
})

// primaryServer reads the address of a server, with or without a port.
func primaryServer(b *block.Body, s string, at block.Place) (netip.AddrPort, bool) {
	if full, err := netip.ParseAddrPort(s); err == nil {
		return full, true
	}
	addr, ok := b.ParseAddress(s, at)
	return netip.AddrPortFrom(addr, 53), ok
}

// compile works out what a check asks and expects.
func (c *dnsCheck) compile(b *block.Body) probe {
	c.asks.Code, c.asks.Primary = c.expect.code, c.expect.primary
	mistaken := b.Refused("type")
	if inner, given := b.Block("expect"); given && c.expect.answers != nil {
		c.asks.Answers = nil
		for _, it := range c.expect.answers {
			record, err := checker.CanonicalRecord(c.asks.Type, it.Text)
			if err != nil && !b.Refused("type") {
				mistaken = true
				inner.Mistake(it.At, "Invalid answer", "%s.", sentence(err))
			}
			c.asks.Answers = append(c.asks.Answers, record)
		}
	}
	c.expect.answers = nil
	if err := c.asks.Validate(); err != nil && !mistaken {
		b.Mistake(b.Head, "Contradictory check", "%s.", sentence(err))
	}
	return c.asking(b, c.asks)
}
