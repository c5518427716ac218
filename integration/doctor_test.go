package integration

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
)

// examined is what lvsd doctor says of a host, by the codes of examinations.
func (p *pair) examined(h *cluster.Host, flags ...string) map[string]api.Examination {
	p.t.Helper()
	args := append([]string{p.lvsd.Binary, "doctor", "-o", "json", "--config", p.lvsd.ConfigPath(h), "--state-dir", filepath.Join(h.Dir, "realserver")}, flags...)
	out, err := h.Run(p.t.Context(), args...)
	all, err := cluster.Examinations(out, err)
	p.must(err)
	return all
}

// everyWay is served by direct routing, by a tunnel, and by what is asked whether it is well.
const everyWay = `
virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "direct"
  check "none" {}
  real_server "192.168.1.4" {}
}
virtual_service "files" {
  address = "10.13.0.200"
  port    = 81
  forward = "tunnel"
  check "none" {}
  real_server "192.168.2.2" {}
}
virtual_service "asked" {
  address = "10.13.0.200"
  port    = 82
  forward = "direct"
  check "tcp" {
    interval = "200ms"
    timeout  = "150ms"
    rise     = 1
    fall     = 1
  }
  real_server "alone" { address = "192.168.1.4" }
}
`

// TestDoctor on a pair that works finds nothing wrong, on a director that is broken in three
// ways each of them, and on a real server that was never prepared what it mends.
func TestDoctor(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": everyWay})
	director, server := p.Directors[0], p.Servers[0]
	asked := p.listen(server, 82)
	p.startBoth(cluster.VIP)
	p.waitTable(0)
	p.setClock(true)
	for code, e := range p.examined(director, "--node", "lvs1") {
		t.Logf("%-18s %-8s %s", code, e.State, e.Why)
		if e.State == api.Wrong && (code != "clock" || cluster.OnOwnKernel()) { // Elsewhere, nobody may keep it.
			t.Errorf("%s: %v", code, e.Findings)
		}
		if slices.Contains([]string{"ipvs", "table-size", "ways", "tunnel-mtu", "address-answered", "address-elsewhere", "daemon", "capabilities"}, code) && e.State != api.Fine {
			t.Errorf("%s is %s: %s", code, e.State, e.Why)
		}
	}

	p.setClock(false)
	p.must(director.Sysctl("net/ipv4/vs/pmtu_disc", "0"))
	p.must(asked.Close())
	p.waitTable(0, "alone")
	broken := p.examined(director, "--node", "lvs1")
	p.setClock(true)
	p.listen(server, 82)
	p.waitTable(0)
	mended := p.examined(director, "--node", "lvs1", "--fix")
	for _, code := range []string{"clock", "tunnel-mtu"} {
		if code == "clock" && !cluster.OnOwnKernel() {
			continue
		}
		if e := broken[code]; e.State != api.Wrong {
			t.Errorf("%s, broken, is %s: %s", code, e.State, e.Why)
		}
		if e := mended[code]; e.State != api.Fine {
			t.Errorf("%s, mended, is %s: %s %+v", code, e.State, e.Why, e.Findings)
		}
	}
	told := func(e api.Examination) bool {
		return slices.ContainsFunc(e.Findings, func(f api.Finding) bool { return strings.Contains(f.Text, "virtual service asked ") })
	}
	if !told(broken["daemon"]) || told(mended["daemon"]) {
		t.Errorf("of the service without servers, the daemon says %+v, and then %+v", broken["daemon"], mended["daemon"])
	}
	if done := mended["tunnel-mtu"].Done; len(done) != 1 {
		t.Errorf("of the tunnel, --fix did %q", done)
	}

	if e := p.examined(server)["real-server"]; e.State != api.Wrong || len(e.Findings) < 3 {
		t.Errorf("a real server that was not prepared: %+v", e)
	}
	if e := p.examined(server, "--fix")["real-server"]; e.State != api.Fine || len(e.Done) != 1 {
		t.Errorf("mended: %+v", e)
	}
}

// setClock tells the lab's kernel what an NTP client does, or what it knows where none runs.
func (p *pair) setClock(kept bool) {
	p.t.Helper()
	if !cluster.OnOwnKernel() {
		return
	}
	status := map[bool]int32{false: unix.STA_UNSYNC}[kept]
	_, err := unix.Adjtimex(&unix.Timex{Modes: unix.ADJ_STATUS | unix.ADJ_MAXERROR, Status: status})
	p.must(err)
}

