package integration

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
)

// TestADirectorStandsAsideForKeepalived starts lvsd, of version 3 and with the higher
// priority, beside keepalived as its sample has it, of version 2 with a password: 3 s
// after that both were Master once.
func TestADirectorStandsAsideForKeepalived(t *testing.T) {
	sample := cluster.NewSetup()
	sample.Version, sample.Password = 2, "1111"
	ours := cluster.NewSetup()
	ours.Priority = map[string]int{"lvs1": 100, "lvs2": 150}

	p := newPair(t, nil)
	p.launch(0, cluster.Keepalived{}, sample)
	p.waitHolder(0, cluster.VIP)
	p.launch(1, p.lvsd, ours)
	var r api.Router
	aside := func() (bool, error) {
		s, err := p.status(1)
		if err == nil {
			r = s.Routers[0]
		}
		return err == nil && r.Aside != nil, nil
	}
	p.until("lvs2 to stand aside", aside)
	if a := r.Aside; a.Master.String() != "10.13.0.15" || a.Reason != "version" || a.Address != cluster.VIP || a.MAC == "" {
		t.Errorf("it stands aside for %+v", a)
	}
	for end := time.Now().Add(6 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if held, err := p.Directors[1].Holds(cluster.VIP); err != nil || held {
			t.Fatalf("lvs2 holds the address as well (%v)", err)
		}
	}
	if ok, err := aside(); !ok {
		t.Errorf("lvs2 does not say any more that it stands aside: %+v, %v", r, err)
	}
	if log := p.daemons[1].Log(); !strings.Contains(log, "does not become Master, since 10.13.0.15 advertises 10.13.0.200") {
		t.Errorf("the log does not tell it:\n%s", log)
	}
	table, err := p.lvsd.Status(t.Context(), p.Directors[1])
	p.must(err)
	if !strings.Contains(table, `! virtual router "outside" does not become Master: 10.13.0.15 advertises 10.13.0.200`) || !strings.Contains(table, "10.13.0.15 (refused)") {
		t.Errorf("the status does not tell it:\n%s", table)
	}

	// What keepalived leaves behind: its kernel goes on answering for the address. Its
	// processes are stopped first, since each ends properly when its parent does.
	begin := time.Now()
	p.must(p.Directors[0].SignalAll(syscall.SIGSTOP))
	p.must(p.Directors[0].SignalAll(syscall.SIGKILL))
	p.until("lvs2 to hold the address", func() (bool, error) { return p.Directors[1].Holds(cluster.VIP) })
	took := time.Since(begin)
	// Master_Down by lvs2's priority of 150, from the last advert.
	if bound := 3*time.Second + 414*time.Millisecond + 500*time.Millisecond; took > bound {
		t.Errorf("lvs2 took over %v after keepalived was killed, want at most %v", took, bound)
	}
	t.Logf("lvs2 took over %v after keepalived was killed", took.Round(time.Millisecond))
	if held, err := p.Directors[0].Holds(cluster.VIP); err != nil || !held {
		t.Errorf("the address did not stay on lvs1 (%v): this test shows less than it should", err)
	}
}

// launch starts a software on a director.
func (p *pair) launch(i int, software cluster.Router, setup cluster.Setup) {
	p.t.Helper()
	p.must(software.Configure(p.Directors[i], setup))
	d, err := software.Start(p.Directors[i])
	p.must(err)
	p.daemons[i] = d
}

// TestTwoMastersThatDoNotHearEachOtherSaySo has a network that carries no multicast:
// both directors are Master, and no advert tells either.
func TestTwoMastersThatDoNotHearEachOtherSaySo(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside})
	p.must(p.DropMulticast())
	p.start(0)
	p.start(1)
	for i, d := range p.Directors {
		var s *api.Status
		p.until(d.Name+" to know of the other one", func() (ok bool, err error) {
			s, err = p.status(i)
			return err == nil && len(s.Routers[0].Rivals) > 0, nil
		})
		if r := s.Routers[0]; r.State != api.Master || r.Rivals[0].Address != cluster.VIP || r.Rivals[0].MAC == "" {
			t.Errorf("%s is %s, and its rivals are %+v", d.Name, r.State, r.Rivals)
		}
		table, err := p.lvsd.Status(t.Context(), d)
		p.must(err)
		if !strings.Contains(table, "is Master, but somebody else answers ARP for 10.13.0.200: MAC ") || !strings.Contains(table, "not heard (a Backup is silent)") {
			t.Errorf("the status of %s does not tell it:\n%s", d.Name, table)
		}
		if log := p.daemons[i].Log(); strings.Count(log, "event=address-claimed") != 1 {
			t.Errorf("the log of %s should tell it once:\n%s", d.Name, log)
		}
	}
}
