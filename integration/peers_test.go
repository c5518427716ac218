package integration

import (
	"flag"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

var everyPeer = flag.Bool("peers", false, "have TestPeers run all rows, not only a few")

// peers are the daemons that lvsd shares a virtual router with, and the ways in which they
// speak to each other. Those of version 2 take longest.
var peers = []struct {
	name   string
	peer   cluster.Router // nil: lvsd
	change func(*cluster.Setup)
	// few: lvsd's roles, before the peer and after it, that are always tried.
	few [2]bool
}{
	{"keepalived 2", keepalived, version2, [2]bool{}},
	{"keepalived 2 PASS", keepalived, func(s *cluster.Setup) { version2(s); s.Password = "secret" }, [2]bool{}},
	{"keepalived 2 vmac", keepalived, func(s *cluster.Setup) { version2(s); s.VirtualMAC = true }, [2]bool{}},
	{"FRR 2", cluster.FRR{}, version2, [2]bool{}},
	{"keepalived 3", keepalived, func(*cluster.Setup) {}, [2]bool{}},
	{"keepalived 3 unicast", keepalived, func(s *cluster.Setup) { s.Unicast = true }, [2]bool{}},
	{"keepalived 3 vmac", keepalived, func(s *cluster.Setup) { s.VirtualMAC = true }, [2]bool{true, true}},
	{"keepalived 3 vmac base", keepalived, func(s *cluster.Setup) { s.VirtualMAC, s.AdvertsFromInterface = true, true }, [2]bool{}},
	{"keepalived 3 IPv6", keepalived, overIPv6, [2]bool{}},
	{"keepalived 3 IPv6 unicast", keepalived, func(s *cluster.Setup) { overIPv6(s); s.Unicast = true }, [2]bool{}},
	{"keepalived 3 IPv6 vmac", keepalived, func(s *cluster.Setup) { overIPv6(s); s.VirtualMAC = true }, [2]bool{}},
	{"FRR 3", cluster.FRR{}, func(*cluster.Setup) {}, [2]bool{false, true}},
	{"FRR 3 vmac", cluster.FRR{}, func(s *cluster.Setup) { s.VirtualMAC = true }, [2]bool{}},
	{"FRR 3 IPv6", cluster.FRR{}, overIPv6, [2]bool{}},
	{"FRR 3 IPv6 vmac", cluster.FRR{}, func(s *cluster.Setup) { overIPv6(s); s.VirtualMAC = true }, [2]bool{true, false}},
	{"lvsd 3", nil, func(*cluster.Setup) {}, [2]bool{}},
	{"lvsd 3 vmac", nil, func(s *cluster.Setup) { s.VirtualMAC = true }, [2]bool{true, false}},
	{"lvsd 3 IPv6 vmac", nil, func(s *cluster.Setup) { overIPv6(s); s.VirtualMAC = true }, [2]bool{}},
}

var keepalived = cluster.Keepalived{Prompt: true}

func version2(s *cluster.Setup) { s.Version, s.Advert = 2, time.Second }
func overIPv6(s *cluster.Setup) { s.Addresses = cluster.NewSetup6().Addresses }

// TestPeers has lvsd be one of two directors, in either role, and another daemon the
// other, and lets happen what happens to directors.
func TestPeers(t *testing.T) {
	if cluster.InLab() {
		t.Skip("needs no IPVS")
	}
	for _, tt := range peers {
		setup := cluster.NewSetup()
		setup.Servers, setup.Gateways, setup.Advert = nil, nil, interval
		tt.change(&setup)
		for ours, role := range []string{"lvsd before ", "lvsd after "} {
			if !tt.few[ours] && !*everyPeer || tt.peer == nil && ours == 1 {
				continue
			}
			t.Run(role+tt.name, func(t *testing.T) {
				needPeer(t, tt.peer)
				t.Parallel()
				m := newMatch(t, setup, tt.peer, ours)
				defer func() { t.Logf("gap/two, in ms, %s%s: %s", role, tt.name, strings.Join(m.phases, " ")) }()
				m.play()
			})
		}
	}
}

// needPeer skips a test whose peer is not installed.
func needPeer(t *testing.T, peer cluster.Router) {
	t.Helper()
	program := map[cluster.Router]string{keepalived: "keepalived", cluster.FRR{}: cluster.FRRPath}[peer]
	if program == "" {
		return
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("needs %s: integration/packages test", program)
	}
}

// play lets everything happen, with preemption and without.
func (m *match) play() {
	m.up(1)
	m.waitServing(1)
	m.watch()
	m.phase("the better one starts", 0, m.handOver(0), func() { m.up(0) })
	m.phase("its link is cut", 1, m.silence(1), func() { m.must(m.Directors[0].Cut("eth0")) })
	m.phase("its link is back", 0, m.comeBack(0, 0), func() { m.must(m.Directors[0].Restore("eth0")) })
	if m.ours == 0 {
		m.phase("an operator orders a failover", 1, m.handOver(1), func() { m.order("failover") })
		m.phase("and its end", 0, m.handOver(0), func() { m.order("resume") })
		m.phase("an operator orders a standby", 1, m.handOver(1), func() { m.order("standby") })
		m.phase("and its end", 0, m.handOver(0), func() { m.order("resume") })
	}
	m.phase("it is stopped", 1, m.leave(0), func() { m.down(0) })
	m.down(1)

	m.setup.NoPreempt = true
	m.up(1)
	m.waitServing(1)
	m.waitAnswered(time.Now())
	m.phase("the better one starts, without preemption", 1, m.handOver(1), func() { m.up(0) })
	m.phase("the Master's link is cut", 0, m.silence(0), func() { m.must(m.Directors[1].Cut("eth0")) })
	m.phase("its link is back", 0, m.comeBack(1, 0), func() { m.must(m.Directors[1].Restore("eth0")) })
	m.phase("the better one's link is cut", 1, m.silence(1), func() { m.must(m.Directors[0].Cut("eth0")) })
	if m.frr(0) {
		m.phase("its link is back, and it was Master all the time", 0, m.comeBack(0, 0), func() { m.must(m.Directors[0].Restore("eth0")) })
		m.phase("it is stopped", 1, m.leave(0), func() { m.down(0) })
	} else {
		m.phase("its link is back", 1, m.comeBack(0, 1), func() { m.must(m.Directors[0].Restore("eth0")) })
		m.phase("it is stopped as Backup", 1, m.handOver(1), func() { m.down(0) })
	}

	m.must(m.Directors[0].Deafen("eth0"))
	m.up(0)
	m.waitServing(0, 1)
	senior := 0
	if m.software[0] == m.software[1] {
		senior = 1 // Both know this rule, which is not the RFC's.
	}
	m.phase("it started deaf, and hears again", senior, m.meeting(), func() { m.must(m.Directors[0].Hear("eth0")) })
	m.must(m.Directors[1-senior].Deafen("eth0"))
	m.waitServing(0, 1)
	m.phase("two that served meet", 0, m.meeting(), func() { m.must(m.Directors[1-senior].Hear("eth0")) })
	m.phase("the Master is stopped", 1, m.leave(0), func() { m.down(0) })
	m.down(1)
}
