package daemon

import (
	"log/slog"
	"sync"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

const (
	// signedAhead is how far ahead of what was signed a signedFile is written, so that
	// it need not be for each advert, and signedReserve is how much of that is left when
	// it is written again.
	signedAhead   = time.Minute
	signedReserve = 20 * time.Second
	// signedWithin bounds how long the end of the daemon waits for the disk.
	signedWithin = 2 * time.Second
)

// A signedFile is where a sequence outlives the process that no advert of this director
// was signed after: so that it can go on where the clock was set back before the next
// start, or the machine has none that goes on without power.
type signedFile struct {
	log   *slog.Logger
	store signedStore
	// last is what was noted last, and saved what is saved or is about to be. They belong
	// to whoever calls note.
	last, saved vrrp.Sequence

	disk   sync.Mutex // held while something is saved
	failed bool       // the last time
}

// A signedStore is what a signedFile needs of a state.Store.
type signedStore interface {
	Signed() (uint64, error)
	SaveSigned(uint64) error
}

// load returns what was saved last; zero: nothing was. If that cannot be read, the clock
// decides, as on a director that is new.
func (f *signedFile) load() vrrp.Sequence {
	s, err := f.store.Signed()
	if err != nil {
		f.log.Warn("if the clock was set back, peers with replay = \"order\" refuse the adverts of this director", "event", "signed-unreadable", "error", err)
	}
	f.last, f.saved = vrrp.Sequence(s), vrrp.Sequence(s)
	return f.saved
}

// note notes the last sequence that was signed, and has a later one saved when it comes
// near to what is saved. It does not wait.
func (f *signedFile) note(last vrrp.Sequence) {
	if last == f.last || last.Add(signedReserve).Before(f.saved) || !f.disk.TryLock() {
		return // Where the disk hangs, it is noted again soon.
	}
	f.last, f.saved = last, last.Add(signedAhead)
	go f.save(f.saved)
}

// save saves a sequence, with the disk locked, and unlocks it.
func (f *signedFile) save(s vrrp.Sequence) {
	defer f.disk.Unlock()
	err := f.store.SaveSigned(uint64(s))
	if err != nil && !f.failed {
		f.log.Warn("if the clock is set back before the next start, peers with replay = \"order\" will refuse the adverts of this director", "event", "signed-unsaved", "error", err)
	}
	f.failed = err != nil
}

// end saves the very last sequence. It does not wait long for a disk.
func (f *signedFile) end(last vrrp.Sequence) {
	if last == 0 {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.disk.Lock()
		f.save(last)
	}()
	select {
	case <-done:
	case <-time.After(signedWithin):
	}
}
