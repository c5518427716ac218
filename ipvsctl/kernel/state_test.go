//go:build linux

package kernel

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/ipvsctl"
)

func openLedger(t *testing.T, dir string) *Ledger {
	t.Helper()
	l, err := OpenLedger(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLedger(t *testing.T) {
	dir := t.TempDir()
	if keys, err := openLedger(t, dir).Load(); err != nil || len(keys) != 0 {
		t.Errorf("a new directory has %v, error %v", keys, err)
	}
	want := []ipvsctl.ServiceKey{web, sip6, mark}
	for _, keys := range [][]ipvsctl.ServiceKey{{web}, want} {
		if err := openLedger(t, dir).Save(keys); err != nil {
			t.Fatal(err)
		}
	}
	got, err := openLedger(t, dir).Load()
	if diff := cmp.Diff(want, got, addrs); diff != "" || err != nil {
		t.Errorf("loaded by the next process, error %v (-want +got)\n%s", err, diff)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("left in the directory: %v", files)
	}
}

// Another boot and another network namespace have another table, which has
// none of our rows.
func TestLedgerOfAnotherTableIsIgnored(t *testing.T) {
	dir := t.TempDir()
	l := openLedger(t, dir)
	for _, other := range []tableID{
		{Boot: "another boot", Namespace: l.table.Namespace},
		{Boot: l.table.Boot, Namespace: "net:[1]"},
	} {
		if err := (&Ledger{path: l.path, table: other}).Save([]ipvsctl.ServiceKey{web}); err != nil {
			t.Fatal(err)
		}
		if keys, err := l.Load(); err != nil || len(keys) != 0 {
			t.Errorf("of %v: %v, error %v", other, keys, err)
		}
	}
}

// A file that cannot be understood is kept for whoever can, and is not in the
// way of the next one.
func TestLedgerThatCannotBeReadIsPutAside(t *testing.T) {
	for _, text := range []string{"", "{", `{"version": 2}`, "\x00\x01", `{"version":1,"services":[{"address":"10.13.0"}]}`, `{"version":1,"services":[{"port":80}]}`} {
		dir := t.TempDir()
		l := openLedger(t, dir)
		if err := os.WriteFile(l.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := l.Load()
		if err == nil || !strings.Contains(err.Error(), "services.json.unreadable") {
			t.Errorf("%q: error %v", text, err)
		}
		if kept, _ := os.ReadFile(filepath.Join(dir, "services.json.unreadable")); string(kept) != text {
			t.Errorf("%q was kept as %q", text, kept)
		}
		if keys, err := l.Load(); err != nil || len(keys) != 0 {
			t.Errorf("%q, the second time: %v, error %v", text, keys, err)
		}
	}
}

func TestLedgerInADirectoryThatIsMissing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := OpenLedger(missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("error %v does not name the directory", err)
	}
	dir := t.TempDir()
	l := openLedger(t, dir)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := l.Save([]ipvsctl.ServiceKey{web}); err == nil {
		t.Error("saving into a directory that is gone must fail")
	}
}

func TestLockNamesTheHolder(t *testing.T) {
	dir := t.TempDir()
	lock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Lock(dir)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("locking a second time: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	lock, err = Lock(dir)
	if err != nil {
		t.Fatalf("locking after the holder is gone: %v", err)
	}
	_ = lock.Close()
}
