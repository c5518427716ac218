package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkPing = checkKind{
	Name: "ping", Help: "The server answers an ICMP echo request.",
	Schema: pingTable.Schema,
	Decode: readPing,
}

var pingTable = block.NewTable("check", timed(func(t *timing) *timing { return t }))

func readPing(b *block.Body) probe {
	t := pingTable.Start()
	pingTable.Decode(b, &t)
	return probe{spec: checker.SpecOf(checker.Ping{}), timing: t.complete(b)}
}
