package config

import "github.com/lvsd/lvsd/internal/block"

var checkNone = checkKind{
	Name: "none", Help: "The server is always considered up. This kind has no arguments.",
	Schema: noneTable.Schema,
	Decode: checkReader{read: func(b *block.Body, _ *defaults) probe { return noneTable.Read(b) }}, // It asks nothing.
}

var noneTable = block.NewTable[probe]("check", nil)
