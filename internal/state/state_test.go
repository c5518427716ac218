package state

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// newDir is the name of a directory that Open makes: whether others may write to
// one that the test makes depends on the umask.
func newDir(t *testing.T) string { return filepath.Join(t.TempDir(), "state") }

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
	s := open(t, newDir(t))
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
	if got, _ := os.ReadFile(l.store.path(ledgerName)); string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// Another boot and another network namespace have another table, which has
// none of our rows.
func TestLedgerOfAnotherTableIsIgnored(t *testing.T) {
	l := openLedger(t, open(t, newDir(t)))
	for _, other := range []tableID{
		{Boot: "another boot", Namespace: l.table.Namespace},
		{Boot: l.table.Boot, Namespace: "net:[1]"},
	} {
		if err := (&Ledger{store: l.store, table: other}).Save([]ipvsctl.ServiceKey{web}); err != nil {
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
		l := openLedger(t, open(t, newDir(t)))
		if err := os.WriteFile(l.store.path(ledgerName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := l.Load()
		if err == nil || !strings.Contains(err.Error(), "services.json.unreadable") {
			t.Errorf("%q: error %v", text, err)
		}
		if kept, _ := os.ReadFile(l.store.path(ledgerName) + ".unreadable"); string(kept) != text {
			t.Errorf("%q was kept as %q", text, kept)
		}
		if keys, err := l.Load(); err != nil || len(keys) != 0 {
			t.Errorf("%q, the second time: %v, error %v", text, keys, err)
		}
	}
}

func TestTheReasonWhyALedgerCannotBeReadIsTold(t *testing.T) {
	const tooLong = "it has more than 16777216 bytes"
	for _, tt := range []struct {
		name, text string
		size       int64
		want       string
	}{
		{"a service without an address", `{"version":1,"services":[{"address":"10.13.0.200"},{"port":80}]}`, 0, "service 2 has no address"},
		{"a newer version", `{"version":2}`, 0, "this lvsd supports only version 1"},
		{"as long as it may be, of zero bytes", "", maxDocument, "invalid character"},
		{"longer", "", maxDocument + 1, tooLong},
	} {
		l := openLedger(t, open(t, newDir(t)))
		must(t, os.WriteFile(l.store.path(ledgerName), []byte(tt.text), 0o600))
		if tt.size > 0 {
			must(t, os.Truncate(l.store.path(ledgerName), tt.size))
		}
		if _, err := l.Load(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
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
	dir := newDir(t)
	l := openLedger(t, open(t, dir))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := l.Save([]ipvsctl.ServiceKey{web}); err == nil {
		t.Error("saving into a directory that is gone must fail")
	}
}

func TestASecondDaemonWithTheSameStateIsRefused(t *testing.T) {
	dir := newDir(t)
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

// What a local user may have put there before root runs lvsd for the first time.
func TestADirectoryThatOthersCanChangeIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		prepare    func(t *testing.T, dir string)
	}{
		{"everybody may write to it", "chmod go-w", func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o777)) }},
		{"its group may write to it", "chmod go-w", func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o770)) }},
		{"sticky, as /tmp", "chmod go-w", func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o777|os.ModeSticky)) }},
		{"it is somebody else's", "belongs to user 65534", func(t *testing.T, dir string) {
			if err := os.Chown(dir, 65534, 65534); err != nil {
				t.Skip(err)
			}
		}},
		{"it is a symbolic link", "is a symbolic link", func(t *testing.T, dir string) {
			must(t, os.Rename(dir, dir+".real"))
			must(t, os.Symlink(dir+".real", dir))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := newDir(t)
			must(t, os.Mkdir(dir, 0o750))
			tt.prepare(t, dir)
			_, err := Open(dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "--state-dir") {
				t.Errorf("error %v, want one that names %s, says %q and what to do", err, dir, tt.want)
			}
			if files, _ := os.ReadDir(dir); len(files) != 0 {
				t.Errorf("%v was written there", files)
			}
		})
	}
}

