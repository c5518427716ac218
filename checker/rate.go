package checker

import "time"

// A rate bounds how many probes begin in a second. What it allows and nobody takes
// is lost, but for that of two ticks: what is due together begins together.
type rate struct {
	perSecond int // zero: there is no bound
	// free is when the next probe may begin.
	free time.Time
}

// next returns when to try again to begin a probe; if one may begin now, that is
// now.
func (r *rate) next(now time.Time) time.Time {
	if r.perSecond == 0 {
		return now
	}
	if earliest := now.Add(-2 * tick); r.free.Before(earliest) {
		r.free = earliest
	}
	switch at := now.Add(tick); {
	case !r.free.After(now):
		return now
	case r.free.Before(at):
		return at
	default:
		return r.free
	}
}

// take counts a probe that begins.
func (r *rate) take() {
	if r.perSecond > 0 {
		r.free = r.free.Add(time.Second / time.Duration(r.perSecond))
	}
}
