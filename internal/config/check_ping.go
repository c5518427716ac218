package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkPing = newCheckKind("ping", "The server answers an ICMP echo request.", pingTable, (*probe).self,
	func(b *block.Body, p *probe) probe { return p.asking(b, checker.Ping{}) })

var pingTable = block.NewTable("check", func() []block.Entry[probe] {
	return append(timing((*probe).self), viaOption(pingViaTable, (*probe).self), otherOption((*probe).self))
})
