package state

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/ipvsctl"
)

var (
	web  = ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr("10.13.0.200"), Port: 80}
	sip6 = ipvsctl.ServiceKey{Protocol: ipvsctl.UDP, Addr: netip.MustParseAddr("2001:db8::1"), Port: 5060}
	mark = ipvsctl.ServiceKey{Mark: 7, Addr: netip.IPv6Unspecified()}
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openLedger(t *testing.T, s *Store) *Ledger {
	t.Helper()
	l, err := s.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLedger(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by", "lvsd")
	s := open(t, dir)
	if keys, err := openLedger(t, s).Load(); err != nil || len(keys) != 0 {
		t.Errorf("a new directory has %v, error %v", keys, err)
	}
	want := []ipvsctl.ServiceKey{web, sip6, mark}
	for _, keys := range [][]ipvsctl.ServiceKey{{web}, want} {
		if err := openLedger(t, s).Save(keys); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := openLedger(t, open(t, dir)).Load(); !slices.Equal(got, want) || err != nil {
		t.Errorf("the next process loads %v, error %v; want %v", got, err, want)
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("the directory has %v, want the lock and the ledger", files)
	}
}

// The file's format is fixed: the next version of lvsd reads it.
func TestLedgerFormat(t *testing.T) {
	s := open(t, t.TempDir())
	l := openLedger(t, s)
	l.table = tableID{Boot: "b", Namespace: "net:[1]"}
	if err := l.Save([]ipvsctl.ServiceKey{web, mark}); err != nil {
		t.Fatal(err)
	}
	const want = `{
	"version": 1,
	"boot": "b",
	"namespace": "net:[1]",
	"services": [
		{
			"protocol": 6,
			"address": "10.13.0.200",
			"port": 80
		},
		{
			"protocol": 0,
			"address": "::",
			"mark": 7
		}
	]
}
`
	if got, _ := os.ReadFile(l.path); string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// Another boot and another network namespace have another table, which has
// none of our rows.
func TestLedgerOfAnotherTableIsIgnored(t *testing.T) {
	l := openLedger(t, open(t, t.TempDir()))
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
	for _, text := range []string{"", "{", "{}", `{"version": 2}`, "\x00\x01", `{"version":1,"services":[{"address":"10.13.0"}]}`, `{"version":1,"services":[{"port":80}]}`} {
		l := openLedger(t, open(t, t.TempDir()))
		if err := os.WriteFile(l.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := l.Load()
		if err == nil || !strings.Contains(err.Error(), "services.json.unreadable") {
			t.Errorf("%q: error %v", text, err)
		}
		if kept, _ := os.ReadFile(l.path + ".unreadable"); string(kept) != text {
			t.Errorf("%q was kept as %q", text, kept)
		}
		if keys, err := l.Load(); err != nil || len(keys) != 0 {
			t.Errorf("%q, the second time: %v, error %v", text, keys, err)
		}
	}
}

func TestDirectoryThatIsNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v does not name the file", err)
	}
}

func TestDirectoryThatWentAway(t *testing.T) {
	dir := t.TempDir()
	l := openLedger(t, open(t, dir))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := l.Save([]ipvsctl.ServiceKey{web}); err == nil {
		t.Error("saving into a directory that is gone must fail")
	}
}

func TestASecondDaemonWithTheSameStateIsRefused(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	_, err := Open(dir)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) || !strings.Contains(err.Error(), dir) {
		t.Errorf("error %v, want one that names %s and the process", err, dir)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}
