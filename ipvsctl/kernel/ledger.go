//go:build linux

package kernel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lvsd/lvsd/ipvsctl"
)

var _ ipvsctl.Ledger = (*Ledger)(nil)

// ledgerName is the ledger's file in the state directory.
const ledgerName = "services.json"

// ledgerVersion is the form of the file. A reader refuses any other.
const ledgerVersion = 1

// A Ledger is a file that says which services of the kernel's table are ours.
type Ledger struct {
	path  string
	table tableID
}

// A tableID tells one kernel table from another: each boot and each network
// namespace has its own, empty at first.
type tableID struct {
	Boot      string `json:"boot"`
	Namespace string `json:"namespace"`
}

type ledgerFile struct {
	Version int `json:"version"`
	tableID
	Services []ipvsctl.ServiceKey `json:"services"`
}

// OpenLedger returns the ledger in the state directory dir, about the table of
// this boot and this process's network namespace. The directory must exist;
// the file need not.
func OpenLedger(dir string) (*Ledger, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, fmt.Errorf("asking which boot this is: %w", err)
	}
	namespace, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("asking which network namespace this is: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the state directory: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("opening the state directory: %s is not a directory", dir)
	}
	return &Ledger{
		path:  filepath.Join(dir, ledgerName),
		table: tableID{Boot: strings.TrimSpace(string(boot)), Namespace: namespace},
	}, nil
}

// Load returns the services that were last saved for this table; none where
// nothing was. A file that cannot be understood is put aside under the name
// that the error tells.
func (l *Ledger) Load() ([]ipvsctl.ServiceKey, error) {
	text, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	file, err := parse(text)
	switch {
	case err != nil:
		aside := l.path + ".unreadable"
		return nil, errors.Join(fmt.Errorf("reading the ledger %s, put aside as %s: %w", l.path, aside, err), os.Rename(l.path, aside))
	case file.tableID != l.table:
		return nil, nil
	}
	return file.Services, nil
}

func parse(text []byte) (file ledgerFile, err error) {
	if err := json.Unmarshal(text, &file); err != nil {
		return file, err
	}
	if file.Version != ledgerVersion {
		return file, fmt.Errorf("it has version %d, this program knows version %d", file.Version, ledgerVersion)
	}
	for i, k := range file.Services {
		if !k.Addr.IsValid() {
			return file, fmt.Errorf("service %d has no address", i+1)
		}
	}
	return file, nil
}

// Save replaces the ledger. After a crash at any moment the file is the old
// one or the new one.
func (l *Ledger) Save(keys []ipvsctl.ServiceKey) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "\t")
	if err := e.Encode(ledgerFile{Version: ledgerVersion, tableID: l.table, Services: keys}); err != nil {
		return fmt.Errorf("saving the ledger: %w", err)
	}
	if err := replace(l.path, text.Bytes()); err != nil {
		return fmt.Errorf("saving the ledger: %w", err)
	}
	return nil
}

// replace writes a file beside path and moves it there when it is on the disk.
func replace(path string, text []byte) error {
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
