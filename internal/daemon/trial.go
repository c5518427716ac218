package daemon

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/reader"
	"github.com/lvsd/lvsd/internal/state"
)

// A trial is the configuration that runs until it is confirmed, if one does. What decides is
// the file in the state directory: it is there before the configuration is read, and from its
// end on every reading is one of the configuration before, until the files are that again, or
// somebody applies others.
type trial struct {
	log    *slog.Logger
	store  *state.Store
	path   string // of the configuration
	reload func() // has the director read the configuration

	// orders is held while one thing is done about it, which may wait for the disk, and mu
	// guards what follows, and is never held for long.
	orders sync.Mutex
	mu     sync.Mutex
	is     *state.Trial // nil: there is none
	timer  *time.Timer  // calls reload when it is over
}

// newTrial returns the trial that an earlier process has left, if there is one.
func newTrial(log *slog.Logger, store *state.Store, path string) *trial {
	t := &trial{log: log, store: store, path: path, reload: func() {}}
	is, err := store.Trial()
	if err != nil {
		log.Warn("whether a configuration is on trial cannot be read, so the files count", "event", "trial-unreadable", "error", err)
	}
	t.is = is
	return t
}

// follow has the configuration read when the trial is over.
func (t *trial) follow(reload func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reload = reload
	if t.is != nil && time.Until(t.is.Until) > 0 { // Otherwise it was read so already.
		t.schedule()
	}
}

// now is the trial, and whether it is over; nil: there is none.
func (t *trial) now() (is *state.Trial, over bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.is, t.is != nil && time.Until(t.is.Until) <= 0
}

// set makes it another one, which the disk has.
func (t *trial) set(is *state.Trial) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.is = is
	t.schedule()
}

// schedule sets the timer, with t.mu held.
func (t *trial) schedule() {
	if t.timer != nil {
		t.timer.Stop()
	}
	if t.is != nil { // The disk may have taken longer than it lasts.
		lost := t.is.Lost
		t.timer = time.AfterFunc(time.Until(t.is.Until), func() {
			if lost == "" {
				t.log.Warn("the configuration was not confirmed in time: going back to the one before", "event", "trial-over")
			} else {
				t.log.Warn("the configuration on trial serves less than the one before: going back to that", "event", "trial-failed", "why", lost)
			}
			t.reload()
		})
	}
}

// Begin keeps the configuration that runs, which has this digest, to go back to it after a
// time, unless End is called before; or when Fail is, which is for as long as it has a stake.
func (t *trial) Begin(by api.User, digest string, lasts time.Duration, stake *director.Stake) error {
	t.orders.Lock()
	defer t.orders.Unlock()
	if is, over := t.now(); is != nil && !over {
		return fmt.Errorf("the configuration that runs is on trial until %s: lvsd confirm, or wait for its end", is.Until.Format(time.TimeOnly))
	}
	before, err := t.kept(digest)
	if err != nil {
		return err
	}
	now := time.Now()
	is := &state.Trial{User: by.Name, UID: by.UID, Since: now, Until: now.Add(lasts), Before: *before}
	if stake != nil {
		is.Servers, is.Spare = stake.Servers, stake.Spare
	}
	if err := t.store.SaveTrial(is); err != nil {
		return err
	}
	t.set(is)
	t.log.Info("a configuration is on trial", "event", "trial-begun", "until", is.Until.Round(0), "user", by.Name, "uid", by.UID)
	return nil
}

// Stake is what must go on to serve in the trial; nil: nothing, or there is none.
func (t *trial) Stake() *director.Stake {
	is, over := t.now()
	if is == nil || over || is.Servers == nil {
		return nil
	}
	return &director.Stake{Servers: is.Servers, Spare: is.Spare}
}

// Fail goes back to the configuration before at once, also where the disk does not take
// that. While something else is done about the trial it does nothing: it is called again.
func (t *trial) Fail(lost string) {
	if !t.orders.TryLock() {
		return
	}
	defer t.orders.Unlock()
	is, over := t.now()
	if is == nil || over {
		return
	}
	failed := *is
	failed.Until, failed.Lost = time.Now(), lost
	if err := t.store.SaveTrial(&failed); err != nil {
		t.log.Error("that a configuration has failed its trial could not be kept: a restart before its end takes it again", "event", "trial-unsaved", "error", err)
	}
	t.set(&failed)
}

// kept is the configuration that is kept with this digest.
func (t *trial) kept(digest string) (*state.Configuration, error) {
	if is, _ := t.now(); is != nil && is.Before.Digest == digest {
		return &is.Before, nil
	}
	numbers, err := t.store.ConfigurationNumbers()
	for _, n := range numbers {
		if c, err := t.store.Configuration(n); err == nil && c != nil && c.Digest == digest {
			return c, nil
		}
	}
	return nil, errors.Join(errors.New("the configuration that runs is not kept in the state directory, so nothing could go back to it: see the log for why, and lvsd config history"), err)
}

// End ends the trial, if there is one, so that the files count.
func (t *trial) End(by api.User) error {
	t.orders.Lock()
	defer t.orders.Unlock()
	is, over := t.now()
	if is == nil {
		return nil
	}
	if err := t.store.SaveTrial(nil); err != nil {
		return fmt.Errorf("ending the trial of a configuration: %w", err)
	}
	t.set(nil)
	t.log.Info("the configuration is no longer on trial", "event", "trial-ended", "over", over, "user", by.Name, "uid", by.UID)
	return nil
}

// Status is the trial for people; nil: there is none. It waits for nobody.
func (t *trial) Status() *api.Trial {
	is, over := t.now()
	if is == nil {
		return nil
	}
	s := &api.Trial{By: api.User{Name: is.User, UID: is.UID}, Since: is.Since, Until: is.Until, Over: over, Lost: is.Lost}
	if is.Servers != nil {
		s.Spare = &is.Spare
	}
	return s
}

// pick makes a query one of the configuration before, where the trial is over and the files
// are not that again. It returns what there is to say about it.
func (t *trial) pick(q *reader.Query) (warning string) {
	t.orders.Lock()
	defer t.orders.Unlock()
	is, over := t.now()
	if is == nil || !over {
		return ""
	}
	before := &is.Before
	if same(t.path, before) {
		if t.store.SaveTrial(nil) == nil {
			t.set(nil)
		}
		return ""
	}
	q.Read = nil
	for _, f := range before.Files {
		q.Read = append(q.Read, config.SourceFile{Name: f.Path, Text: []byte(f.Text)})
	}
	why := "were not confirmed in time"
	if is.Lost != "" {
		why = "served less than those before (" + is.Lost + ")"
	}
	return fmt.Sprintf("the files at %s %s and do not count: the configuration of %s runs; lvsd apply takes them, lvsd config rollback restores others",
		t.path, why, before.Accepted.Format(time.DateTime))
}

// pickFirst is pick at a start, which opens the state directory later: what is wrong with
// that is told then.
func pickFirst(o Options, q *reader.Query) {
	peek, err := state.Peek(o.StateDir)
	if err != nil {
		return
	}
	defer peek.Close()
	if warning := newTrial(slog.New(slog.DiscardHandler), peek, o.Config).pick(q); warning != "" {
		o.Log.Warn(warning, "event", "configuration-unconfirmed")
	}
}

// same reports whether the files at a path are those of a configuration.
func same(path string, c *state.Configuration) bool {
	sources, err := config.Read(path)
	return err == nil && slices.EqualFunc(named(sources.Files()), c.Files, func(a api.File, b state.ConfigurationFile) bool {
		return a.Name == b.Path && a.Text == b.Text
	})
}
