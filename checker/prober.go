package checker

import (
	"context"
	"time"
)

// A Prober makes Specs ready to run.
type Prober interface {
	// Compile returns what runs the probes of a Spec. It waits for nothing. A
	// Spec that cannot be run compiles to a ProbeFunc whose result is always
	// NotRun and says why.
	Compile(Spec) ProbeFunc
}

// A ProbeFunc runs one probe: it asks the target's address and returns when the
// outcome is known, or soon after ctx is done at the latest. The deadline of ctx
// is the target's timeout, and a probe that reaches it has Failed. It is called
// from many goroutines at once, for every target with its Spec, and need not
// set At and Latency.
type ProbeFunc func(ctx context.Context, t Target) Result

// An Engine is a Prober that asks many targets at once, without a goroutine for
// each. It decides what a server's answer decides. Whatever else there is, silence
// above all, is for the ProbeFunc of the Spec, in what is left of the timeout: so it
// cannot call a server down that others reach.
type Engine interface {
	Prober
	// Asks reports whether it can ask about a Spec.
	Asks(Spec) bool
	// Begin makes it ready. It will call deliver with answers, concurrently; deliver must
	// not keep the slice.
	Begin(deliver func([]Answer))
	// Ask begins probes, and returns those that it cannot ask. It waits for nothing,
	// and is called by one goroutine. The others get one answer each while two thirds of
	// their timeout are left, or none if that is after End.
	Ask([]Question) (left []Question)
	// End ends it, and returns when it calls deliver no more.
	End()
	// Forget makes it find out again how targets are reached. It waits for nothing.
	Forget()
	// Unusable returns why it asks nobody; nil: it does.
	Unusable() error
}

// A Question is one probe of an Engine's.
type Question struct {
	Target *Target
	// Began is when the probe began.
	Began time.Time
	// Note is what the Engine has noted of the target, at first zero.
	Note *uint16

	entry *entry
	// life is the entry's when the probe began: it has another one since it was given up.
	life uint32
}

// lost reports whether a probe was given up.
func (q *Question) lost() bool { return q.life != q.entry.life }

// An Answer is how one probe of an Engine's has ended. Its result has no Outcome if
// that is undecided; At and Latency need not be set.
type Answer struct {
	Question
	Result Result
}
