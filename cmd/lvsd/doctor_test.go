package main

import (
	"encoding/json"
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
