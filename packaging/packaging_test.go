// Package packaging holds what an installation consists of beside the binary.
package packaging

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unit returns the settings of the unit file, in their order, by name.
func unit(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("lvsd.service")
	if err != nil {
		t.Fatal(err)
	}
	settings := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			settings[name] = append(settings[name], value)
		}
	}
	return settings
}

// TestUnitSettings holds what the daemon needs of systemd 252, and why.
func TestUnitSettings(t *testing.T) {
	settings := unit(t)
	for _, tt := range []struct{ name, want, why string }{
		{"Type", "notify", "notify-reload came with systemd 253"},
		{"EnvironmentFile", "-/etc/default/lvsd", "the node's name and other options, if there are any"},
		{"ExecStart", "/usr/local/sbin/lvsd run $LVSD_OPTIONS", "options without a unit of one's own"},
		{"ExecReload", "/usr/local/sbin/lvsd reload", "it fails when the file is refused; a signal tells nothing"},
		{"ExecStop", `-/bin/sh -c 'kill "$$MAINPID" && exec tail -s 0.1 -f --pid="$$MAINPID" /dev/null'`, "programs that run at a stop are not sent SIGTERM; integration/systemd runs it"},
		{"KillMode", "control-group", "mixed kills the keeper in its hand-over after a crash, process leaves it behind"},
		{"Restart", "always", "a director must come back"},
		{"RestartPreventExitStatus", "78", "a mistake in the configuration is not printed again every second; " +
			"not 2: a panic of Go exits with that, as a mistake on the command line does"},
		{"StartLimitIntervalSec", "0", "a director is tried again for ever"},
		{"TimeoutStopSec", "220s", "above 4 × 40.95 s, the longest interval of VRRPv3, and the time of stop hooks"},
		{"WatchdogSec", "", "its signal would reach the keeper"},
		{"Wants", "network-online.target", "the network outlives the hand-over"},
		{"After", "network.target network-online.target time-sync.target systemd-modules-load.service", "the network outlives the hand-over"},
		{"CapabilityBoundingSet", "CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_NICE CAP_IPC_LOCK", "these and no more"},
		{"AmbientCapabilities", "CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_NICE CAP_IPC_LOCK", "the user has no others"},
		{"User", "lvsd", "nothing needs root"},
		{"Group", "lvsd", "it opens the control socket, and reads the secrets"},
		{"RemoveIPC", "yes", "nothing outlives the daemon"},
		{"Conflicts", "keepalived.service", "two daemons with one address are two holders"},
		{"NoExecPaths", "", "hooks and checks run programs"},
		{"SystemCallFilter", "@system-service; ~@privileged @resources; capset sched_setattr prlimit64", "the keeper's policy, and what the reader gives up; integration/systemd runs under it"},
		{"LimitMEMLOCK", "infinity", "mlockall with MCL_FUTURE makes mappings fail under a limit"},
		{"LimitNOFILE", "16384", "4,096 probes in flight and the rest"},
		{"OOMPolicy", "continue", "the kernel ends the process that reads the configuration first, and systemd must not end the director for it"},
		{"StateDirectory", "lvsd", "which rows are ours is remembered there"},
		{"RuntimeDirectory", "lvsd", "the control socket"},
		{"RestrictRealtime", "", "the adverts are sent under SCHED_RR"},
		{"ProtectKernelTunables", "", "promote_secondaries is written"},
		{"ProcSubset", "", "/proc/net/ip_vs and /proc/sys are read"},
		{"PrivateNetwork", "", "this is a director"},
		{"RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET", "gratuitous ARP is AF_PACKET"},
	} {
		if got := strings.Join(settings[tt.name], "; "); got != tt.want {
			t.Errorf("%s=%s, want %q: %s", tt.name, got, tt.want, tt.why)
		}
	}
}

// verified is the unit with a program that exists.
func verified(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("lvsd.service")
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("/usr/local/sbin/lvsd "), []byte("/bin/true "))
	text = bytes.Replace(text, []byte("Documentation=man:lvsd(8)\n"), nil, 1)
	path := filepath.Join(t.TempDir(), "lvsd.service")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestUnitIsUnderstood lets systemd itself read the unit.
