package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A document is what a file of the store holds.
type document interface {
	// valid returns an error where the file said what it cannot mean.
	valid() error
}

// read fills d with the file at path, and leaves it alone where there is none.
// A file that cannot be understood is put aside under the name that the error
// tells.
func read(path string, d document) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err = json.Unmarshal(text, d); err == nil {
		err = d.valid()
	}
	if err != nil {
		aside := path + ".unreadable"
		return errors.Join(fmt.Errorf("%s, put aside as %s: %w", path, aside, err), os.Rename(path, aside))
	}
	return nil
}

// write replaces the file at path by d.
func write(path string, d document) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "\t")
	if err := e.Encode(d); err != nil {
		return err
	}
	return replace(path, text.Bytes())
}

// replace writes a file beside path and moves it there when it is on the disk.
func replace(path string, text []byte) error {
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
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
