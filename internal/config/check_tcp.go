package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkTCP = checkKind{
	Name: "tcp", Help: "A TCP connection can be established.",
	Schema: tcpTable.Schema,
	Decode: func(b *block.Body) probe { return tcpTable.Read(b).asking(b, checker.TCP{}) },
}

var tcpTable = block.NewTable("check", append(timing((*probe).self), portOption((*probe).self))...)