func TestUnitIsUnderstood(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	out, err := exec.Command(analyze, "verify", "--man=no", verified(t)).CombinedOutput()
	var about []string
	for line := range strings.Lines(string(out)) { // it also tells about units that are installed here
		if strings.Contains(line, "lvsd.service") {
			about = append(about, line)
		}
	}
	if err != nil || len(about) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestRealServerUnit lets systemd read the real servers' unit, and holds what it needs.
func TestRealServerUnit(t *testing.T) {
	text, err := os.ReadFile("lvsd-realserver.service")
	if err != nil {
		t.Fatal(err)
	}
	for line, why := range map[string]string{
		"ExecStop=/usr/local/sbin/lvsd realserver down": "a stop gives back what was changed",
		"CapabilityBoundingSet=CAP_NET_ADMIN":           "it needs no more",
		"StateDirectory=lvsd-realserver":                "what was before outlives the process",
		"RestartPreventExitStatus=78":                   "a mistake in the configuration is not printed every second",
	} {
		if !strings.Contains(string(text), "\n"+line+"\n") {
			t.Errorf("there is no %s: %s", line, why)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	text = bytes.ReplaceAll(text, []byte("/usr/local/sbin/lvsd "), []byte("/bin/true "))
	path := filepath.Join(t.TempDir(), "lvsd-realserver.service")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput()
	if err != nil || strings.Contains(string(out), "lvsd-realserver.service") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// The drop-in adds what it says, and takes nothing away.
func TestDropInForPrograms(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	text, err := os.ReadFile("programs.conf")
	if err != nil {
		t.Fatal(err)
	}
	path := verified(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(before, text...), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(analyze, "security", "--offline=yes", "--threshold=100", "--no-pager", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for about, wanted := range map[string]bool{
		"CapabilityBoundingSet=~CAP_SET(UID|GID|PCAP)": true, "CapabilityBoundingSet=~CAP_KILL": true,
		"CapabilityBoundingSet=~CAP_SYS_ADMIN": false, "CapabilityBoundingSet=~CAP_(DAC_*|FOWNER|IPC_OWNER)": false, "SystemCallFilter=~@mount": false,
	} {
		lines := slices.DeleteFunc(strings.Split(string(out), "\n"), func(line string) bool { return !strings.Contains(line, about) })
		if len(lines) != 1 || strings.Contains(lines[0], "✗") != wanted {
			t.Errorf("%s: told %q, wanted %v", about, lines, wanted)
		}
	}
}

// The four capabilities, the network, AF_PACKET, real time and /proc/sys/net are
// what remains.
func TestUnitIsConfined(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	if out, err := exec.Command(analyze, "security", "--offline=yes", "--threshold=24", verified(t)).CombinedOutput(); err != nil {
		t.Errorf("the exposure is above 2.4: %v\n%s", err, out)
	}
}

func TestManualIsClean(t *testing.T) {
	mandoc, err := exec.LookPath("mandoc")
	if err != nil {
		t.Skip("mandoc is not installed")
	}
	out, _ := exec.Command(mandoc, "-Tlint", "lvsd.8", "lvsd-ipvs.8", "lvsd-status.8", "lvsd-realserver.8", "lvsd-doctor.8", "lvsd-import.7", "lvsd.hcl.5").CombinedOutput()
	for line := range strings.Lines(string(out)) {
		// Which manuals are installed here says nothing about this one, and without a
		// name groff prints BSD.
		ignore := []string{"referenced manual not found", "mandoc.db", "operating system explicitly specified"}
		if !slices.ContainsFunc(ignore, func(s string) bool { return strings.Contains(line, s) }) {
			t.Error(strings.TrimSpace(line))
		}
	}
}

// TestInstall installs a binary that only knows how to complete.
func TestInstall(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "lvsd")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\necho \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "copyright"), []byte("licences"), 0o644); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(dir, "root")
	config := filepath.Join(root, "etc/lvsd/web.hcl")
	if err := os.MkdirAll(filepath.Dir(config), 0o755); err != nil {
		t.Fatal(err)
	}
	options := filepath.Join(root, "etc/default/lvsd")
	if err := os.WriteFile(config, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // over an existing installation too
		cmd := exec.Command("./install.sh", binary)
		cmd.Env = append(os.Environ(), "DESTDIR="+root, "PREFIX=/usr")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if err := os.WriteFile(options, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"etc/default/lvsd -rw-r--r--",
		"etc/lvsd/web.hcl -rw-------",
		"usr/lib/modules-load.d/lvsd.conf -rw-r--r--",
		"usr/lib/systemd/system/lvsd-realserver.service -rw-r--r--",
		"usr/lib/systemd/system/lvsd.service -rw-r--r--",
		"usr/lib/sysusers.d/lvsd.conf -rw-r--r--",
		"usr/sbin/lvsd -rwxr-xr-x",
		"usr/share/bash-completion/completions/lvsd -rw-r--r--",
		"usr/share/doc/lvsd/ARCHITECTURE.md -rw-r--r--",
		"usr/share/doc/lvsd/CHANGELOG.md -rw-r--r--",
		"usr/share/doc/lvsd/README.md -rw-r--r--",
		"usr/share/doc/lvsd/copyright -rw-r--r--",
		"usr/share/fish/vendor_completions.d/lvsd.fish -rw-r--r--",
		"usr/share/man/man5/lvsd.hcl.5 -rw-r--r--",
		"usr/share/man/man7/lvsd-import.7 -rw-r--r--",
		"usr/share/man/man8/lvsd-doctor.8 -rw-r--r--",
		"usr/share/man/man8/lvsd-ipvs.8 -rw-r--r--",
		"usr/share/man/man8/lvsd-realserver.8 -rw-r--r--",
		"usr/share/man/man8/lvsd-status.8 -rw-r--r--",
		"usr/share/man/man8/lvsd.8 -rw-r--r--",
		"usr/share/zsh/site-functions/_lvsd -rw-r--r--",
	}
	if diff := cmp.Diff(want, tree(t, root)); diff != "" {
		t.Errorf("installed (-want +got):\n%s", diff)
	}
	examples, _ := filepath.Glob("../examples/*/*.hcl")
	for _, example := range append(examples, "../examples/reference.hcl", "../examples/README.md") {
		want, err := os.ReadFile(example)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(example, "../examples/")
		got, err := os.ReadFile(filepath.Join(root, "usr/share/doc/lvsd/examples", name))
		if err != nil || string(got) != string(want) {
			t.Errorf("the example %s was not installed as it is: %v", name, err)
		}
	}
	for file, text := range map[string]string{
		"etc/lvsd/web.hcl":                           "mine",
		"etc/default/lvsd":                           "mine",
		"usr/share/zsh/site-functions/_lvsd":         "completion zsh\n",
		"usr/lib/systemd/system/lvsd.service":        "\nExecStart=/usr/sbin/lvsd run $LVSD_OPTIONS\n",
		"usr/share/bash-completion/completions/lvsd": "completion bash\n",
		"usr/share/doc/lvsd/copyright":               "licences",
		"usr/share/man/man8/lvsd.8":                  "/usr/share/doc/lvsd/examples",
	} {
		got, err := os.ReadFile(filepath.Join(root, file))
		if err != nil || !strings.Contains(string(got), text) {
			t.Errorf("%s has no %q: %v", file, text, err)
		}
	}
	cmd := exec.Command("./install.sh", "--uninstall")
	cmd.Env = append(os.Environ(), "DESTDIR="+root, "PREFIX=/usr")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("uninstall: %v\n%s", err, out)
	}
	if diff := cmp.Diff(want[:2], tree(t, root)); diff != "" {
		t.Errorf("left by uninstall (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(root, "usr/share/doc/lvsd")); err == nil {
		t.Error("uninstall leaves examples")
	}
}

// tree lists the files below root with their modes, examples aside.
func tree(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "/examples/") {
			return err
		}
		info, err := d.Info()
		rel, _ := filepath.Rel(root, path)
		files = append(files, rel+" "+info.Mode().String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	return files
}
