package vrrp

import (
	"fmt"
	"log/slog"
	"time"
)

// refusedFor is how long a router that was refused to become Master waits before it asks
// again.
const refusedFor = 10 * time.Second

// Question returns the one that the router waits for an answer to, if there is one.
func (r *Router) Question() Question {
	switch {
	case r.entering.stage == asked:
		return r.entering.question
	case r.leaving.waits():
		return r.leaving.question
	default:
		return Question{}
	}
}

// Answer takes the director's answer to the open question. Others count for nothing.
func (r *Router) Answer(now time.Time, a Answer) []Action {
	switch {
	case a.Number == 0:
		return nil
	case r.entering.stage == asked && r.entering.question.Number == a.Number:
		if acts := r.slept(now); acts != nil {
			return acts
		}
		return r.mayEnter(now, a.OK, a.Text)
	case r.leaving.waits() && r.leaving.question.Number == a.Number:
		return r.mayLeave(now, a.OK, a.Text)
	default:
		return nil
	}
}

// unanswered is why a question counts as refused that has no answer.
func unanswered(c Clearance) string { return fmt.Sprintf("lvsd did not answer within %s", c.Timeout) }

// asksToEnter reports whether a Backup that would be Master now has to ask first, as the
// Master fell silent.
func (r *Router) asksToEnter(now time.Time) bool {
	e := &r.election
	switch {
	case r.c.Enter.Timeout == 0:
		return false
	case !e.master.IsValid():
		return r.c.Enter.Unheard
	default:
		return !e.gives(&r.c, now)
	}
}

// askToEnter asks whether it may become Master. Its timers have ended.
func (r *Router) askToEnter(now time.Time) []Action {
	c := &r.entering
	r.election.stop()
	r.stall.listening = false // It has listened.
	c.begin(now, r.c.Enter.Timeout, Question{Step: Enter, Peer: r.election.master})
	c.wakeAt = now.Add(r.election.interval)
	return []Action{r.event(now, Asks, slog.LevelInfo, "%s: waits up to %s for what is to be done before it becomes Master", r.silence(), r.c.Enter.Timeout)}
}

// silence is why a Backup takes over that has heard nobody.
func (r *Router) silence() string {
	if m := r.election.master; m.IsValid() {
		return fmt.Sprintf("no more adverts from %s", m)
	}
	return "no adverts from any Master"
}

// expireEntering does what is due while a Backup waits for an answer, or was refused.
func (r *Router) expireEntering(now time.Time) []Action {
	if acts := r.slept(now); acts != nil {
		return acts
	}
	c := &r.entering
	c.wakeAt = now.Add(r.election.interval)
	switch {
	case !due(c.until, now):
		return nil
	case c.stage == asked:
		return r.mayEnter(now, false, unanswered(r.c.Enter))
	case r.led:
		r.entering = clearing{} // Its group asks again.
		return nil
	default:
		return r.askToEnter(now)
	}
}

// slept ends the waiting of a Backup that woke up so late that it may have lost adverts:
// it listens first.
func (r *Router) slept(now time.Time) []Action {
	late, interval := now.Sub(r.entering.wakeAt), r.election.interval
	if r.entering.wakeAt.IsZero() || late <= missedAdverts*interval {
		return nil
	}
	r.entering = clearing{}
	r.stall.listening = true
	r.election.masterDownAt = now.Add(listening(interval, true))
	return append(r.stalled(now, late), r.doesNotWait(now, "it woke up late, and listens first"))
}

// mayEnter takes what came of the question.
func (r *Router) mayEnter(now time.Time, ok bool, text string) (acts []Action) {
	c := &r.entering
	c.text = text
	switch {
	case !ok && r.c.Enter.Required:
		c.stage, c.until = refused, now.Add(refusedFor)
		return []Action{r.event(now, Refused, slog.LevelWarn, "does not become Master, since what is to be done before failed: %s; it is tried again after %s, unless a Master is heard", text, refusedFor)}
	case !ok:
		acts = append(acts, r.event(now, Refused, slog.LevelWarn, "becomes Master although what is to be done before failed: %s", text))
	}
	c.stage, c.until, c.wakeAt = granted, time.Time{}, time.Time{}
	if r.led {
		return acts // Its group promotes it.
	}
	return append(acts, r.becomeMaster(now, r.silence())...)
}

