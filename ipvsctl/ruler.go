package ipvsctl

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// A Filter is the kernel's packet filter, as far as it is lvsd's. Its methods are called from
// one goroutine at a time.
type Filter interface {
	// Replace makes the rules these in one transaction, whatever lvsd's were before, and with
	// none removes them: for that, a kernel need not have nftables.
	Replace(Ruleset) error
	// Intact reports whether the rules are as the last Replace left them.
	Intact() (bool, error)
}

const (
	// rulesEvery is how often it is looked whether the rules are still there: "nft flush
	// ruleset" removes everybody's.
	rulesEvery = 5 * time.Second
	// After a failure it is tried again after the first of these, and then after twice as
	// long each time, up to the second.
	rulesRetry, rulesRetryMost = time.Second, time.Minute
)

// The codes of events about the rules.
const (
	RulesFailed   = "rules-failed"
	RulesRepaired = "rules-repaired"
	RulesSet      = "rules-set"
)

// RulesStats are what is known of the rules, and was counted since the start.
type RulesStats struct {
	// Wanted is of how many virtual services packets should be marked, and Kept whether they
	// are.
	Wanted int
	Kept   bool
	// Failures counts transactions that the kernel has refused, and listings that failed;
	// Repairs how often somebody else had changed the rules.
	Failures, Repairs uint64
	// Faults are the failures by their kind: "ENOBUFS".
	Faults map[string]uint64
	// LastError is why the rules are not as they should be; empty: they are.
	LastError string
}

// A Ruler keeps the kernel's rules equal to the ruleset that was last Set, while Run runs. Set
// and Stats may be used at any time by any goroutine.
type Ruler struct {
	filter Filter
	report func(Event)
	wake   chan struct{}
	tried  chan struct{}

	mu      sync.Mutex
	want    *Ruleset // nil before the first
	settled *Ruleset // of which it is known whether the kernel takes it
	stats   RulesStats

	// What follows is the loop's alone.
	have    *Ruleset // what the kernel was given last; nil: not known
	pause   time.Duration
	lookAt  time.Time
	retryAt time.Time
	refused Ruleset // what waits until then: something else is tried at once
}

// NewRuler returns a Ruler that reports what happens to the rules.
func NewRuler(f Filter, report func(Event)) *Ruler {
	return &Ruler{filter: f, report: report, wake: make(chan struct{}, 1), tried: make(chan struct{}, 1)}
}

// Set makes want the rules to be kept. It never blocks, and the newest wins.
func (r *Ruler) Set(want Ruleset) {
	r.mu.Lock()
	r.want = &want
	r.stats.Wanted = len(want)
	r.mu.Unlock()
	notify(r.wake)
}

// Settled reports whether the rules that were Set last are in the kernel, or were refused.
// The first ones may take seconds, for which the kernel loads modules.
func (r *Ruler) Settled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.want == r.settled
}

// Tried returns a channel that receives when rules have come to be settled. It holds one
// notice.
func (r *Ruler) Tried() <-chan struct{} { return r.tried }

// Stats returns what is known of the rules.
func (r *Ruler) Stats() RulesStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Run keeps the rules until ctx ends. They stay as they are when it returns, which it does
// with nil.
func (r *Ruler) Run(ctx context.Context) error {
	timer := time.NewTimer(rulesEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		case <-timer.C:
		}
		r.mu.Lock()
		goal := r.want
		r.mu.Unlock()
		if goal == nil {
			continue
		}
		if next := r.step(time.Now(), *goal); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
		r.settle(goal)
	}
}

// Clear removes the rules at the end, when Run has returned.
func (r *Ruler) Clear() error {
	if stats := r.Stats(); stats.Wanted == 0 && stats.LastError == "" {
		return nil
	}
	if err := r.filter.Replace(nil); err != nil {
		return fmt.Errorf("removing lvsd's rules: %w", err)
	}
	return nil
}

// settle notes that a goal was tried.
func (r *Ruler) settle(goal *Ruleset) {
	r.mu.Lock()
	news := r.settled != goal
	r.settled = goal
	r.mu.Unlock()
	if news {
		notify(r.tried)
	}
}

// step does what is due, and returns when to come again; zero: when something else is
// wanted.
func (r *Ruler) step(now time.Time, want Ruleset) (next time.Time) {
	same := r.have != nil && r.have.Equal(want)
	switch {
	case same && len(want) == 0:
		return time.Time{}
	case same && now.Before(r.lookAt):
		return r.lookAt
	case same:
		intact, err := r.filter.Intact()
		if err == nil && intact {
			r.lookAt = now.Add(rulesEvery)
			return r.lookAt
		}
		if err != nil {
			return r.failed(now, want, fmt.Errorf("reading the rules: %w", err))
		}
	case r.have == nil && now.Before(r.retryAt) && r.refused.Equal(want):
		return r.retryAt
	}
	if err := r.filter.Replace(want); err != nil {
		return r.failed(now, want, err)
	}
	r.tell(same, want)
	r.kept(now, want)
	return r.lookAt
}

// kept notes that the kernel has the rules.
func (r *Ruler) kept(now time.Time, want Ruleset) {
	r.have, r.pause, r.retryAt, r.lookAt = &want, 0, time.Time{}, now.Add(rulesEvery)
	r.mu.Lock()
	r.stats.Kept, r.stats.LastError = true, ""
	r.mu.Unlock()
}

// failed notes that it may not have them, and returns when it is tried again.
func (r *Ruler) failed(now time.Time, want Ruleset, err error) time.Time {
	r.pause = min(max(2*r.pause, rulesRetry), rulesRetryMost)
	r.have, r.retryAt, r.refused = nil, now.Add(r.pause), want
	r.mu.Lock()
	told := r.stats.LastError
	r.stats.Failures++
	r.stats.Faults = WithFault(r.stats.Faults, err)
	r.stats.Kept, r.stats.LastError = false, err.Error()
	r.mu.Unlock()
	if told != err.Error() {
		text := "packets are not marked as they should be"
		if len(want) == 0 {
			text = "rules of nftables may be left that mark packets and that nobody wants any more; trying again"
		}
		r.report(Event{RulesFailed, slog.LevelError, text, []slog.Attr{slog.Int("services", len(want)), slog.Any("error", err)}})
	}
	return r.retryAt
}

// tell reports that the kernel has got rules: again, since somebody else had changed them,
// or others than before.
func (r *Ruler) tell(again bool, want Ruleset) {
	e := Event{RulesSet, slog.LevelInfo, "packets are marked by rules of nftables", []slog.Attr{slog.Int("services", len(want))}}
	if again {
		r.mu.Lock()
		r.stats.Repairs++
		r.mu.Unlock()
		e.Level, e.Code, e.Text = slog.LevelWarn, RulesRepaired, "somebody else had changed the rules of nftables that mark packets, and they were made anew"
	} else if len(want) == 0 {
		e.Text = "no packets are marked any more"
		if r.have == nil {
			return // Nothing was there that is known of.
		}
	}
	r.report(e)
}

// DryFilter is a Filter that is never written to, and tells what would be.
type DryFilter struct {
	rules Ruleset
	would func(RuleChange)
}

// NewDryFilter returns one without rules.
func NewDryFilter(would func(RuleChange)) *DryFilter { return &DryFilter{would: would} }

// Replace tells what would change.
func (d *DryFilter) Replace(want Ruleset) error {
	for _, c := range DiffRules(d.rules, want) {
		d.would(c)
	}
	d.rules = slices.Clone(want)
	return nil
}

// Intact reports that nobody has changed what is not there.
func (d *DryFilter) Intact() (bool, error) { return true, nil }
