package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
)

// TestDoctorTellsWhatIsWrongHere: this machine is a director by its name, and no daemon answers.
func TestDoctorTellsWhatIsWrongHere(t *testing.T) {
	args := []string{"doctor", "--config", "../../examples/direct", "--state-dir", t.TempDir(), "--socket", t.TempDir() + "/lvsd.sock"}
	stdout, stderr, exit := command(t, append(args, "-o", "json")...)
	var a api.Checkup
	if err := json.Unmarshal([]byte(stdout), &a); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	if want := map[bool]int{false: exitFailure}[a.OK]; exit != want {
		t.Errorf("exit status %d, want %d, as ok is %v", exit, want, a.OK)
	}
	if len(a.Roles) != 1 || a.Roles[0] != "director" || len(a.Examinations) < 20 {
		t.Errorf("as %v, %d examinations", a.Roles, len(a.Examinations))
	}
	stdout, _, _ = command(t, args...)
	if !strings.Contains(stdout, "not known  the daemon finds nothing: no lvsd answers") {
		t.Errorf("it says nothing of the daemon:\n%s", stdout)
	}
	if _, stderr, exit := command(t, "doctor", "--config", "testdata/missing"); exit != exitFailure || !strings.Contains(stderr, "missing") {
		t.Errorf("without a configuration: %d: %s", exit, stderr)
	}
}

// A director that is a real server too, as the seed's by direct routing are, is examined as both
// where no daemon answers: that none runs there is what somebody has to be told.
func TestDoctorKnowsADirectorByItsName(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	own := ownAddress(t)
	path := filepath.Join(t.TempDir(), "lvsd.hcl")
	file := fmt.Sprintf(`
virtual_router "outside" {
  interface = "eth0"
  id        = 50
  priority  = { %q = 150, elsewhere = 100 }[node.name]
  addresses = ["193.144.50.250/24"]
}
virtual_service "web" {
  address = "193.144.50.250"
  port    = 80
  forward = "direct"
  check "none" {}
  real_server %q {}
}
`, name, own)
	for _, tt := range []struct{ file, want string }{
		{file, "director, real server"},
		{strings.Replace(file, strconv.Quote(name), "another", 1), "real server"},
	} {
		if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
			t.Fatal(err)
		}
		stdout, stderr, _ := command(t, "doctor", "--config", path, "--state-dir", t.TempDir(), "--socket", t.TempDir()+"/lvsd.sock", "-o", "json")
		var a api.Checkup
		if err := json.Unmarshal([]byte(stdout), &a); err != nil {
			t.Fatalf("%v: %s%s", err, stdout, stderr)
		}
		if got := strings.Join(a.Roles, ", "); got != tt.want {
			t.Errorf("it is examined as %s, want %s", got, tt.want)
		}
	}
}

// ownAddress is one of this machine's, by which a real server knows itself.
func ownAddress(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if p, ok := a.(*net.IPNet); ok && p.IP.To4() != nil && p.IP.IsGlobalUnicast() {
			return p.IP.String()
		}
	}
	t.Skip("this machine has no address")
	return ""
}

// Root without its capabilities, as in a container, is told that it sees less.
func TestDoctorWithoutCapabilities(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be without its capabilities")
	}
	args := []string{os.Args[0], "doctor", "-o", "json", "--config", "../../examples/direct", "--state-dir", t.TempDir(), "--socket", t.TempDir() + "/lvsd.sock"}
	for _, tt := range []struct {
		name string
		by   []string
		want api.Judgement
		why  string
	}{
		{"without", []string{"setpriv", "--bounding-set=-all", "--inh-caps=-all"}, api.NotKnown, "lacks NET_ADMIN and NET_RAW"},
		{"with", nil, api.Fine, ""},
	} {
		line := slices.Concat(tt.by, args)
		c := exec.Command(line[0], line[1:]...)
		c.Env = append(os.Environ(), asCommand+"=yes")
		out, err := c.Output()
		var a api.Checkup
		if json.Unmarshal(out, &a) != nil {
			t.Fatalf("%s: %v: %s", tt.name, err, out)
		}
		i := slices.IndexFunc(a.Examinations, func(e api.Examination) bool { return e.Code == "capabilities" })
		if e := a.Examinations[i]; e.State != tt.want || !strings.Contains(e.Why, tt.why) {
			t.Errorf("%s: %s %q, want %s %q", tt.name, e.State, e.Why, tt.want, tt.why)
		}
	}
}
