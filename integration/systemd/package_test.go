package systemd

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestPackages takes the packages through their life: installed, started,
// upgraded while the daemon runs, and removed.
func TestPackages(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"dpkg", "rpm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs %s", program)
		}
	}
	share := prepare(t, "testdata/packages.sh")
	binary := filepath.Join(t.TempDir(), "lvsd")
	if out, err := exec.Command("sh", "-c", "../../packaging/licences.sh >"+filepath.Dir(binary)+"/copyright").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, version := range []string{"1.0", "1.1"} {
		build(t, binary, version)
		for _, kind := range []string{"deb", "rpm"} {
			if out, err := exec.Command("../../packaging/package.sh", kind, binary, version, share).CombinedOutput(); err != nil {
				t.Fatalf("packaging: %v\n%s", err, out)
			}
		}
	}
	want := []result{
		{"deb, purge exits", "0"},
		{"deb, left by the purge", "nothing"},
		{"deb, user after the purge", "nothing"},
		{"rpm, left by the removal", "/etc/default/lvsd.rpmsave /etc/lvsd /var/lib/lvsd"}, // with what the administrator wrote
	}
	for _, kind := range []string{"deb", "rpm"} {
		for _, r := range []result{
			{"install exits", "0"},
			{"user", "lvsd:/var/lib/lvsd:/usr/sbin/nologin"},
			{"after the installation", "inactive, disabled"},
			{"enable exits", "0"},
			{"address held", "1"},
			{"upgrade exits", "0"},
			{"upgrade says", "1"},
			{"process after the upgrade", "same, active, enabled"},
			{"options after the upgrade", `LVSD_OPTIONS="--node lvs1"`},
			{"version that runs", `"version":"1.0"`},
			{"reload of the old by the new exits", "0"},
			{"restart exits", "0"},
			{"version after the restart", `"version":"1.1"`},
			{"remove exits", "0"},
			{"after the removal", "inactive, 0 addresses, 0 processes"},
			{"configuration after the removal", "cluster.hcl"},
		} {
			want = append(want, result{kind + ", " + r.name, r.want})
		}
	}
	boot(t, share, want)
}
