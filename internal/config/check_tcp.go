package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkTCP = checkKind{
	Name: "tcp", Help: "A TCP connection can be established.",
	Schema: tcpTable.Schema,
	Decode: readTCP,
}

type tcpCheck struct {
	timing
	port uint16
}

var tcpTable = block.NewTable("check", timed(func(c *tcpCheck) *timing { return &c.timing }), []block.Entry[tcpCheck]{
	portOption(func(c *tcpCheck) *uint16 { return &c.port }),
})

func readTCP(b *block.Body) probe {
	c := tcpTable.Start()
	tcpTable.Decode(b, &c)
	return probe{spec: checker.SpecOf(checker.TCP{}), timing: c.complete(b), port: c.port, portRefused: b.Refused("port")}
}
