package text

import (
	"regexp"
	"sync"
)

// Pattern returns a regular expression that is compiled when it is first asked for,
// and panics then if it has a mistake. Those that explain mistakes would take a
// quarter of a megabyte in every process of a daemon that is told of none.
func Pattern(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
