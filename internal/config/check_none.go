package config

import "github.com/lvsd/lvsd/internal/block"

var checkNone = checkKind{
	Name: "none", Help: "The server is always considered up. This kind has no arguments.",
	Schema: noneTable.Schema,
	Decode: readNone,
}

var noneTable = block.NewTable[struct{}]("check")

// readNone returns a probe without a spec: there is nothing to check.
func readNone(b *block.Body) probe {
	noneTable.Decode(b, &struct{}{})
	return probe{}
}
