package checker

import (
	"cmp"
	"net/netip"
	"time"
)

// A Target is one distinct probe: what is done, to whom, and how often. It is
// comparable: whoever needs the same Target shares one probe and its results.
type Target struct {
	Spec Spec
	Addr netip.Addr // none where it is this machine that is probed
	Port uint16     // zero for a ping
	Pace Pace
	// Interval is the time from the start of one probe to the start of the
	// next.
	Interval time.Duration
	// Timeout is the one deadline of a whole probe, from its first system
	// call to the last byte that it needs. It may be longer than Interval: the
	// next probe then waits for the last one.
	Timeout time.Duration
}

// A Pace is how the time between two probes of a target depends on its results. The
// zero Pace is the target's Interval, whatever they are.
type Pace struct {
	// Fast is the interval while results are being counted: the newest ones are
	// other than the state that the target has, and fewer than Rise or Fall.
	Fast Milliseconds
	// Down is the interval of a target that is down.
	Down Milliseconds
	// Idle is the interval of a target that nobody needs now (SetIdle), unless its results
	// are being counted, or Down is longer.
	Idle Milliseconds
	// Rise and Fall are how many results in a row change its state. They are zero
	// where the target has no other interval, so that servers share it that count
	// otherwise.
	Rise, Fall uint16
}

// Milliseconds is a duration in half the memory; zero: none.
type Milliseconds uint32

// In returns a duration in milliseconds, of which a part counts as a whole one.
func In(d time.Duration) Milliseconds {
	return Milliseconds((d + time.Millisecond - 1) / time.Millisecond)
}

// String returns it as a time.Duration's.
func (m Milliseconds) String() string { return m.Duration().String() }

// Duration returns it as a time.Duration.
func (m Milliseconds) Duration() time.Duration { return time.Duration(m) * time.Millisecond }

// Compare orders paces.
func (p Pace) Compare(other Pace) int {
	return cmp.Or(
		cmp.Compare(p.Fast, other.Fast),
		cmp.Compare(p.Down, other.Down),
		cmp.Compare(p.Idle, other.Idle),
		cmp.Compare(p.Rise, other.Rise),
		cmp.Compare(p.Fall, other.Fall),
	)
}

// Compare orders targets by address and port, and by the rest where these are
// equal. Only equal targets compare as 0.
func (t Target) Compare(other Target) int {
	if c := t.Addr.Compare(other.Addr); c != 0 {
		return c
	}
	return cmp.Or(
		cmp.Compare(t.Port, other.Port),
		cmp.Compare(t.Spec, other.Spec),
		cmp.Compare(t.Interval, other.Interval),
		cmp.Compare(t.Timeout, other.Timeout),
		t.Pace.Compare(other.Pace),
	)
}

// Asked is where a probe asks: an address, or an address and a port; empty: on this machine.
func (t *Target) Asked() string {
	switch {
	case !t.Addr.IsValid():
		return ""
	case t.Port == 0:
		return t.Addr.String()
	}
	addr := t.Addr
	if v, err := t.Spec.Via(); err == nil && v.Forwarded.Is() {
		addr = v.Forwarded.Virtual
	}
	return netip.AddrPortFrom(addr, t.Port).String()
}

// Advises reports whether the results of a probe of this kind may have an Advice.
func (s Spec) Advises() bool {
	switch s.Kind() {
	case Agent{}.Kind(), Exec{}.Kind(), File{}.Kind():
		return true
	}
	return false
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

// An Observation is one result of one target, which nobody may write to.
type Observation struct {
	Target *Target
	Result Result
}

// A Result is what one probe found.
type Result struct {
	// At is when the probe ended; Latency is how long it took.
	At      time.Time
	Latency time.Duration
	Outcome Outcome
	// Detail is what happened in the words of an operator: "connection
	// refused", "status 503, want 200-299". If the probe passed, it is empty, or why all is
	// as an agent has said before.
	Detail string
	// Number is what a probe has found that looks for one.
	Number int
	// Advice is what the probe has heard of its server's weight.
	Advice Advice
	// Report is what an agent has said, from which the rest follows together with what it
	// has said before; nil where there is none.
	Report *Report
	// CertificateEnds is the day on which the certificate ends that the server has shown
	// and the probe has accepted; zero: there was none.
	CertificateEnds Day
	// Reason is what kind of failure it was, or why it could not be run; zero: it passed.
	Reason Reason
	// Silent is true if it failed because nothing came back from the server's host:
	// no answer within the timeout, or nobody who knows a way to it. The network in
	// between may be at fault as well as the server.
	Silent bool
}
