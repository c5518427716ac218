package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

const (
	// maxDocument bounds a file, in bytes: a ledger of 100,000 services has less.
	maxDocument = 16 << 20
	// legible is how many bytes people read in lines. To have a longer file in lines
	// takes longer than the rest of writing it.
	legible = 64 << 10
)

// read fills v with the file of that name, and leaves it alone if there is none. A
// file that cannot be understood, or that valid refuses afterwards, is put aside
// under the name that the error tells.
func (s *Store) read(name string, v any, valid func() error) error {
	text, err := s.text(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err == nil {
		err = valid()
	}
	if err != nil && s.readOnly {
		return fmt.Errorf("%s: %w", s.path(name), err)
	}
	if err != nil {
		aside := name + ".unreadable"
		return errors.Join(fmt.Errorf("%s, put aside as %s: %w", s.path(name), s.path(aside), err), s.root.Rename(name, aside))
	}
	return nil
}

// text returns what a file contains. Anything that is not a regular file is an
// error, since reading it may never end.
func (s *Store) text(name string) ([]byte, error) {
	f, err := s.open(name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err == nil && len(text) > maxDocument {
		err = fmt.Errorf("it has more than %d bytes", maxDocument)
	}
	return text, err
}

// write replaces the file of that name by v: it writes a file beside it, and moves
// that there when it is on the disk.
func (s *Store) write(name string, v any) error {
	if s.readOnly {
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(text) <= legible {
		var lines bytes.Buffer
		if err := json.Indent(&lines, text, "", "\t"); err != nil {
			return err
		}
		text = lines.Bytes()
	}
	if len(text) >= maxDocument {
		return fmt.Errorf("it has more than %d bytes, which nobody would read again", maxDocument)
	}
	temporary := name + ".new"
	if err := s.root.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := s.open(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = s.root.Rename(temporary, name)
	}
	if err != nil {
		return errors.Join(err, s.root.Remove(temporary))
	}
	dir, err := s.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// remove removes the file of that name, if there is one.
func (s *Store) remove(name string) error {
	if s.readOnly {
		return nil
	}
	err := s.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return err
}
