package config

import (
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkNTP = newCheckKind("ntp", "A time server knows the time: its clock is synchronized. ntpd does not answer who asks too often where it has \"restrict limited\": set interval = \"16s\".",
	ntpTable, (*ntpCheck).self, func(b *block.Body, c *ntpCheck) probe { return c.asking(b, c.asks) })

type ntpCheck struct {
	probe
	asks checker.NTP
}

var ntpTable = block.NewTable("check", func() []block.Entry[ntpCheck] {
	return append(networked(viaTable, (*ntpCheck).self),
		block.Inner("expect", "How good the server's time must be.", ntpExpectTable, func(c *ntpCheck) *checker.NTP { return &c.asks }),
	)
})

var ntpExpectTable = block.NewTable("expect", func() []block.Entry[checker.NTP] {
	return []block.Entry[checker.NTP]{
		block.Count("stratum", "The greatest stratum that passes: 1 is a server with a clock of its own, such as a receiver of satellites, and 2 one that asks it.",
			uint8(checker.MaxStratum), 1, checker.MaxStratum, func(o *checker.NTP) *uint8 { return &o.Stratum }),
		block.Duration("offset", "By how much the server's clock and this director's may differ, beyond what the packets' way may account for. All servers fail if the director's own clock is wrong, so it should be well kept, and the offset not be small.",
			0, time.Millisecond, maxInterval, func(o *checker.NTP) *time.Duration { return &o.Offset }).Unless("any"),
	}
})
