package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkPing = checkKind{
	Name: "ping", Help: "The server answers an ICMP echo request.",
	Schema: pingTable.Schema,
	Decode: func(b *block.Body) probe { return pingTable.Read(b).asking(b, checker.Ping{}) },
}

var pingTable = block.NewTable("check", timing((*probe).self)...)
