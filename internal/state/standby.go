package state

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	standbyName    = "standby.json" // the file in the state directory
	standbyVersion = 1
)

// A Standby is that this director is not to be Master, as an operator wants.
type Standby struct {
	User string // who has ordered it; empty: this machine has no name for the UID
	UID  uint32
	// Since is when it was ordered, by the wall clock. Until is when it ends by itself;
	// zero: it does not. It has a monotonic reading, by which it counts.
	Since, Until time.Time
}

// A standbyFile is the file's format. When a standby ends is in it twice: by
// CLOCK_BOOTTIME, which nobody sets, and for another boot by the wall clock.
type standbyFile struct {
	Version  int           `json:"version"`
	Boot     string        `json:"boot"`
	User     string        `json:"user,omitempty"`
	UID      uint32        `json:"uid"`
	Since    time.Time     `json:"since"`
	Until    time.Time     `json:"until,omitzero"`
	Boottime time.Duration `json:"until_boottime_ns,omitempty"`
}

func (f *standbyFile) valid() error {
	if f.Version != standbyVersion {
		return fmt.Errorf("it has version %d, but this lvsd supports only version %d", f.Version, standbyVersion)
	}
	return nil
}

// A moment is what the clocks show at one time.
type moment struct {
	now      time.Time
	boot     string        // which boot this is
	boottime time.Duration // by CLOCK_BOOTTIME
}

func thisMoment() (moment, error) {
	boot, err := bootID()
	if err != nil {
		return moment{}, err
	}
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return moment{}, fmt.Errorf("reading CLOCK_BOOTTIME: %w", err)
	}
	return moment{time.Now(), boot, time.Duration(t.Nano())}, nil
}

// written is the file of a standby.
func (s *Standby) written(m moment) standbyFile {
	f := standbyFile{Version: standbyVersion, Boot: m.boot, User: s.User, UID: s.UID, Since: s.Since.Round(0)}
	if !s.Until.IsZero() {
		left := s.Until.Sub(m.now)
		f.Until, f.Boottime = m.now.Round(0).Add(left), m.boottime+left
	}
	return f
}

// read is the standby of a file; nil: it is over, or there was none. Within a boot,
// setting the clock neither ends it nor makes it longer. After another one, it does not
// last longer than was ordered, wherever the clock was set.
func (f *standbyFile) read(m moment) *Standby {
	if f.Version == 0 {
		return nil
	}
	s := &Standby{User: f.User, UID: f.UID, Since: f.Since}
	if f.Until.IsZero() {
		return s
	}
	left := min(f.Until.Sub(m.now.Round(0)), f.Until.Sub(f.Since))
	if f.Boot == m.boot {
		left = f.Boottime - m.boottime
	}
	if left <= 0 {
		return nil
	}
	s.Until = m.now.Add(left)
	return s
}

// Standby returns the standby that was saved last; nil where none was, or where it is
// over. A file that cannot be understood is put aside under the name that the error
// tells.
func (s *Store) Standby() (*Standby, error) {
	m, err := thisMoment()
	if err != nil {
		return nil, err
	}
	var file standbyFile
	if err := s.read(standbyName, &file, file.valid); err != nil {
		return nil, fmt.Errorf("reading the standby: %w", err)
	}
	return file.read(m), nil
}

// SaveStandby replaces it; nil: there is none.
func (s *Store) SaveStandby(standby *Standby) error {
	if standby == nil {
		return s.remove(standbyName)
	}
	m, err := thisMoment()
	if err == nil {
		err = s.write(standbyName, standby.written(m))
	}
	if err != nil {
		return fmt.Errorf("saving the standby: %w", err)
	}
	return nil
}
