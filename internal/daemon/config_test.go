package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/reader"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

// TestMain makes this test's program the child that reads configurations, too.
func TestMain(m *testing.M) {
	commands := map[string]func(in, out *os.File) error{
		ReadCommand:  func(in, out *os.File) error { return reader.Main(in, out) },
		SpawnCommand: spawn.Main,
	}
	if len(os.Args) == 2 && commands[os.Args[1]] != nil {
		if err := commands[os.Args[1]](os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const valid = `virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
`

// write writes a configuration and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lvsd.hcl")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// unpicked is that the files count.
func unpicked(*reader.Query) string { return "" }

func TestReload(t *testing.T) {
	for _, tt := range []struct {
		name, text string // text: of the configuration read again; empty: it is gone
		config     bool   // a new configuration is loaded
		err, log   string // a part of each
	}{
		{"the same text is not parsed", valid, false, "", ""},
		{"another text is", strings.ReplaceAll(valid, "80", "81"), true, "", ""},
		{"a mistake refuses it, and is logged with its source", strings.ReplaceAll(valid, `"nat"`, `"nta"`), false, "lvsd.hcl:4: ", `source="forward = \"nta\""`},
		{"a file that is gone refuses it", "", false, "no configuration at ", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, valid)
			r := newReader()
			running, err := read(t.Context(), r, reader.Query{Path: path, Node: "lvs1"})
			if err != nil || running.Err() != nil {
				t.Fatal(err, running)
			}
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if tt.text == "" {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			var log bytes.Buffer
			l := reload(t.Context(), Options{Config: path, Node: "lvs1"}, r, running.Config, unpicked)
			for _, m := range l.Mistakes {
				event.Log(slog.New(slog.NewTextHandler(&log, nil)))(m)
			}
			if (l.Config != nil) != tt.config {
				t.Errorf("loaded %v, want a configuration: %v", l.Config, tt.config)
			}
			if (l.Err != nil) != (tt.err != "") || l.Err != nil && !strings.Contains(l.Err.Error(), tt.err) {
				t.Errorf("error %v, want %q", l.Err, tt.err)
			}
			if !strings.Contains(log.String(), tt.log) || tt.log == "" && log.Len() > 0 {
				t.Errorf("log %q, want %q", &log, tt.log)
			}
		})
	}
}

func TestTheLogHasNoMoreThanFiftyMistakes(t *testing.T) {
	var text strings.Builder
	for i := range maxMistakes + 9 {
		fmt.Fprintf(&text, "virtual_service \"s%d\" { scheduler = \"none\" }\n", i)
	}
	r, err := Validate(t.Context(), Options{Config: write(t, text.String()), Node: "lvs1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	sink := event.Log(slog.New(slog.NewTextHandler(&log, nil)))
	for _, m := range mistakes(r.Diagnostics) {
		sink(m)
	}
	want := fmt.Sprintf("run lvsd validate\" event=configuration-mistake mistakes=%d\n", len(r.Diagnostics)-maxMistakes)
	if lines := strings.Count(log.String(), "\n"); lines != maxMistakes+1 || !strings.HasSuffix(log.String(), want) {
		t.Errorf("%d lines that end in %q, want %d and %q", lines, log.String()[max(0, log.Len()-99):], maxMistakes+1, want)
	}
}

// A refused reload logs what it was refused for, and no warning as an error.
func TestARefusedReloadLogsNoWarningAsAMistake(t *testing.T) {
	diags := config.Diagnostics{
		{Severity: config.Warning, Summary: "No real server", File: "web.hcl", Line: 1},
		{Severity: config.Error, Summary: "Empty configuration", Detail: "It has been cut short."},
		{Severity: config.Warning, Summary: "and 20 more warnings", Count: 20},
	}
	all := mistakes(diags)
	if len(all) != 1 || all[0].Text != "configuration: Empty configuration" {
		t.Fatalf("logged %+v", all)
	}
	if got := fmt.Sprint(all[0].Attributes); got != "[detail=It has been cut short.]" {
		t.Errorf("a mistake of no file has %s", got)
	}
}

// A candidate is read as a reload would read it in the place of the daemon's own files, and
// leaves no trace: the next reload still knows the blocks that run.
func TestACandidateIsReadAside(t *testing.T) {
	path := write(t, valid)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "word"), []byte("wlc"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newReader()
	running, err := read(t.Context(), r, reader.Query{Path: path, Node: "lvs1"})
	if err != nil || running.Err() != nil {
		t.Fatal(err, running)
	}
	o := Options{Config: path, Node: "lvs1"}
	for _, tt := range []struct {
		name, text, err string
	}{
		{"the files that run", valid, ""},
		{"others", strings.ReplaceAll(valid, "80", "81"), ""},
		{"a file beside the daemon's own", strings.Replace(valid, "port", "scheduler = file(\"word\")\n  port", 1), ""},
		{"a file elsewhere", strings.Replace(valid, "port", "scheduler = file(\"/etc/passwd\")\n  port", 1), "new/a.hcl:"},
		{"a mistake", strings.ReplaceAll(valid, `"nat"`, `"nta"`), "new/a.hcl:4: "},
	} {
		l := candidate(t.Context(), o, r, running.Config, []api.File{{Name: "new/a.hcl", Text: tt.text}})
		if (l.Err == nil) != (tt.err == "") || l.Err != nil && !strings.Contains(l.Err.Error(), tt.err) {
			t.Errorf("%s: error %v, want %q", tt.name, l.Err, tt.err)
		}
		// The digest has the names of the files, so even the same text is parsed.
		if l.Err == nil && len(l.Config.Services) != 1 {
			t.Errorf("%s: %+v", tt.name, l)
		} else if l.Err == nil && reflect.DeepEqual(l.Config.Services[0].Key, running.Config.Services[0].Key) != !strings.Contains(tt.text, "81") {
			t.Errorf("%s: %+v", tt.name, l.Config.Services[0])
		}
	}
	if want := []api.File{{Name: path, Text: valid}}; !reflect.DeepEqual(named(running.Files), want) {
		t.Errorf("the files that run are %+v, want %+v", running.Files, want)
	}
	if l := candidate(t.Context(), o, r, running.Config, nil); l.Err != nil || l.Config != nil {
		t.Errorf("the daemon's own files, as they run: %+v", l)
	}
	if l := reload(t.Context(), o, r, running.Config, unpicked); l.Err != nil || l.Config != nil {
		t.Errorf("a reload after that: %+v", l)
	}
}

// What "lvsd validate" warns of must not take the addresses off both directors.
func TestAReloadThatTakesARoutersInterfaceAwayIsRefused(t *testing.T) {
	const router = "virtual_router \"outside\" {\n  interface = \"lo\"\n  id = 51\n  addresses = [\"10.13.0.200/24\"]\n}\n"
	path := write(t, valid+router)
	r := newReader()
	running, err := read(t.Context(), r, reader.Query{Path: path, Node: "lvs1"})
	if err != nil || running.Err() != nil {
		t.Fatal(err, running)
	}
	if err := os.WriteFile(path, []byte(valid+strings.Replace(router, `"lo"`, `"lO"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	l := reload(t.Context(), Options{Config: path, Node: "lvs1"}, r, running.Config, unpicked)
	if l.Config != nil || l.Err == nil || !strings.Contains(l.Err.Error(), `would need the interface "lO"`) {
		t.Errorf("loaded %+v", l)
	}
}

// The flag reaches the process that reads.
func TestFileReadsWhereAFlagAllowsIt(t *testing.T) {
	dir := t.TempDir()
	word := filepath.Join(dir, "word")
	if err := os.WriteFile(word, []byte("wrr"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := write(t, fmt.Sprintf("virtual_service \"web\" {\n  address = \"10.13.0.200\"\n  port = 80\n  forward = \"nat\"\n  scheduler = file(%q)\n  real_server \"192.168.1.4\" {}\n}\n", word))
	for _, dirs := range [][]string{nil, {dir}} {
		r, err := Validate(t.Context(), Options{Config: path, Node: "lvs1", FileDirs: dirs}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if valid := r.Err() == nil; valid != (dirs != nil) {
			t.Errorf("with %v: %v", dirs, r.Diagnostics)
		}
	}
}

// "validate said yes, and the daemon took the machine's address": whatever name the
// node was given. A start waits, since the address may be one that was left.
func TestValidateComparesTheOwnAddressWhateverTheNodesName(t *testing.T) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs a network namespace: %v", err)
	}
	if out, err := exec.CommandContext(t.Context(), "ip", "addr", "add", "10.13.0.15/24", "dev", "lo").CombinedOutput(); err != nil {
		t.Skipf("needs ip: %v: %s", err, out)
	}
	path := write(t, "virtual_router \"outside\" {\n  interface = \"lo\"\n  id = 51\n  addresses = [\"10.13.0.15/24\"]\n}\n")
	r, err := Validate(t.Context(), Options{Config: path, Node: "some-node"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprint(r.Diagnostics); !strings.Contains(all, "The director's own address") {
		t.Errorf("it is valid: %s", all)
	}
	q, _, err := query(path, "some-node", nil)
	if err != nil {
		t.Fatal(err)
	}
	if started, err := read(t.Context(), newReader(), q); err != nil || started.Err() != nil {
		t.Errorf("a start: %v, %v", err, started.Diagnostics)
	}
}

// A Master that has no address of its own for a moment is not refused its reload.
func TestWhatAMasterHoldsIsNotItsOwnAddress(t *testing.T) {
	prefix := netip.MustParsePrefix("10.13.0.200/24")
	here := []vrrp.InterfaceAddress{{Interface: "eth0", Prefix: prefix}, {Interface: "eth1", Prefix: prefix}}
	running := []vrrp.Config{{Interface: "eth0", Priority: 100, Addresses: []netip.Prefix{netip.MustParsePrefix("10.13.0.200/32")}}}
	if got := settled(slices.Clone(here), running); len(got) != 1 || got[0].Interface != "eth1" {
		t.Errorf("%v does not move", got)
	}
	running[0].Extra = []vrrp.InterfaceAddress{{Interface: "eth1", Prefix: prefix}}
	if got := settled(slices.Clone(here), running); len(got) != 0 {
		t.Errorf("%v does not move, an extra address", got)
	}
	running[0].Priority = 255
	if got := settled(slices.Clone(here), running); len(got) != 2 {
		t.Errorf("the owner's %v does not move", got)
	}
}

func TestWhatTheUnitDoesNotLetLvsdDo(t *testing.T) {
	unit, dropIn := "usr/lib/systemd/system/lvsd.service", "etc/systemd/system/lvsd.service.d/more.conf"
	const users, watchdog = "CAP_SETUID", "DeviceAllow=/dev/watchdog"
	for _, c := range []struct {
		files   map[string]string
		setting string
		want    bool
	}{
		{nil, users, false}, // it was not installed, and is started in another way
		{map[string]string{unit: "../../packaging/lvsd.service"}, users, true},
		{map[string]string{unit: "../../packaging/lvsd.service", dropIn: "../../packaging/programs.conf"}, users, false},
		{map[string]string{unit: "../../packaging/lvsd.service", dropIn: "../../packaging/lvsd.default"}, users, true},
		{map[string]string{unit: "../../packaging/lvsd.service"}, watchdog, true},
		{map[string]string{unit: "../../packaging/lvsd.service", dropIn: "../../packaging/programs.conf"}, watchdog, true},
		{map[string]string{unit: "../../packaging/lvsd.service", dropIn: "../../packaging/watchdog.conf"}, watchdog, false},
	} {
		root := t.TempDir()
		for to, from := range c.files {
			text, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(root, to)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		if got := lacks(root, c.setting); got != c.want {
			t.Errorf("with %v: lacks %s: %v, want %v", c.files, c.setting, got, c.want)
		}
	}
}
