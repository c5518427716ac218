package integration

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// TestAnUnconfirmedChangeIsUndone applies a change on trial, by which checks ask for what does
// not exist and an address comes. All of lvsd's processes are killed meanwhile, and the next
// daemon goes back by itself: the table and the addresses are as before.
func TestAnUnconfirmedChangeIsUndone(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startAlone()
	p.waitHolder(0, cluster.VIP)
	h := p.Directors[0]
	state := func() string {
		t.Helper()
		addresses, err := h.Run(t.Context(), "ip", "-br", "addr")
		p.must(err)
		return addresses + p.table(0)
	}
	before := state()
	p.write("director.hcl", strings.Replace(outside, `["10.13.0.200/24"]`, `["10.13.0.200/24", "10.13.0.201/24"]`, 1))
	p.write("web.hcl", strings.Replace(web, `check "http" {`, "check \"http\" {\n    port = 81", 1))
	began := time.Now()
	if out, err := p.order(0, "apply", "--confirm", "3s", "--lose", "any"); err != nil || !strings.Contains(out, "on trial: ") {
		t.Fatalf("%v: %s", err, out)
	}
	p.until("the change", func() (bool, error) {
		holds, err := h.Holds(cluster.VIP.Next())
		return holds && !strings.Contains(p.table(0), "192.168.1.4"), err
	})
	p.must(h.SignalAll(syscall.SIGKILL))
	time.Sleep(time.Until(began.Add(3500 * time.Millisecond)))
	p.start(0)
	p.waitReady(0)
	p.until("the state before", func() (bool, error) { return state() == before, nil })
	p.reload(0) // with files that do not count
	if !p.found(0, "configuration-unconfirmed") || state() != before {
		t.Errorf("the finding is there: %t; the state is\n%s\nand was\n%s", p.found(0, "configuration-unconfirmed"), state(), before)
	}
	p.write("director.hcl", outside)
	p.write("web.hcl", web)
	p.reload(0)
	if p.found(0, "configuration-unconfirmed") || state() != before {
		t.Errorf("the files are as before; the finding is there: %t; the state is\n%s\nand was\n%s", p.found(0, "configuration-unconfirmed"), state(), before)
	}
}

// TestAChangeThatLosesServersIsUndone does the same with nothing said of losses: the daemon
// goes back when the first server is down, and not after the hour. All of its processes are
// killed before.
func TestAChangeThatLosesServersIsUndone(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startAlone()
	p.waitHolder(0, cluster.VIP)
	before := p.table(0)
	p.write("web.hcl", strings.Replace(web, `check "http" {`, "check \"http\" {\n    port = 81", 1))
	if out, err := p.order(0, "apply", "--confirm", "1h"); err != nil || !strings.Contains(out, "on trial: ") {
		t.Fatalf("%v: %s", err, out)
	}
	p.must(p.Directors[0].SignalAll(syscall.SIGKILL))
	p.start(0)
	p.until("the finding", func() (bool, error) {
		s, err := p.status(0)
		return err == nil && s.Ready && p.found(0, "configuration-unconfirmed"), nil
	})
	p.until("the table before", func() (bool, error) { return p.table(0) == before, nil })
	if out, err := p.order(0, "confirm"); err == nil || !strings.Contains(out, "so the configuration before runs again") {
		t.Errorf("confirmed too late: %v: %s", err, out)
	}
}

// found reports whether the status of a director has a finding.
func (p *pair) found(i int, code string) bool {
	p.t.Helper()
	for _, f := range p.mustStatus(i).Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}
