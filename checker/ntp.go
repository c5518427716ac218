package checker

import (
	"fmt"
	"time"
)

// NTP is a probe that passes when a time server knows the time.
type NTP struct {
	// Stratum is the greatest that passes: how many servers are between this one and a
	// clock that is right by itself; 0: MaxStratum.
	Stratum uint8 `json:"stratum,omitempty"`
	// Offset is by how much its clock and this director's may differ; 0: by any time.
	Offset time.Duration `json:"offset,omitempty"`
}

// Kind returns "ntp".
func (NTP) Kind() string { return "ntp" }

// MaxStratum is the greatest stratum of a server that knows the time (RFC 5905, section
// 7.3).
const MaxStratum = 15

// Validate returns what is wrong with the options of an NTP probe; nil if they can be used.
func (o NTP) Validate() error {
	switch {
	case o.Stratum > MaxStratum:
		return fmt.Errorf("stratum %d: a server that knows the time has %d at most", o.Stratum, MaxStratum)
	case o.Offset < 0:
		return fmt.Errorf("clocks cannot differ by less than nothing: %v", o.Offset)
	}
	return nil
}
