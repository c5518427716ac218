package integration

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
)

// examined is what lvsd doctor says of a host, by the codes of examinations.
func (p *pair) examined(h *cluster.Host, flags ...string) map[string]api.Examination {
	p.t.Helper()
	args := append([]string{p.lvsd.Binary, "doctor", "-o", "json", "--config", p.config, "--state-dir", filepath.Join(h.Dir, "realserver")}, flags...)
	out, err := h.Run(p.t.Context(), args...)
	var a api.Checkup
	if json.Unmarshal([]byte(out), &a) != nil {
		p.t.Fatalf("%s: lvsd doctor: %v: %s", h.Name, err, out)
	}
	if a.OK != (err == nil) {
		p.t.Errorf("%s: ok is %v, and the exit status: %v", h.Name, a.OK, err)
	}
	all := make(map[string]api.Examination)
	for _, e := range a.Examinations {
		all[e.Code] = e
	}
	return all
}

// TestDoctor on a pair that works finds nothing wrong, and on a real server that was never
// prepared what it mends.
func TestDoctor(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": `
virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "direct"
  check "none" {}
  real_server "192.168.1.4" {}
}
`})
	server := p.Servers[0]
	p.startBoth(cluster.VIP)
	for code, e := range p.examined(p.Directors[0], "--node", "lvs1") {
		t.Logf("%-18s %-8s %s", code, e.State, e.Why)
		if e.State == api.Wrong && code != "clock" { // The machine of the test has none who keeps it.
			t.Errorf("%s: %v", code, e.Findings)
		}
		if slices.Contains([]string{"ipvs", "table-size", "ways", "address-answered", "address-elsewhere"}, code) && e.State != api.Fine {
			t.Errorf("%s is %s: %s", code, e.State, e.Why)
		}
	}
	p.examineClock(p.Directors[0])
	if e := p.examined(server)["real-server"]; e.State != api.Wrong || len(e.Findings) < 3 {
		t.Errorf("a real server that was not prepared: %+v", e)
	}
	if e := p.examined(server, "--fix")["real-server"]; e.State != api.Fine || len(e.Done) != 1 {
		t.Errorf("mended: %+v", e)
	}
}

// examineClock tells the lab's kernel what an NTP client does, and what it knows where none runs.
func (p *pair) examineClock(h *cluster.Host) {
	if !cluster.OnOwnKernel() {
		return
	}
	for _, tt := range []struct {
		status int32
		want   api.Judgement
	}{{unix.STA_UNSYNC, api.Wrong}, {0, api.Fine}} {
		_, err := unix.Adjtimex(&unix.Timex{Modes: unix.ADJ_STATUS | unix.ADJ_MAXERROR, Status: tt.status})
		p.must(err)
		if e := p.examined(h, "--node", "lvs1")["clock"]; e.State != tt.want {
			p.t.Errorf("with a status of %#x, the clock is %s, want %s", tt.status, e.State, tt.want)
		}
	}
}