// A user other than root may run lvsd with the capabilities that it needs.
func TestAUsersOwnDirectoryIsTaken(t *testing.T) {
	if os.Geteuid() != 0 {
		open(t, newDir(t))
		return
	}
	const nobody = 65534
	dir, err := os.MkdirTemp("", "")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Skip(err)
	}
	c := exec.Command("/proc/self/exe", "-test.run", "^"+t.Name()+"$")
	c.Env = append(os.Environ(), "TMPDIR="+dir)
	c.SysProcAttr = &unix.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if output, err := c.CombinedOutput(); err != nil {
		t.Errorf("as user %d: %v\n%s", nobody, err, output)
	}
}

// strange are things that may stand in the place of a file.
var strange = map[string]func(t *testing.T, path string){
	"a FIFO":                 func(t *testing.T, path string) { must(t, unix.Mkfifo(path, 0o600)) },
	"a directory":            func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) },
	"a link to /dev/zero":    func(t *testing.T, path string) { must(t, os.Symlink("/dev/zero", path)) },
	"a link to nothing":      func(t *testing.T, path string) { must(t, os.Symlink("nothing", path)) },
	"a link to another file": func(t *testing.T, path string) { must(t, os.Symlink(precious(t), path)) },
	"a link in the directory": func(t *testing.T, path string) {
		must(t, os.WriteFile(path+".other", []byte("precious"), 0o600))
		must(t, os.Symlink(filepath.Base(path)+".other", path))
	},
	"an endless file": func(t *testing.T, path string) {
		must(t, os.WriteFile(path, nil, 0o600))
		must(t, os.Truncate(path, 1<<40))
	},
}

func precious(t *testing.T) string {
	path := filepath.Join(filepath.Dir(t.TempDir()), "precious")
	must(t, os.WriteFile(path, []byte("precious"), 0o600))
	return path
}

func TestAStartDoesNotHangOrGrowWhateverTheLedgerIs(t *testing.T) {
	for name, put := range strange {
		t.Run(name, func(t *testing.T) {
			l := openLedger(t, open(t, newDir(t)))
			put(t, l.store.path(ledgerName))
			if _, err := l.Load(); err == nil || !strings.Contains(err.Error(), "services.json.unreadable") {
				t.Errorf("error %v, want one that says where it was put aside", err)
			}
			if err := l.Save([]ipvsctl.ServiceKey{web}); err != nil {
				t.Error(err)
			}
			if keys, err := l.Load(); len(keys) != 1 || err != nil {
				t.Errorf("after saving: %v, error %v", keys, err)
			}
		})
	}
}

func TestNoOtherFileIsWrittenThroughALinkInTheDirectory(t *testing.T) {
	for _, name := range []string{lockName, ledgerName, ledgerName + ".new"} {
		t.Run(name, func(t *testing.T) {
			dir, other := newDir(t), precious(t)
			must(t, os.Mkdir(dir, 0o750))
			must(t, os.Symlink(other, filepath.Join(dir, name)))
			s, err := Open(dir)
			if (err != nil) != (name == lockName) {
				t.Fatalf("opening: %v", err)
			}
			if err == nil {
				defer s.Close()
				l := openLedger(t, s)
				if err := l.Save([]ipvsctl.ServiceKey{web}); err != nil {
					t.Error(err)
				}
				if keys, err := l.Load(); len(keys) != 1 || err != nil {
					t.Errorf("after saving: %v, error %v", keys, err)
				}
			}
			if text, _ := os.ReadFile(other); string(text) != "precious" {
				t.Errorf("another file became %q", text)
			}
		})
	}
}

