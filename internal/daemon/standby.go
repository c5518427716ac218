package daemon

import (
	"log/slog"
	"sync"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/state"
)

// A standbyFile is where a standby outlives the process.
type standbyFile struct {
	store *state.Store
	mu    sync.Mutex
	last  uint64 // the number of what was saved last
}

// load returns the standby that is not over; nil: there is none. One that cannot be
// read is over: a director that stands back for a reason which nobody knows is worse.
func (f *standbyFile) load(log *slog.Logger) *api.Standby {
	s, err := f.store.Standby()
	if err != nil {
		log.Warn("whether this director is to be in standby cannot be read, so it is not", "event", "standby-unreadable", "error", err)
	}
	if s == nil {
		return nil
	}
	return &api.Standby{By: api.User{Name: s.User, UID: s.UID}, Since: s.Since, Until: s.Until}
}

// save saves a standby, or with nil that there is none, unless a later one was saved
// before: what waits for a disk may overtake.
func (f *standbyFile) save(number uint64, s *api.Standby) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if number < f.last {
		return nil
	}
	f.last = number
	if s == nil {
		return f.store.SaveStandby(nil)
	}
	return f.store.SaveStandby(&state.Standby{User: s.By.Name, UID: s.By.UID, Since: s.Since, Until: s.Until})
}
