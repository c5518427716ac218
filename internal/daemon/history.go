package daemon

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/state"
)

// saveConfiguration keeps the files of a configuration that was accepted, with the modes
// and owners that they have.
func saveConfiguration(store *state.Store, c director.SaveConfiguration) error {
	kept := state.Configuration{Accepted: c.At.Round(0), Digest: c.Digest}
	for _, f := range c.Files {
		file := state.ConfigurationFile{Path: f.Name, Mode: 0o640, Text: f.Text}
		if info, err := os.Stat(f.Name); err == nil {
			owner := info.Sys().(*syscall.Stat_t)
			file.Mode, file.UID, file.GID = uint32(info.Mode().Perm()), owner.Uid, owner.Gid
		}
		kept.Files = append(kept.Files, file)
	}
	return store.SaveConfiguration(kept)
}

// History returns the configurations that a daemon has kept in its state directory, the
// newest first, without their texts. It needs no daemon, and changes nothing.
func History(dir string) ([]api.Configuration, error) {
	store, err := state.Peek(dir)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	numbers, err := store.ConfigurationNumbers()
	if err != nil {
		return nil, err
	}
	all := []api.Configuration{}
	for _, n := range numbers {
		c, err := store.Configuration(n)
		if err != nil {
			return nil, err
		}
		if c != nil { // It was dropped a moment ago.
			one := kept(c)
			for i := range one.Files {
				one.Files[i].Text = ""
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// Kept returns one of these configurations with its texts, by its number; 0: the newest.
func Kept(dir string, number uint64) (api.Configuration, error) {
	store, err := state.Peek(dir)
	if err != nil {
		return api.Configuration{}, err
	}
	defer store.Close()
	numbers, err := store.ConfigurationNumbers()
	switch {
	case err != nil:
		return api.Configuration{}, err
	case len(numbers) == 0:
		return api.Configuration{}, fmt.Errorf("no configuration is kept in %s: lvsd keeps those that it accepts; give its --state-dir if it is another", dir)
	case number == 0:
		number = numbers[0]
	}
	c, err := store.Configuration(number)
	if err == nil && c == nil {
		err = fmt.Errorf("there is no configuration %d in %s: kept are %s", number, dir, strings.Trim(fmt.Sprint(numbers), "[]"))
	}
	if err != nil {
		return api.Configuration{}, err
	}
	return kept(c), nil
}

func kept(c *state.Configuration) api.Configuration {
	all := api.Configuration{Number: c.Number, Accepted: c.Accepted, Digest: c.Digest, Files: []api.KeptFile{}}
	for _, f := range c.Files {
		all.Files = append(all.Files, api.KeptFile{Path: f.Path, Mode: f.Mode, UID: f.UID, GID: f.GID, Size: len(f.Text), Text: f.Text})
	}
	return all
}
