package config

import "github.com/lvsd/lvsd/internal/block"

var checkNone = newCheckKind("none", "The server is always considered up. This kind has no arguments.", noneTable, (*probe).self,
	func(*block.Body, *probe) probe { return probe{} }) // It asks nothing.

var noneTable = block.NewTable[probe]("check", nil)
