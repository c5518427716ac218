package systemd

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/processor"
)

const kernel = "/usr/bin/linux.uml"

// TestUnit takes the unit through its life. Everything that it looks at is
// said by testdata/check.sh.
func TestUnit(t *testing.T) {
	t.Parallel()
	share := prepare(t, "testdata/check.sh", "../../packaging/lvsd.service", "../../packaging/lvsd.sysusers", "../../packaging/programs.conf")
	build(t, filepath.Join(share, "lvsd"), "development")
	boot(t, share, []result{
		{"start exits", "0"},
		{"started", "active"},
		{"address held", "1"},
		{"table", "1"}, // wrr was loaded by the kernel, ProtectKernelModules or not
		{"shown by systemctl status", "Master of outside; 0 of 1 virtual services served"},
		{"hook", "lvsd CapPrm: 0000000000000000 CapEff: 0000000000000000"},
		{"status exits", "0"},
		{"runs as", "lvsd:lvsd"},
		{"shown as", "/run/lvsd-binary run,lvsd keeper,"},
		{"control socket", "lvsd:lvsd 660"},
		{"state directory", "lvsd:lvsd 750"},
		{"status of a member of the group exits", "0"},
		{"status of anybody else exits", "1"},
		{"director capabilities", "0000000000807000"}, // NET_ADMIN, NET_RAW, IPC_LOCK, SYS_NICE
		{"director system calls are filtered", "yes"},
		{"director threads by scheduling class", "TS"},
		{"keeper capabilities", "0000000000807000"},
		{"keeper system calls are filtered", "yes"},
		{"keeper threads by scheduling class", "RR"},
		{"keeper locked", "yes"},
		{"reload exits", "0"},
		{"table after the reload", "1"},
		{"reload of a broken file exits", "1"},
		{"after a broken file", "active"},
		{"shown by systemctl status then", `Master of outside; 0 of 1 virtual services served; RELOAD REFUSED (see "lvsd status")`},
		{"refusals in status", "1"},
		{"refused in the journal as an error", "1"},
		{"told by the journal only once", "1"},
		{"below a warning in the journal", "0"},
		{"in the journal anyway", "1"},
		{"reload of a file for root alone exits", "1"},
		{"what is to be done about it", "give it to that group"},
		{"reload of the corrected file exits", "0"},
		{"address gone meanwhile", "no"}, // there is no other director to take it
		{"after kill -9", "active"},
		{"address held again", "1"},
		{"stop exits", "0"},
		{"stopped", "inactive, success"},
		{"address after the stop", "0"},
		{"promote_secondaries", "1"}, // /proc/sys/net can be written
		{"processes left", "0"},
		{"status exits without a daemon", "3"},
		{"start with a broken file exits", "1"},
		{"a broken file is tried again", "0 times, 78 failed"},
		{"a broken file is an error in the journal", "1"},
		{"start with the corrected file exits", "0"},
		{"signs with the key of a credential", `"signer":7`},
		{"hook as nobody", "nobody CapPrm: 0000000000000000 CapEff: 0000000000000000"},
		{"hook as root", "root CapPrm: 00000000008070e0 CapEff: 00000000008070e0"}, // what lvsd has, and no more
		{"resources of the Master", "Runs outside: mount /run/disk is running, systemd probe.service is running"},
		{"unit that is a resource", "active"},
		{"mount seen by others", "1"},
		{"hook under way at the stop", "under way until it ended"},
		{"hook of the stop", "stopping took its time"},
		{"programs that failed", "0"},
		{"stopped then", "inactive, success"},
		{"unit after the stop", "inactive"},
		{"mount after the stop", "0"},
	})
}

// A result is what a check must say of something that it looks at.
type result struct{ name, want string }

// prepare makes the folder that a machine shares with the test: it runs the check
// and has the other files beside it. The test is skipped where no machine can be
// booted.
func prepare(t *testing.T, check string, files ...string) (share string) {
	t.Helper()
	if testing.Short() || os.Getenv("LVSD_LAB") != "" {
		t.Skip("boots a machine of its own, about 45 s")
	}
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	for _, program := range []string{kernel, "/lib/systemd/systemd", "/usr/sbin/ipvsadm"} {
		if _, err := os.Stat(program); err != nil {
			t.Skipf("needs %s (Debian: user-mode-linux, systemd, ipvsadm)", program)
		}
	}
	share = t.TempDir()
	names := map[string]string{check: "check.sh"}
	for _, from := range append(files, check, "testdata/lib.sh", "testdata/cluster.hcl", "testdata/init.sh") {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), "@SHARE@", share))
		to := cmp.Or(names[from], filepath.Base(from))
		if err := os.WriteFile(filepath.Join(share, to), text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return share
}

// build builds lvsd.
func build(t *testing.T, to, version string) {
	t.Helper()
	b := exec.Command("go", "build", "-ldflags", "-X main.version="+version, "-o", to, "../../cmd/lvsd")
	b.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := b.CombinedOutput(); err != nil {
		t.Fatalf("building lvsd: %v\n%s", err, out)
	}
}

// boot runs the check in a machine of its own, and compares what it says.
func boot(t *testing.T, share string, want []result) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	machine := exec.CommandContext(ctx, kernel, "mem=384M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro",
		"init="+filepath.Join(share, "init.sh"), "con=null", "con0=null,fd:1", "quiet")
	machine.Env = append(os.Environ(), "TMPDIR=/dev/shm")
	console := new(bytes.Buffer)
	machine.Stdout, machine.Stderr = console, console
	release, err := processor.StartOnOne(machine.Start)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	err = machine.Wait()
	said, rerr := os.ReadFile(filepath.Join(share, "results"))
	log, _ := os.ReadFile(filepath.Join(share, "log"))
	if ctx.Err() != nil || rerr != nil {
		t.Fatalf("the machine: %v, %v; its console:\n%s\nthe check said:\n%s\nits processes, and the daemon's log:\n%s", err, rerr, console, said, log)
	}
	results := make(map[string]string)
	for line := range strings.Lines(string(said)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			results[name] = value
		}
	}
	for _, tt := range want {
		if got := results[tt.name]; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if t.Failed() {
		t.Logf("the check said:\n%s\nthe daemon's log:\n%s", said, log)
	}
}
