package config

import "github.com/lvsd/lvsd/internal/block"

// Schema is the language of a configuration, for the tests that go through all of
// its options.
func Schema() *block.Schema { return top.Schema() }
