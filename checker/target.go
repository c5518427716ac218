package checker

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// A Target is one distinct probe: what is done, to whom, and how often. It is
// comparable: whoever needs the same Target shares one probe and its results.
type Target struct {
	Spec Spec
	Addr netip.Addr
	Port uint16 // zero for a ping
	// Interval is the time from the start of one probe to the start of the
	// next.
	Interval time.Duration
	// Timeout is the one deadline of a whole probe, from its first system
	// call to the last byte that it needs.
	Timeout time.Duration
}

// An Outcome is how a probe ended.
type Outcome uint8

// The outcomes of a probe.
const (
	// Passed: the server answered as expected, in time.
	Passed Outcome = iota + 1
	// Failed: the server refused, was silent, or answered something else.
	Failed
	// NotRun: the probe could not be run for a reason of this director's own
	// (no route, no socket, no processor time). It says nothing about the server.
	NotRun
)

// outcomeNames are the names of the outcomes, in status and metrics.
var outcomeNames = [...]string{"none", Passed: "passed", Failed: "failed", NotRun: "not_run"}

// String returns the outcome's name: "passed", "failed", "not_run", or "none".
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return outcomeNames[0]
}

// MarshalText returns the outcome's name; the zero Outcome is "none".
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText sets the outcome by its name; any other text is an error.
func (o *Outcome) UnmarshalText(text []byte) error {
	i := slices.Index(outcomeNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("%q is not an outcome of a probe", text)
	}
	*o = Outcome(i)
	return nil
}

// A Result is what one probe found.
type Result struct {
	// At is when the probe ended; Latency is how long it took.
	At      time.Time     `json:"at"`
	Latency time.Duration `json:"latency_ns"`
	Outcome Outcome       `json:"outcome"`
	// Detail says what happened in the words of an operator: "connection
	// refused", "status 503, want 200-299". Empty where the probe passed.
	Detail string `json:"detail,omitempty"`
	// Refused: it failed because the server's host refused the connection. That
	// is certain, where silence may be a lost packet, so it is asked again soon.
	Refused bool `json:"-"`
}
