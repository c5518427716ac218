package integration

import (
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// TestKeepalivedIsThePeer lets lvsd and Debian's keepalived be the pair, in
// either role, and over IPv4 and IPv6.
func TestKeepalivedIsThePeer(t *testing.T) {
	six := cluster.NewSetup6()
	for _, tt := range []struct {
		name  string
		setup cluster.Setup
		// keepalived is the director that runs keepalived; the other runs lvsd.
		keepalived int
	}{
		{"lvsd before keepalived", cluster.NewSetup(), 1},
		{"keepalived before lvsd", cluster.NewSetup(), 0},
		{"lvsd before keepalived, IPv6", six, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.setup.Advert, tt.setup.Priority = slow, map[string]int{"lvs1": 250, "lvs2": 1}
			p := newPair(t, nil)
			p.startBeside(tt.keepalived, tt.setup)
			vip := tt.setup.Addresses[0].Addr()

			m := p.move(vip, 1, func() { p.must(p.Directors[0].Cut("eth0")) })
			m.wantGap(t, "the master's link is cut", 3*slow+slowSkew+50*time.Millisecond, 2*slowMargin)

			m = p.move(vip, 0, func() { p.must(p.Directors[0].Restore("eth0")) })
			m.wantGap(t, "it returns", handOver, handOverMargin)

			m = p.move(vip, 1, func() { p.terminate(0) })
			if tt.keepalived == 0 {
				// keepalived lets go before its peer has taken over.
				m.wantGap(t, "the master is stopped properly", slowSkew+50*time.Millisecond, slowMargin)
			} else {
				m.wantHandOver(t, "the master is stopped properly")
			}
			p.waitEnd(0)
			p.must(p.daemons[1].Stop(patience))
		})
	}
}

// TestKeepalivedOfVersion2IsThePeer needs either to hear the other: keepalived
// to be preempted, and to take over before Master_Down; lvsd to let go once it
// has.
func TestKeepalivedOfVersion2IsThePeer(t *testing.T) {
	setup := cluster.NewSetup() // version 2 has whole seconds
	setup.Version = 2
	p := newPair(t, nil)
	p.startBeside(1, setup)
	m := p.move(cluster.VIP, 1, func() { p.terminate(0) })
	m.wantHandOver(t, "the master is stopped properly")
	p.waitEnd(0)
}

// startBeside starts keepalived on one director and lvsd on the other. The
// backup comes first, so that the other one preempts it.
func (p *pair) startBeside(keepalived int, setup cluster.Setup) {
	p.t.Helper()
	software := [2]cluster.Software{p.lvsd, p.lvsd}
	software[keepalived] = cluster.Keepalived{}
	for _, i := range []int{1, 0} {
		p.launch(i, software[i], setup)
		p.waitHolder(i, setup.Addresses[0].Addr())
	}
}
