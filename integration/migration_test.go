package integration

import (
	"maps"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// TestAMoveFromKeepalivedAndBack walks the way of lvsd-import(7) from a pair of keepalived as
// its sample has it, of version 2 with a password, to a pair of lvsd of version 3,
// and back, while the client asks for 50 pages a second.
func TestAMoveFromKeepalivedAndBack(t *testing.T) {
	const mayFail = 12
	sample := cluster.NewSetup()
	sample.Version, sample.Password = 2, "1111"
	newer := cluster.NewSetup() // version 3, without a password

	m := newMigration(t, sample)
	m.step("both run keepalived", 0, func() {})
	m.step("keepalived is stopped on the Backup", 0, func() { m.stop(1) })
	m.step("lvsd is started on the Backup", 0, func() {
		m.run(1, m.lvsd, sample)
		m.waitFollowing(1)
	})
	m.step("keepalived is stopped on the Master", 1, func() { m.stop(0) })
	m.step("lvsd is started on the Master", 0, func() { m.run(0, m.lvsd, sample) })

	m.step("the Backup is given version 3", 0, func() { m.reconfigure(1, newer) })
	m.step("the Master is given version 3", 0, func() {
		m.reconfigure(0, newer)
		m.waitFollowing(1)
	})
	m.step("back: lvsd is stopped on the Backup", 0, func() { m.stop(1) })
	m.step("keepalived is started on the Backup", 0, func() { m.run(1, cluster.Keepalived{}, newer) })
	m.step("lvsd is stopped on the Master", 1, func() { m.stop(0) })
	m.step("keepalived is started on the Master", 0, func() { m.run(0, cluster.Keepalived{}, newer) })

	requests := m.load.Stop()
	t.Logf("%d requests, %d failed: %v", len(requests), requests.Failed(), requests.Errors())
	if requests.Failed() > mayFail {
		t.Errorf("%d requests failed, want at most %d", requests.Failed(), mayFail)
	}
}

// A migration is a pair whose directors change their software, one after the
// other, under load.
type migration struct {
	*pair
	load *cluster.Load
}

// newMigration starts keepalived on both directors, and the client.
func newMigration(t *testing.T, setup cluster.Setup) *migration {
	m := &migration{pair: newPair(t, nil)}
	m.startWebs()
	for i := range m.Directors {
		m.run(i, cluster.Keepalived{}, setup)
	}
	m.waitHolder(0, cluster.VIP)
	m.load = cluster.StartLoad(m.Client, setup.Service(), 50, 3*time.Second)
	t.Cleanup(func() { m.load.Stop() })
	return m
}

// run starts a software on director i and waits until its table is complete.
func (m *migration) run(i int, software cluster.Software, setup cluster.Setup) {
	m.t.Helper()
	m.launch(i, software, setup)
	m.until(m.Directors[i].Name+" to have all servers", func() (bool, error) {
		weights, err := cluster.Weights(m.Directors[i])
		return maps.Equal(weights, setup.Weights()), err
	})
}

// waitFollowing waits until director i, with the configuration that it was given
// last, has heard the Master, because nobody else's word counts when that one leaves.
func (m *migration) waitFollowing(i int) {
	m.t.Helper()
	m.until(m.Directors[i].Name+" to follow the Master", func() (bool, error) {
		s, err := m.status(i)
		return err == nil && len(s.Routers) == 1 && s.Routers[0].Master.IsValid() && len(s.Routers[0].Peers) > 0 && s.Routers[0].Peers[0].Refused == "", nil
	})
}

// stop stops what runs on director i, as systemctl stop does.
func (m *migration) stop(i int) {
	m.t.Helper()
	m.must(m.daemons[i].Stop(patience))
}

// reconfigure makes lvsd on director i read another configuration.
func (m *migration) reconfigure(i int, setup cluster.Setup) {
	m.t.Helper()
	m.must(m.lvsd.Configure(m.Directors[i], setup))
	m.must(m.daemons[i].Signal(syscall.SIGHUP))
	m.until(m.Directors[i].Name+" to have the other version", func() (bool, error) {
		s, err := m.status(i)
		return err == nil && int(s.Routers[0].Version) == setup.Version, nil
	})
}

// step takes a step, after which director i alone holds the address.
func (m *migration) step(what string, i int, take func()) {
	m.t.Helper()
	begin, failed := time.Now(), m.load.Requests().Failed()
	take()
	took, shared, _ := m.follow(cluster.VIP, i, begin)
	if shared > overlap+overlapMargin {
		m.t.Errorf("%s: two directors held the address for %v, want at most %v + %v for the lab", what, shared, overlap, overlapMargin)
	}
	m.t.Logf("%s: %s holds the address after %v, two for %v; %d requests failed",
		what, m.Directors[i].Name, took.Round(time.Millisecond), shared.Round(time.Millisecond), m.load.Requests().Failed()-failed)
}