func TestALockThatIsNoFileIsRefused(t *testing.T) {
	for name, put := range strange {
		if name == "an endless file" {
			continue // It is a file, and nobody reads it.
		}
		t.Run(name, func(t *testing.T) {
			dir := newDir(t)
			must(t, os.Mkdir(dir, 0o750))
			put(t, filepath.Join(dir, lockName))
			if s, err := Open(dir); err == nil || !strings.Contains(err.Error(), "regular file") {
				t.Errorf("error %v", err)
				if s != nil {
					s.Close()
				}
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestADirectorStartsWithADiskThatBecameReadOnly(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root")
	}
	runtime.LockOSThread() // never unlocked: the thread ends with its mounts
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		t.Fatal(err)
	}
	dir := newDir(t)
	mount := func(flags uintptr) {
		t.Helper()
		if err := unix.Mount("lvsd", dir, "tmpfs", flags, "mode=0700"); err != nil {
			t.Fatal(err)
		}
		if flags&unix.MS_REMOUNT == 0 {
			t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		}
	}
	if err := errors.Join(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), os.Mkdir(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	mount(unix.MS_RDONLY)
	if _, err := Open(dir); !errors.Is(err, unix.EROFS) || !strings.Contains(fmt.Sprint(err), "--state-dir") {
		t.Errorf("one that was never writable: %v", err)
	}

	mount(0) // over the other
	s := open(t, dir)
	if err := openLedger(t, s).Save([]ipvsctl.ServiceKey{web}); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	mount(unix.MS_RDONLY | unix.MS_REMOUNT)
	s = open(t, dir)
	if keys, err := openLedger(t, s).Load(); err != nil || len(keys) != 1 {
		t.Errorf("the ledger has %v, error %v", keys, err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "locked by another lvsd") {
		t.Errorf("a second daemon: %v", err)
	}
	if err := openLedger(t, s).Save(nil); !errors.Is(err, unix.EROFS) {
		t.Errorf("saving: %v", err)
	}
}

// A dry run reads what a daemon that runs has saved, and changes nothing of it.
func TestPeek(t *testing.T) {
	dir := newDir(t)
	none, err := Peek(dir)
	must(t, err)
	if s, err := none.Standby(); s != nil || err != nil {
		t.Errorf("where there is no directory: %v, %v", s, err)
	}
	must(t, none.SaveStandby(&Standby{User: "somebody"}))
	must(t, none.Close())
	store := open(t, dir)
	must(t, store.SaveStandby(&Standby{User: "ops", Since: time.Now()}))
	peek, err := Peek(dir)
	must(t, err)
	must(t, peek.SaveStandby(nil))
	must(t, peek.SaveStandby(&Standby{User: "somebody"}))
	must(t, peek.SaveKeptOut(nil))
	if s, err := peek.Standby(); err != nil || s == nil || s.User != "ops" {
		t.Errorf("the standby is %+v, %v", s, err)
	}
	garbage := filepath.Join(dir, ledgerName)
	must(t, os.WriteFile(garbage, []byte("garbage"), 0o600))
	if _, err := openLedger(t, peek).Load(); err == nil {
		t.Error("garbage is a ledger")
	}
	if text, err := os.ReadFile(garbage); string(text) != "garbage" {
		t.Errorf("it was put aside: %v", err)
	}
	must(t, peek.Close())
}

func TestTheServicesOfARunningDaemonAreReadBesideIt(t *testing.T) {
	dir := newDir(t)
	s := open(t, dir)
	if _, err := Services(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before the first: error %v", err)
	}
	l, err := s.Ledger()
	must(t, err)
	must(t, l.Save([]ipvsctl.ServiceKey{web}))
	if got, err := Services(dir); err != nil || len(got) != 1 || got[0] != web {
		t.Errorf("%v, error %v", got, err)
	}
	must(t, os.WriteFile(s.path(ledgerName), []byte(`{"version":1,"boot":"another","services":[]}`), 0o600))
	if _, err := Services(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("that of another boot: error %v", err)
	}
	must(t, os.WriteFile(s.path(ledgerName), []byte("{"), 0o600))
	if _, err := Services(dir); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what cannot be understood: error %v", err)
	}
	if _, err := os.Stat(s.path(ledgerName)); err != nil {
		t.Errorf("it was moved: %v", err)
	}
}
