package config

import (
	"reflect"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// A condition is defined by a block of its own, or in place, by the block that
// tracks it. What both say is read by one table for each kind.

// A definition is a condition as a block defines it.
type definition struct {
	Condition
	upAfter, downAfter time.Duration
	at                 block.Place
	shared             bool // by a block of its own
	// implied: its name alone says what it is, and any other definition counts more.
	implied bool
}

// same reports whether two definitions say the same.
func (d *definition) same(other *definition) bool {
	a, b := *d, *other
	a.at, a.shared, a.Source = b.at, b.shared, b.Source
	return reflect.DeepEqual(a, b)
}

// watched reports whether the director watches it.
func (c *Condition) watched() bool { return len(c.Checks) > 0 || c.Service != "" }

// A conditionKind is one kind of condition.
type conditionKind struct {
	name, help string
	// sufficient: its name says what it is, so it may be tracked undefined.
	sufficient bool
	// doubt warns where a router tracks it as a hard condition; nil: there is no need.
	doubt            func(*block.Body)
	defined, tracked func() *block.Schema
	define           func(*block.Body) definition
	// track reads a track, and what it defines; nil: nothing, it is defined elsewhere.
	track func(*block.Body) (vrrp.Track, *definition)
}

// conditionOptions are what conditions of all kinds have.
type conditionOptions struct {
	upAfter, downAfter time.Duration
	weight             int
	reverse            bool
}

// self lets the options below say where those of what embeds them are.
func (o *conditionOptions) self() *conditionOptions { return o }

const (
	maxWeight = 253
	maxDamped = time.Hour
)

func damping[T any](of func(*T) *conditionOptions) []block.Entry[T] {
	return []block.Entry[T]{
		block.Duration("up_after", "For how long the condition must have been met before it counts as met again. Raise it for what comes and goes.",
			0, 0, maxDamped, func(t *T) *time.Duration { return &of(t).upAfter }),
		block.Duration("down_after", "For how long the condition must not have been met before it counts as that.",
			0, 0, maxDamped, func(t *T) *time.Duration { return &of(t).downAfter }),
	}
}

func weighing[T any](of func(*T) *conditionOptions) []block.Entry[T] {
	return []block.Entry[T]{
		block.Count("weight", "What the priority changes by: weight = -20 lowers it by 20 while the condition is not met, weight = 20 raises it by 20 while it is met. The priority is worked out anew from what is true at the moment, and stays from 1 to 254; one of 255 never changes. Without a weight, the director is not Master while the condition is not met.",
			0, -maxWeight, maxWeight, func(t *T) *int { return &of(t).weight }).Unless("none"),
		block.Flag("reverse", "Take the condition as met while it is not, and the other way round.",
			false, func(t *T) *bool { return &of(t).reverse }),
	}
}

// newConditionKind returns a kind of condition, whose options are read into a T.
// Compile makes a condition of what they say.
func newConditionKind[T any](k conditionKind, options func() []block.Entry[T], self func(*T) *conditionOptions, compile func(*block.Body, *T) Condition) conditionKind {
	definitions := block.NewTable("condition", func() []block.Entry[T] { return append(options(), damping(self)...) })
	tracks := block.NewTable("track", func() []block.Entry[T] {
		return slices.Concat(options(), damping(self), weighing(self))
	})
	defining := func(b *block.Body, t *T) definition {
		d := definition{Condition: compile(b, t), at: b.Head, upAfter: self(t).upAfter, downAfter: self(t).downAfter}
		d.Name = conditionName(b)
		d.Source = sourceOf(b.Head)
		return d
	}
	k.defined, k.tracked = definitions.Schema, tracks.Schema
	k.define = func(b *block.Body) definition {
		t := definitions.Read(b)
		d := defining(b, &t)
		d.shared = true
		return d
	}
	k.track = func(b *block.Body) (vrrp.Track, *definition) {
		t := tracks.Read(b)
		o := self(&t)
		if o.weight == 0 && b.Given("weight") && !b.Refused("weight") {
			b.Mistake(b.At("weight"), "Weight of 0", "A weight of 0 changes nothing: without a weight, the director is not Master while the condition is not met.")
		}
		if o.weight == 0 && !o.reverse && k.doubt != nil && !b.Given("weight") {
			k.doubt(b)
		}
		made := vrrp.Track{Condition: conditionName(b), Weight: o.weight, Reverse: o.reverse}
		given := slices.ContainsFunc(definitions.Schema().Options, func(o *block.Option) bool { return b.Given(o.Name) })
		if !given && !k.sufficient {
			return made, nil
		}
		d := defining(b, &t)
		d.implied = !given
		if d.Counts && o.weight == 0 && !b.Given("weight") {
			b.Mistake(b.Head, "Number without weight", "This file holds a number, which is multiplied by a weight: write for example weight = 1.")
		}
		return made, &d
	}
	return k
}

// A watching is when the probes of a condition are made, and what their results
// change.
type watching struct {
	interval, timeout time.Duration
	rise, fall        int
}

func intervalOption[T any](of func(*T) *watching) block.Entry[T] {
	return block.Duration("interval", "The time from the start of one probe to the start of the next.",
		time.Second, 10*time.Millisecond, maxInterval, func(t *T) *time.Duration { return &of(t).interval })
}

func timeoutOption[T any](of func(*T) *watching) block.Entry[T] {
	return block.Duration("timeout", "The time limit for one probe.",
		0, time.Millisecond, maxInterval, func(t *T) *time.Duration { return &of(t).timeout }).Unless("1s, or the interval if that is shorter")
}

func watchingOptions[T any](of func(*T) *watching) []block.Entry[T] {
	return []block.Entry[T]{
		intervalOption(of),
		block.Count("rise", "How many probes in a row must pass before the condition is met again. The first probe decides at once.",
			2, 1, maxRise, func(t *T) *int { return &of(t).rise }),
		block.Count("fall", "How many probes in a row must fail before the condition is no longer met.",
			3, 1, maxRise, func(t *T) *int { return &of(t).fall }),
	}
}

// check is a check of the condition, which asks what o says.
func (w *watching) check(to checker.Target, o checker.Options) Check {
	to.Spec, to.Interval, to.Timeout = checker.SpecOf(o), w.interval, w.timeout
	if to.Timeout == 0 {
		to.Timeout = min(defaultTimeout, w.interval)
	}
	return Check{Target: to, Rise: uint16(max(1, w.rise)), Fall: uint16(max(1, w.fall))}
}

// How many must be there is one option for all kinds that count something.
const (
	minimumHelp  = "How many must answer, be up, or run. With \"service\" it can be a percentage of the real servers that have a weight."
	minimumRange = "a whole number, or \"1%\" to \"100%\""
)

// conditionName is the name of the condition that a block is about.
func conditionName(b *block.Body) string { return b.Labels[0] + " " + b.Labels[1] }
