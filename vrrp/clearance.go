package vrrp

import (
	"net/netip"
	"time"
)

// A Clearance is what a router asks its director for before it takes a step, and waits
// for: something has to be done first that only the director can do.
type Clearance struct {
	// Timeout is how long the router waits for the answer. After that the step counts as
	// refused. Zero: it does not ask.
	Timeout time.Duration
	// Unheard, of Enter, asks also where no Master was heard since the start.
	Unheard bool
	// Required, of Enter, keeps a router that is refused from becoming Master. It asks
	// again after a while. Otherwise it goes on.
	Required bool
}

// A Step is what a router asks its director about.
type Step string

// The steps.
const (
	// Enter is to become Master in the place of one that fell silent. A Master that
	// leaves by priority 0, or that is preempted, needs no question.
	Enter Step = "enter"
	// Leave is to stop being Master by plan: for an operator, at the end, or because of a
	// condition. What has to be quick asks nobody: a lost link, a better Master.
	Leave Step = "leave"
)

// A Question is one that is open: the router waits for its Answer. The routers of a
// group ask the same question, with the same number.
type Question struct {
	// Number tells one question from the next, also after a keeper was replaced. Zero:
	// there is none.
	Number uint64 `json:"number,omitempty"`
	Step   Step   `json:"step,omitempty"`
	// Peer, of Enter, is the Master that fell silent; invalid: none was heard.
	Peer netip.Addr `json:"peer"`
}

// An Answer is a director's answer to a Question.
type Answer struct {
	// Router is the one that asked, or any of its group, all of which take the answer.
	Router string `json:"router"`
	Number uint64 `json:"number"`
	// OK reports that what had to be done first is done. Text tells what that was, or why
	// it was not done.
	OK   bool   `json:"ok,omitempty"`
	Text string `json:"text,omitempty"`
}

// A stage is how far a clearing has come.
type stage uint8

// The stages.
const (
	unasked stage = iota
	asked
	granted
	refused
)

// A clearing is a question, and what came of it.
type clearing struct {
	stage    stage
	question Question
	// until is when the question counts as refused or, if it was, is asked again.
	until time.Time
	// wakeAt is when the router looks whether it has slept, of Enter only.
	wakeAt time.Time
	text   string // of the answer
}

// begin asks, and waits for a time. Two questions are never asked in the same moment, but
// for those of a group, which are one.
func (c *clearing) begin(now time.Time, wait time.Duration, q Question) {
	q.Number = uint64(now.UnixNano())
	*c = clearing{stage: asked, question: q, until: now.Add(wait)}
}