// waits reports whether a Backup waits for an answer, or was refused.
func (r *Router) waits() bool { return r.entering.stage != unasked }

// endWaiting ends the waiting because a Master was heard, to which the rules for a Backup
// apply whose timer has just ended. One that is led has its group look at it.
func (r *Router) endWaiting(now time.Time, ad Advert) []Action {
	e := &r.election
	if r.led || !r.waits() {
		return nil
	}
	r.entering = clearing{}
	e.masterDownAt = now
	if ad.Priority == 0 {
		e.masterDownAt = now.Add(e.skew(&r.c))
	}
	return []Action{r.doesNotWait(now, "an advert was received")}
}

// Withdraw takes the question to become Master back: its group would not let it.
func (r *Router) Withdraw(now time.Time) []Action {
	if !r.waits() {
		return nil
	}
	r.entering = clearing{}
	return []Action{r.doesNotWait(now, "its group cannot become Master any more")}
}

// reconsider ends the waiting for answers that do not matter any more.
func (r *Router) reconsider(now time.Time) []Action {
	switch {
	case r.waits() && !r.election.over():
		r.entering = clearing{}
		return []Action{r.doesNotWait(now, "another Master may be there")}
	case r.waits() && !r.led && r.c.Enter.Timeout == 0:
		r.entering = clearing{}
		r.election.masterDownAt = now
	case r.leaving.waits() && r.c.Leave.Timeout == 0:
		return r.mayLeave(now, true, "")
	}
	return nil
}

func (r *Router) doesNotWait(now time.Time, why string) Action {
	return r.event(now, AsksNoMore, slog.LevelInfo, "does not wait any more: %s", why)
}

// clear reports whether a router that is led may become Master, and asks if it has not
// yet.
func (r *Router) clear(now time.Time) (acts []Action, ok bool) {
	switch {
	case r.c.Enter.Timeout == 0 || r.entering.stage == granted:
		return nil, true
	case r.entering.stage == unasked:
		return r.askToEnter(now), false
	default:
		return nil, false
	}
}

// mustWaitToLeave asks, for a Master that is to do something by which it leaves, and
// reports whether it waits. It goes on as Master meanwhile.
func (r *Router) mustWaitToLeave(now time.Time, to departure) (acts []Action, wait bool) {
	switch {
	case r.state != Master || r.c.Leave.Timeout == 0 || r.offering.pending() || r.leaving.over():
		return nil, false
	case r.leaving == nil:
		r.leaving = new(departure)
		r.leaving.begin(now, r.c.Leave.Timeout, Question{Step: Leave})
		acts = []Action{r.event(now, Asks, slog.LevelInfo, "waits up to %s for what is to be done before it leaves", r.c.Leave.Timeout)}
	}
	r.leaving.add(to)
	return acts, true
}

// mayLeave takes what came of the question: the router leaves now. Only an offer is
// dropped if the answer is no.
func (r *Router) mayLeave(now time.Time, ok bool, text string) (acts []Action) {
	d := r.leaving
	if !ok && d.ending == Running && d.fault == "" {
		r.leaving = nil
		r.offering.last.Outcome, r.offering.last.Reason = Kept, text
		return []Action{r.event(now, Refused, slog.LevelWarn, "stays Master, since what is to be done before it leaves failed: %s", text)}
	}
	if !ok {
		acts = append(acts, r.event(now, Refused, slog.LevelWarn, "leaves although what is to be done before failed: %s", text))
	}
	d.grant(now)
	return acts
}

// Depart lets a Master that waits to leave do it at once.
func (r *Router) Depart(now time.Time) []Action {
	if !r.leaving.waits() {
		return nil
	}
	return r.mayLeave(now, false, "there is no time for it")
}

// Stay tells a router that there is no fault any more: a Master that waits to leave for
// one stays.
func (r *Router) Stay(now time.Time) []Action {
	d := r.leaving
	if !d.waits() || d.fault == "" {
		return nil
	}
	if d.fault = ""; d.ending != Running || d.order.Number != 0 {
		return nil
	}
	r.leaving = nil
	return []Action{r.doesNotWait(now, "there is no fault any more, so it stays Master")}
}
