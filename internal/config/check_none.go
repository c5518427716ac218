package config

import "github.com/lvsd/lvsd/internal/block"

var checkNone = checkKind{
	Name: "none", Help: "The server is always considered up. This kind has no arguments.",
	Schema: noneTable.Schema,
	Decode: noneTable.Read, // a probe that asks nothing
}

var noneTable = block.NewTable[probe]("check")
