package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// read fills v with the file at path, and leaves it alone if there is none. A
// file that cannot be understood, or that valid refuses afterwards, is put aside
// under the name that the error tells.
func read(path string, v any, valid func() error) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err = json.Unmarshal(text, v); err == nil {
		err = valid()
	}
	if err != nil {
		aside := path + ".unreadable"
		return errors.Join(fmt.Errorf("%s, put aside as %s: %w", path, aside, err), os.Rename(path, aside))
	}
	return nil
}

// write replaces the file at path by v: it writes a file beside it, and moves that
// there when it is on the disk.
func write(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
