package state

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"

	"github.com/lvsd/lvsd/ipvsctl"
)

var _ ipvsctl.Ledger = (*Ledger)(nil)

const (
	ledgerName    = "services.json" // the file in the state directory
	ledgerVersion = 1               // of the file's format, the only one that is understood
)

// A Ledger is a file that says which services of the kernel's IPVS table are
// ours.
type Ledger struct {
	store *Store
	table tableID
}

// A tableID tells one kernel table from another: each boot and each network
// namespace has its own, empty at first.
type tableID struct {
	Boot      string `json:"boot"`
	Namespace string `json:"namespace"`
}

// A ledgerFile is the file's format.
type ledgerFile struct {
	Version int `json:"version"`
	tableID
	Services []ipvsctl.ServiceKey `json:"services"`
}

func (f *ledgerFile) valid() error {
	if f.Version != ledgerVersion {
		return fmt.Errorf("it has version %d, but this lvsd supports only version %d", f.Version, ledgerVersion)
	}
	for i, s := range f.Services {
		if !s.Addr.IsValid() {
			return fmt.Errorf("service %d has no address", i+1)
		}
	}
	return nil
}

// Ledger returns the ledger about the IPVS table of this boot and this
// process's network namespace.
func (s *Store) Ledger() (*Ledger, error) {
	table, err := thisTable()
	if err != nil {
		return nil, err
	}
	return &Ledger{store: s, table: table}, nil
}

// thisTable is the table of this boot and this process's network namespace.
func thisTable() (tableID, error) {
	boot, err := bootID()
	if err != nil {
		return tableID{}, err
	}
	namespace, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		return tableID{}, fmt.Errorf("reading the network namespace's ID: %w", err)
	}
	return tableID{Boot: boot, Namespace: namespace}, nil
}

// Services returns the services that a daemon has saved in its state directory for the IPVS
// table of this boot and this process's network namespace. It takes no lock, and writes
// nothing: the daemon may be running.
func Services(dir string) ([]ipvsctl.ServiceKey, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the state directory: %w", err)
	}
	defer root.Close()
	s := &Store{root: root}
	l, err := s.Ledger()
	if err != nil {
		return nil, err
	}
	var file ledgerFile
	text, err := s.text(ledgerName)
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err == nil {
		err = file.valid()
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ledger %s: %w", s.path(ledgerName), err)
	}
	if file.tableID != l.table {
		return nil, fmt.Errorf("the ledger %s is of another table: %w", s.path(ledgerName), fs.ErrNotExist)
	}
	return file.Services, nil
}

// Load returns the services that were last saved for this table; none where
// nothing was. A file that cannot be understood is put aside under the name
// that the error tells.
func (l *Ledger) Load() ([]ipvsctl.ServiceKey, error) {
	var file ledgerFile
	if err := l.store.read(ledgerName, &file, file.valid); err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	if file.tableID != l.table {
		return nil, nil
	}
	return file.Services, nil
}

// Save replaces the ledger.
func (l *Ledger) Save(keys []ipvsctl.ServiceKey) error {
	if err := l.store.write(ledgerName, ledgerFile{ledgerVersion, l.table, append([]ipvsctl.ServiceKey{}, keys...)}); err != nil {
		return fmt.Errorf("saving the ledger: %w", err)
	}
	return nil
}
