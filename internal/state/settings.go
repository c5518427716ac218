package state

import (
	"errors"
	"fmt"
	"io/fs"
)

const (
	settingsName    = "settings.json" // the file in the state directory
	settingsVersion = 1
)

// A settingsFile is the file's format. What the kernel's parameters are belongs to one boot
// and, but for a few, to one network namespace.
type settingsFile struct {
	Version int `json:"version"`
	tableID
	Before map[string]string `json:"before"`
}

func (f *settingsFile) valid() error {
	if f.Version != settingsVersion {
		return fmt.Errorf("it has version %d, but this lvsd supports only version %d", f.Version, settingsVersion)
	}
	return nil
}

// Settings returns, by their names, the kernel's parameters that an earlier process has
// changed in this network namespace since the machine was booted, as they were before. A
// file that cannot be understood is put aside under the name that the error tells.
func (s *Store) Settings() (map[string]string, error) {
	here, err := thisTable()
	if err != nil {
		return nil, err
	}
	var file settingsFile
	if err := s.read(settingsName, &file, file.valid); err != nil {
		return nil, fmt.Errorf("reading what the kernel's parameters were: %w", err)
	}
	if file.tableID != here {
		return nil, nil
	}
	return file.Before, nil
}

// SaveSettings replaces them.
func (s *Store) SaveSettings(before map[string]string) error {
	here, err := thisTable()
	if err == nil && len(before) > 0 {
		err = s.write(settingsName, settingsFile{settingsVersion, here, before})
	} else if err == nil {
		err = s.root.Remove(settingsName)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("saving what the kernel's parameters were: %w", err)
	}
	return nil
}
