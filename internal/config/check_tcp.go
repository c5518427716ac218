package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkTCP = newCheckKind("tcp", "A TCP connection can be established.", tcpTable, (*probe).self,
	func(b *block.Body, p *probe) probe { return p.asking(b, checker.TCP{}) })

var tcpTable = block.NewTable("check", func() []block.Entry[probe] {
	return append(timing((*probe).self), portOption((*probe).self))
})
