package config

import (
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/block"
)

// policyOptions are the options of a service about what follows from the state of its
// servers.
func policyOptions[T any](of func(*T) *Policy) []block.Entry[T] {
	return []block.Entry[T]{
		block.Text("panic_threshold", "When more than this share of the servers falls silent (no answer, unreachable) at once, take the network between for the likelier fault, and hold them in the table for panic_for. After that, their checks decide, and the fallback serves. A server that refuses, or answers something wrong, is removed as always. One detection time counts as at once: as long as it takes to find one that hangs.",
			uint8(0), readPercent, func(t *T) *uint8 { return &of(t).PanicPercent }).Within("\"1%\" to \"99%\"").Unless("none"),
		block.Duration("panic_for", "For how long servers are held in by panic_threshold, at most.",
			0, time.Second, time.Hour, func(t *T) *time.Duration { return &of(t).PanicFor }).Unless("30s"),
	}
}

// defaultPanicFor is how long servers are held in where nothing is said.
const defaultPanicFor = 30 * time.Second

// readPercent reads a share that is not the whole.
func readPercent(b *block.Body, s string, at block.Place) (uint8, bool) {
	digits, percent := strings.CutSuffix(s, "%")
	n, err := strconv.ParseUint(digits, 10, 8)
	if err != nil || !percent || n < 1 || n > 99 {
		b.Mistake(at, "Invalid share", "%q is not a share of the servers: write \"1%%\" to \"99%%\".", s)
		return 0, false
	}
	return uint8(n), true
}

// compile checks what the options say together; nil: nothing.
func (p Policy) compile(b *block.Body) *Policy {
	switch {
	case p.PanicPercent == 0 && !b.Refused("panic_threshold"):
		b.Unused("panic_for has no effect without panic_threshold: set that, or remove panic_for.", "panic_for")
		p.PanicFor = 0
	case p.PanicFor == 0:
		p.PanicFor = defaultPanicFor
	}
	if p == (Policy{}) {
		return nil
	}
	return &p
}