// TestDoctorOfOthers has somebody else break a pair: a machine with keepalived that has the id
// of its virtual router, ldirectord, which writes the same table, and a switch that passes
// multicast to nobody who was not asked.
func TestDoctorOfOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("internal/doctor has the facts, and make integration the others")
	}
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": everyWay})
	p.listen(p.Servers[0], 82)
	p.startBoth(cluster.VIP)
	p.testRouterID()
	p.testLdirectord()
	p.testSnooping()
}

// finds waits until lvsd doctor on a director finds something wrong that has a text.
func (p *pair) finds(i int, code, text string) {
	p.t.Helper()
	e := p.becomes(i, code, func(e api.Examination) bool {
		return e.State == api.Wrong && strings.Contains(e.Findings[0].Text, text)
	})
	p.t.Logf("%s: %s; %s", code, e.Findings[0].Text, e.Findings[0].Remedy)
}

// becomes waits until lvsd doctor on a director says of an examination what is wanted.
func (p *pair) becomes(i int, code string, wanted func(api.Examination) bool) (last api.Examination) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	h := p.Directors[i]
	if err := cluster.Until(ctx, "lvsd doctor", func() (bool, error) {
		last = p.examined(h, "--node", h.Name)[code]
		return wanted(last), nil
	}); err != nil {
		p.t.Fatalf("%v to say what is wanted: %s is %s %q %+v", err, code, last.State, last.Why, last.Findings)
	}
	return last
}

// keepalivedOfAnother is another cluster's, with the same id.
const keepalivedOfAnother = `
global_defs {
  vrrp_version 3
  vrrp_garp_master_delay 0
}
vrrp_instance other {
  interface eth0
  virtual_router_id 51
  priority 200
  advert_int 0.1
  virtual_ipaddress {
    10.13.0.77/24
  }
}
`

// testRouterID has keepalived take the part of the pair's Master, until the pair has another id.
func (p *pair) testRouterID() {
	path := filepath.Join(p.Client.Dir, "other.conf")
	p.must(os.WriteFile(path, []byte(keepalivedOfAnother), 0o644))
	other, err := p.Client.Start("keepalived", "keepalived", "--dont-fork", "--log-console", "-f", path)
	p.must(err)
	p.finds(0, "router-id", "10.13.0.100 advertises other addresses than those of virtual router \"outside\" with the same id, 51, on eth0")
	p.write("director.hcl", strings.Replace(outside, "= 51", "= 52", 1))
	p.reload(0)
	p.reload(1)
	p.waitHolder(0, cluster.VIP)
	p.becomes(0, "router-id", func(e api.Examination) bool { return e.State == api.Fine })
	p.must(other.Stop(patience))
}

// testLdirectord has ldirectord write a row of its own beside lvsd's.
func (p *pair) testLdirectord() {
	if _, err := exec.LookPath("ldirectord"); err != nil {
		p.t.Log("ldirectord is not installed (make imported does)")
		return
	}
	path := filepath.Join(p.Directors[0].Dir, "ldirectord.cf")
	p.must(os.WriteFile(path, []byte("checktimeout=3\ncheckinterval=10\nsupervised=yes\nvirtual=10.13.0.200:90\n\treal=192.168.1.5:90 gate\n\tchecktype=on\n\tscheduler=rr\n"), 0o644))
	other, err := p.Directors[0].Start("ldirectord", "ldirectord", path, "start")
	p.must(err)
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute) // In user-mode Linux, it takes ten seconds to start.
	defer cancel()
	p.must(cluster.Until(ctx, "ldirectord to write the table", func() (bool, error) {
		return strings.Contains(p.table(0), "10.13.0.200:90"), other.Ended()
	}))
	p.finds(0, "second-daemon", "ldirectord runs in this network namespace: it writes the same IPVS table")
	if err := other.Stop(patience); err != nil {
		p.t.Log(err) // It ends by the signal.
	}
	p.becomes(0, "second-daemon", func(e api.Examination) bool { return e.State == api.Fine })
}

// testSnooping has the switch hold adverts back, until they are sent by unicast. The Backup has
// heard the Master before.
func (p *pair) testSnooping() {
	for _, h := range p.Directors {
		p.must(h.Flood("eth0", false))
	}
	p.finds(1, "snooping", "10.13.0.15 (MAC ")
	peers := `peers           = [{ lvs1 = "10.13.0.16", lvs2 = "10.13.0.15" }[node.name]]` + "\n  advert_interval"
	p.write("director.hcl", strings.NewReplacer("= 51", "= 52", "advert_interval", peers).Replace(outside))
	p.reload(0)
	p.reload(1)
	p.waitBackup(1)
	p.becomes(1, "snooping", func(e api.Examination) bool { return e.State == api.NotNeeded })
}
