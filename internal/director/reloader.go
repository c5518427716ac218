package director

import (
	"fmt"
	"time"

	"github.com/lvsd/lvsd/internal/api"
)

const (
	// loadPatience is how long a reading of the configuration may take.
	loadPatience = 30 * time.Second
	// maxHung bounds the readings that were given up and have not ended.
	maxHung = 4
)

// A reloader follows the readings of the configuration: one at a time is
// awaited, and one that takes too long is given up. It knows how the last one
// ended.
type reloader struct {
	api.Reload
	delay time.Duration // how long the kernel may take for a table
	// number is the newest reading's, and began when it did; zero: it is no
	// longer awaited.
	number int
	began  time.Time
	// again: a reload was asked for while another one was awaited.
	again bool
	hung  int // readings that were given up and have not ended
	// loading is until when a configuration that was applied may not be in the
	// kernel; zero: it is, or was waited for in vain.
	loading time.Time
}

func newReloader(now time.Time, path, digest string, delay time.Duration) reloader {
	return reloader{
		Reload: api.Reload{Path: path, Digest: digest, Applied: now, Last: now, OK: true, Succeeded: 1},
		delay:  delay,
	}
}

// ask reports whether a reading is to begin now; if one is awaited, it begins
// after that. An error means that none can begin.
func (r *reloader) ask(now time.Time) (bool, error) {
	switch {
	case !r.began.IsZero():
		r.again = true
		return false, nil
	case r.hung == maxHung:
		return false, fmt.Errorf("%d earlier readings of it still hang: find out what they wait for (a disk?)", r.hung)
	}
	r.number++
	r.began = now
	return true, nil
}

// end reports whether a reading that has ended is the one that is awaited.
func (r *reloader) end(number int) bool {
	if number != r.number || r.began.IsZero() {
		r.hung--
		return false
	}
	r.began = time.Time{}
	return true
}

// expire gives up a reading that takes too long; the error says so.
func (r *reloader) expire(now time.Time) error {
	if r.began.IsZero() || now.Sub(r.began) < loadPatience {
		return nil
	}
	r.began = time.Time{}
	r.hung++
	return fmt.Errorf("reading it takes longer than %v, and was given up", loadPatience)
}

// asked reports whether a reload was asked for while another one was awaited.
func (r *reloader) asked() bool {
	again := r.again
	r.again = false
	return again
}

// refused notes that a configuration was not taken.
func (r *reloader) refused(now time.Time, err error) {
	r.Last, r.OK, r.Error = now, false, err.Error()
	r.Failed++
}

// accepted notes that a configuration is valid.
func (r *reloader) accepted(now time.Time) {
	r.Last, r.OK, r.Error = now, true, ""
	r.Succeeded++
}

// applied notes that a configuration runs from now on.
func (r *reloader) applied(now time.Time, digest string) {
	r.Digest, r.Applied, r.loading = digest, now, now.Add(r.delay)
}

// settled reports, once, that the configuration that was applied last is in
// the kernel, or was waited for in vain: a row that the kernel refuses is tried
// again and again, and the service manager need not wait for that.
func (r *reloader) settled(now time.Time, converged bool) bool {
	if r.loading.IsZero() || !converged && now.Before(r.loading) {
		return false
	}
	r.loading = time.Time{}
	return true
}

// deadline is when a reading is given up, or a table no longer waited for.
func (r *reloader) deadline() time.Time {
	if r.began.IsZero() {
		return r.loading
	}
	return earliest(r.loading, r.began.Add(loadPatience))
}
