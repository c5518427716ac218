package director

import (
	"time"

	"github.com/lvsd/lvsd/internal/api"
)

const (
	// loadPatience is how long a reading of the configuration may take. The
	// reader gives up before that what takes long, and then it can say at which
	// block: this is for a reader that does not answer.
	loadPatience = 45 * time.Second
	// maxHung bounds the readings that were given up and have not ended.
	maxHung = 4
)

// A reloader follows the readings of the configuration. One at a time is
// awaited, and one that takes too long is given up.
type reloader struct {
	api.Reload // how the last one ended
	// number is the newest reading's, and until is when it is given up; zero: it
	// is no longer awaited.
	number int
	until  time.Time
	// askers are who is answered when it has ended. again: another reload was
	// asked for meanwhile, by these among others.
	askers []Asker
	again  bool
	next   []Asker
	hung   int // readings that were given up and have not ended
	// loading is until when a configuration that was applied may not be in the
	// kernel; zero: it is, or was waited for in vain.
	loading time.Time
}

// trial finds that a configuration is on trial, or was not confirmed.
func (all *findings) trial(t *api.Trial) {
	switch {
	case t == nil:
	case t.Over && t.Lost != "":
		all.add(api.Warning, "configuration-unconfirmed", "", "correct the files and lvsd apply, or put back others with lvsd config rollback",
			"the files served less than those before (ordered by %v, until %s), so they do not count: the configuration that ran before runs, and will after a restart: %s", t.By, t.Until.Format(time.DateTime), t.Lost)
	case t.Over:
		all.add(api.Warning, "configuration-unconfirmed", "", "correct the files and lvsd apply, or put back others with lvsd config rollback",
			"the files were not confirmed in time (ordered by %v, until %s), so they do not count: the configuration that ran before runs, and will after a restart", t.By, t.Until.Format(time.DateTime))
	default:
		all.add(api.Warning, "configuration-on-trial", "", "lvsd confirm, if it does what it should",
			"the configuration runs on trial, ordered by %v: the one before runs again at %s", t.By, t.Until.Format(time.DateTime))
	}
}

// ended reports whether a reading that has ended is the one that is awaited.
func (r *reloader) ended(number int) bool {
	if number != r.number || r.until.IsZero() {
		r.hung--
		return false
	}
	r.until = time.Time{}
	return true
}

// abandon waits no longer for the reading that is awaited, if one is.
func (r *reloader) abandon() {
	if !r.until.IsZero() {
		r.until = time.Time{}
		r.hung++
	}
}

// loaded reports, once, that the configuration that was applied last is in the
// kernel, or was waited for in vain: a row that the kernel refuses is tried
// again and again, and the service manager need not wait for that.
func (r *reloader) loaded(now time.Time, converged bool) bool {
	if r.loading.IsZero() || !converged && now.Before(r.loading) {
		return false
	}
	r.loading = time.Time{}
	return true
}
