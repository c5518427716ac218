package state

import (
	"fmt"
	"net/netip"
	"time"
)

const (
	keptOutName    = "kept-out.json" // the file in the state directory
	keptOutVersion = 1
)

// A KeptOut is a real server that has failed, and that stays out of the table until an
// operator lets it in.
type KeptOut struct {
	Service string     `json:"service"` // the service's name
	Address netip.Addr `json:"address"`
	Port    uint16     `json:"port"`
	Since   time.Time  `json:"since"`
}

// A keptOutFile is the file's format.
type keptOutFile struct {
	Version int       `json:"version"`
	Servers []KeptOut `json:"servers"`
}

func (f *keptOutFile) valid() error {
	if f.Version != keptOutVersion {
		return fmt.Errorf("it has version %d, but this lvsd supports only version %d", f.Version, keptOutVersion)
	}
	return nil
}

// KeptOut returns those that were saved last. A file that cannot be understood is put aside
// under the name that the error tells.
func (s *Store) KeptOut() ([]KeptOut, error) {
	var file keptOutFile
	if err := s.read(keptOutName, &file, file.valid); err != nil {
		return nil, fmt.Errorf("reading which real servers are kept out: %w", err)
	}
	return file.Servers, nil
}

// SaveKeptOut replaces them.
func (s *Store) SaveKeptOut(all []KeptOut) error {
	var err error
	if len(all) > 0 {
		err = s.write(keptOutName, keptOutFile{Version: keptOutVersion, Servers: all})
	} else {
		err = s.remove(keptOutName)
	}
	if err != nil {
		return fmt.Errorf("saving which real servers are kept out: %w", err)
	}
	return nil
}
