package block

import "sync"

// Later returns a function that builds a value when it is first called, and has it from
// then on. What a language says would take 180 kB in every process of a daemon, of
// which only those that read a configuration need it.
func Later[V any](build func() V) func() V { return sync.OnceValue(build) }
