package state

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// configurationPrefix begins the names of the files with configurations, which have a
	// number behind it.
	configurationPrefix  = "configuration-"
	configurationSuffix  = ".json"
	configurationVersion = 1
	// maxConfigurations is how many are kept.
	maxConfigurations = 10
)

// A Configuration is one that was accepted.
type Configuration struct {
	// Number counts the configurations from 1; the newest has the greatest.
	Number uint64 `json:"-"`
	// Accepted is when, by the wall clock.
	Accepted time.Time `json:"accepted"`
	// Digest identifies what it says, as config.Config has it.
	Digest string              `json:"digest"`
	Files  []ConfigurationFile `json:"files"`
}

// A ConfigurationFile is one file of a configuration. Files that are read by it are none.
type ConfigurationFile struct {
	Path string `json:"path"` // absolute
	// Mode are the permission bits, and UID and GID the owners, as they were.
	Mode uint32 `json:"mode"`
	UID  uint32 `json:"uid"`
	GID  uint32 `json:"gid"`
	Text string `json:"text"`
}

// A configurationFile is the file's format.
type configurationFile struct {
	Version int `json:"version"`
	Configuration
}

func (f *configurationFile) valid() error {
	if f.Version != configurationVersion {
		return fmt.Errorf("it has version %d, but this lvsd supports only version %d", f.Version, configurationVersion)
	}
	return nil
}

func configurationName(number uint64) string {
	return configurationPrefix + strconv.FormatUint(number, 10) + configurationSuffix
}

// ConfigurationNumbers returns the numbers of the configurations that are kept, the newest
// first.
func (s *Store) ConfigurationNumbers() ([]uint64, error) {
	if s.root == nil {
		return nil, nil
	}
	entries, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("listing the configurations that are kept: %w", err)
	}
	var all []uint64
	for _, e := range entries {
		middle, ours := strings.CutPrefix(e.Name(), configurationPrefix)
		middle, whole := strings.CutSuffix(middle, configurationSuffix)
		if n, err := strconv.ParseUint(middle, 10, 63); err == nil && ours && whole && configurationName(n) == e.Name() {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	slices.Reverse(all)
	return all, nil
}

// Configuration returns a configuration by its number; nil: it is not kept. A file that
// cannot be understood is put aside under the name that the error tells.
func (s *Store) Configuration(number uint64) (*Configuration, error) {
	var file configurationFile
	if err := s.read(configurationName(number), &file, file.valid); err != nil {
		return nil, fmt.Errorf("reading configuration %d: %w", number, err)
	}
	if file.Version == 0 {
		return nil, nil
	}
	file.Number = number
	return &file.Configuration, nil
}

// SaveConfiguration keeps a configuration, unless it is the newest one, and drops those
// that are too many.
func (s *Store) SaveConfiguration(c Configuration) error {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	all, err := s.ConfigurationNumbers()
	if err != nil {
		return err
	}
	next := uint64(1)
	if len(all) > 0 {
		next = all[0] + 1
		if last, err := s.Configuration(all[0]); err == nil && last != nil && last.same(&c) {
			return nil
		}
	}
	if err := s.write(configurationName(next), configurationFile{configurationVersion, c}); err != nil {
		return fmt.Errorf("keeping the configuration: %w", err)
	}
	for _, n := range all[min(len(all), maxConfigurations-1):] {
		if err := s.remove(configurationName(n)); err != nil {
			return fmt.Errorf("dropping an old configuration: %w", err)
		}
	}
	return nil
}

// same reports whether two configurations have the same files.
func (c *Configuration) same(other *Configuration) bool {
	return c.Digest == other.Digest && slices.EqualFunc(c.Files, other.Files, func(a, b ConfigurationFile) bool {
		return a.Path == b.Path && a.Text == b.Text
	})
}
