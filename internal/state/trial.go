package state

import (
	"fmt"
	"time"
)

const (
	trialName    = "trial.json" // the file in the state directory
	trialVersion = 1
)

// A Trial is that a configuration runs until it is confirmed, and the one before it again if
// it is not.
type Trial struct {
	User string // who has ordered it; empty: this machine has no name for the UID
	UID  uint32
	// Since is when it was ordered, by the wall clock. Until is when it is over; it has a
	// monotonic reading, by which it counts.
	Since, Until time.Time
	// Before is the configuration that ran before.
	Before Configuration
	// Servers are its real servers by service, as "address:port", and whether each served
	// then; nil: that does not matter. Spare is how many may have stopped.
	Servers map[string]map[string]bool
	Spare   int
	// Lost is what had stopped when it ended for that.
	Lost string
}

// A trialFile is the file's format; its end is in it twice, as that of a standby is.
type trialFile struct {
	Version  int           `json:"version"`
	Boot     string        `json:"boot"`
	User     string        `json:"user,omitempty"`
	UID      uint32        `json:"uid"`
	Since    time.Time     `json:"since"`
	Until    time.Time     `json:"until"`
	Boottime time.Duration `json:"until_boottime_ns"`
	Before   Configuration `json:"before"`

	Servers map[string]map[string]bool `json:"servers,omitempty"`
	Spare   int                        `json:"spare,omitempty"`
	Lost    string                     `json:"lost,omitempty"`
}

func (f *trialFile) valid() error {
	switch {
	case f.Version != trialVersion:
		return fmt.Errorf("it has version %d, but this lvsd supports only version %d", f.Version, trialVersion)
	case len(f.Before.Files) == 0:
		return fmt.Errorf("it has no configuration to go back to")
	}
	return nil
}

// read is the trial of a file. Within a boot, setting the clock neither ends it nor makes it
// longer; after another one it does not last longer than was ordered.
func (f *trialFile) read(m moment) *Trial {
	left := min(f.Until.Sub(m.now.Round(0)), f.Until.Sub(f.Since))
	if f.Boot == m.boot {
		left = f.Boottime - m.boottime
	}
	return &Trial{User: f.User, UID: f.UID, Since: f.Since, Until: m.now.Add(left), Before: f.Before, Servers: f.Servers, Spare: f.Spare, Lost: f.Lost}
}

// Trial returns the trial that was saved; nil where there is none. One whose end has come is
// still there: the configuration before it is to run then. A file that cannot be understood
// is put aside under the name that the error tells.
func (s *Store) Trial() (*Trial, error) {
	m, err := thisMoment()
	if err != nil {
		return nil, err
	}
	var file trialFile
	if err := s.read(trialName, &file, file.valid); err != nil {
		return nil, fmt.Errorf("reading the trial of a configuration: %w", err)
	}
	if file.Version == 0 {
		return nil, nil
	}
	return file.read(m), nil
}

// SaveTrial replaces it; nil: there is none.
func (s *Store) SaveTrial(t *Trial) error {
	if t == nil {
		return s.remove(trialName)
	}
	m, err := thisMoment()
	if err == nil {
		left := t.Until.Sub(m.now)
		err = s.write(trialName, trialFile{Version: trialVersion, Boot: m.boot, User: t.User, UID: t.UID, Since: t.Since.Round(0),
			Until: m.now.Round(0).Add(left), Boottime: m.boottime + left, Before: t.Before, Servers: t.Servers, Spare: t.Spare, Lost: t.Lost})
	}
	if err != nil {
		return fmt.Errorf("saving the trial of a configuration: %w", err)
	}
	return nil
}
