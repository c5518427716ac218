package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
)

// TestAnyHostReadsTheDirectorsFiles has a priority for each director by its name, and this
// host is none of them.
func TestAnyHostReadsTheDirectorsFiles(t *testing.T) {
	stdout, stderr, exit := command(t, "realserver", "check", "--config", "../../examples/direct", "--state-dir", t.TempDir(), "-o", "json")
	var got api.RealServer
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || exit != 0 {
		t.Fatalf("exit status %d: %v: %s", exit, err, stderr)
	}
	if got.Node != "lvs1" || !got.OK || len(got.Services)+len(got.Done)+len(got.Left) > 0 {
		t.Errorf("it is %+v", got)
	}
	stdout, stderr, exit = command(t, "realserver", "check", "--config", "../../examples/direct", "--node", "web1", "--state-dir", t.TempDir())
	if exit != exitFailure || !strings.Contains(stderr, `Unknown node "web1"`) {
		t.Errorf("as web1: exit status %d: %s%s", exit, stdout, stderr)
	}
}

// TestARealServerThatIsNotPreparedIsFound, and nothing is changed.
func TestARealServerThatIsNotPreparedIsFound(t *testing.T) {
	own := ownAddress(t)
	config := file(t, `virtual_service "web" {
  address = "192.0.2.200"
  port    = 80
  forward = "direct"
  real_server "`+own+`" {}
}
`)
	stdout, stderr, exit := command(t, "realserver", "check", "--config", config, "--state-dir", t.TempDir())
	if exit != exitFailure || !strings.Contains(stdout, "+ add address 192.0.2.200/32 on lo (for web)\n") {
		t.Errorf("exit status %d: %s%s", exit, stdout, stderr)
	}
}
