package cluster

import "time"

// late is how long after its request an answer is as good as none. What comes
// within a tenth of a second feels immediate to people; and no client's kernel
// sends anything again before 200 ms (TCP_RTO_MIN of Linux).
const late = 100 * time.Millisecond

// An echo is a request, and its answer if there was one.
type echo struct{ sent, answered time.Time }

// lost reports whether there was no answer in time.
func (e echo) lost() bool { return !e.answeredBy(e.sent.Add(late)) }

// answeredBy reports whether the answer had arrived at that moment.
func (e echo) answeredBy(t time.Time) bool {
	return !e.answered.IsZero() && !e.answered.After(t)
}

// Gap is the longest time after t, up to now, in which the address did not
// answer: in which every request, one each EchoInterval, got no answer or a late
// one. It begins with the first of these requests and ends one EchoInterval
// after the last, so it is what a client feels that asks all the time.
//
// It is a time of which there is proof. A sender that slept, as everybody does
// while one slow processor is busy elsewhere, says nothing of the address:
// its sleep counts only between two requests in a row of which neither had an
// answer in time, nor the first one a late answer before the second was sent.
// What was sent in the last tenth of a second, and has no answer yet, does not
// count.
func (e *Echo) Gap(t time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return longestGap(t.Round(0), e.looked, e.echoes)
}

// GapAtMost is the longest that a gap after t, up to now, can have been: the
// longest time between two requests that were answered in time. What Gap does
// not count because nobody asked, this does: who bounds it knows that the
// address was watched. The sender is some 20 ms behind with its reports; where
// it says nothing for longer than an answer may take it has not asked.
func (e *Echo) GapAtMost(t time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now().Round(0)
	if now.Sub(e.looked) <= late {
		now = e.looked
	}
	return longestUnanswered(t.Round(0), now, e.echoes)
}

// Lost counts the requests after t, up to now, that were not answered in time, without
// those that may still be.
func (e *Echo) Lost(t time.Time) (lost int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, one := range e.echoes {
		undecided := one.answered.IsZero() && e.looked.Sub(one.sent) <= late
		if !one.sent.Before(t.Round(0)) && !undecided && one.lost() {
			lost++
		}
	}
	return lost
}

// Answered reports whether a request that was sent after t has its answer.
func (e *Echo) Answered(t time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := len(e.echoes) - 1; i >= 0 && e.echoes[i].sent.After(t.Round(0)); i-- {
		if !e.echoes[i].answered.IsZero() {
			return true
		}
	}
	return false
}

// FirstAnswer is when the first answer arrived of those to requests that were sent after t.
func (e *Echo) FirstAnswer(t time.Time) (at time.Time, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.echoes {
		if r.sent.After(t.Round(0)) && !r.answered.IsZero() && (!ok || r.answered.Before(at)) {
			at, ok = r.answered, true
		}
	}
	return at, ok
}

// longestGap is Gap for the echoes in their order, whose answers are known up
// to the moment looked.
func longestGap(t, looked time.Time, echoes []echo) (longest time.Duration) {
	// The requests that were lost in a row, from first to last; nil: none.
	var first, last *echo
	for i := range echoes {
		e := &echoes[i]
		undecided := e.answered.IsZero() && looked.Sub(e.sent) <= late
		if e.sent.Before(t) || undecided {
			continue
		}
		if !e.lost() {
			first = nil
			continue
		}
		if first == nil || last.answeredBy(e.sent) {
			first = e
		}
		last = e
		longest = max(longest, last.sent.Sub(first.sent)+EchoInterval)
	}
	return longest
}

// longestUnanswered is GapAtMost for the echoes in their order.
func longestUnanswered(t, now time.Time, echoes []echo) (longest time.Duration) {
	last := t
	for _, e := range echoes {
		if e.sent.Before(t) || e.lost() {
			continue
		}
		longest = max(longest, e.sent.Sub(last))
		last = e.sent
	}
	return max(longest, now.Sub(last))
}
