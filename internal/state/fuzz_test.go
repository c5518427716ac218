package state

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lvsd/lvsd/ipvsctl"
)

// Whatever stands in the ledger's file, a start goes on, and the next ledger is
// what was saved.
func FuzzLedger(f *testing.F) {
	f.Add([]byte(`{"version":1,"boot":"b","namespace":"net:[1]","services":[{"protocol":6,"address":"10.13.0.200","port":80},{"protocol":0,"address":"::","mark":7}]}`))
	f.Add([]byte(`{"version":1,"services":[{"address":"fe80::1%eth0"}]}`))
	f.Add([]byte("\x00"))
	dir := filepath.Join(f.TempDir(), "state")
	s, err := Open(dir)
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	l, err := s.Ledger()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		must(t, os.WriteFile(l.store.path(ledgerName), text, 0o600))
		if keys, err := l.Load(); err != nil && keys != nil {
			t.Errorf("%d services of a ledger that cannot be read", len(keys))
		}
		must(t, l.Save([]ipvsctl.ServiceKey{web}))
		if keys, err := l.Load(); err != nil || len(keys) != 1 {
			t.Errorf("after saving: %v, error %v", keys, err)
		}
	})
}
