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

// Whatever stands in the file of those who are kept out, a start goes on, and what was
// understood can be saved and read again.
func FuzzKeptOut(f *testing.F) {
	f.Add([]byte(`{"version":1,"servers":[{"service":"web","address":"192.168.1.4","port":80,"since":"2026-11-27T12:00:00Z"}]}`))
	f.Add([]byte(`{"version":1,"servers":[{"service":"web","address":"fe80::1%eth0","port":65535,"since":"9999-12-31T23:59:59.999999999-23:59"},{}]}`))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte("\x00"))
	dir := filepath.Join(f.TempDir(), "state")
	s, err := Open(dir)
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	f.Fuzz(func(t *testing.T, text []byte) {
		must(t, os.WriteFile(s.path(keptOutName), text, 0o600))
		all, err := s.KeptOut()
		if err != nil && all != nil {
			t.Errorf("%d servers of a file that cannot be read", len(all))
		}
		must(t, s.SaveKeptOut(all))
		again, err := s.KeptOut()
		if err != nil || len(again) != len(all) {
			t.Fatalf("%d servers after saving %d, error %v", len(again), len(all), err)
		}
		for i := range all {
			a, b := all[i], again[i]
			if a.Service != b.Service || a.Address != b.Address || a.Port != b.Port || !a.Since.Equal(b.Since) {
				t.Errorf("saved %+v, and read %+v", a, b)
			}
		}
	})
}
