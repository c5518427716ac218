package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// A match is a pair of which one director runs lvsd, and the other another daemon or lvsd,
// too. The first has the higher priority.
type match struct {
	*pair
	setup    cluster.Setup
	software [2]cluster.Router
	// ours is the one that runs lvsd.
	ours    int
	echo    *cluster.Echo
	holders *cluster.Holders
	// phases are the gap and the time of two holders of each phase, in ms.
	phases []string
}

// newMatch builds a cluster for one. No daemon runs yet. Without a peer, lvsd is it.
func newMatch(t *testing.T, setup cluster.Setup, peer cluster.Router, ours int) *match {
	t.Helper()
	lvsd := cluster.LVSD{Binary: cluster.Binary(t)}
	m := &match{setup: setup, ours: ours, pair: &pair{Cluster: cluster.Start(t), t: t, lvsd: lvsd}}
	m.software = [2]cluster.Router{lvsd, lvsd}
	if peer != nil {
		m.software[1-ours] = peer
	}
	if setup.Unicast && !m.sixth() {
		m.must(m.DropMulticast())
	}
	var err error
	m.holders, err = m.WatchHolders(setup.Addresses[0].Addr())
	m.must(err)
	t.Cleanup(m.holders.Close)
	return m
}

// asBackup is what each daemon says when it begins to listen.
var asBackup = map[cluster.Router]string{
	keepalived:    "Entering BACKUP STATE",
	cluster.FRR{}: "Initialize -> Backup",
}

// up starts the daemon of director i, and waits until it listens.
func (m *match) up(i int) {
	m.t.Helper()
	word, ok := asBackup[m.software[i]]
	if !ok {
		word = "virtual router is Backup"
	}
	before := 0
	if d := m.daemons[i]; d != nil {
		before = strings.Count(d.Log(), word)
	}
	m.launch(i, m.software[i], m.setup)
	m.until(m.daemons[i].Name+" to listen", func() (bool, error) {
		return strings.Count(m.daemons[i].Log(), word) > before, m.daemons[i].Ended()
	})
}

// down stops the daemon of director i properly.
func (m *match) down(i int) {
	m.t.Helper()
	if i == m.ours {
		m.checkCounters()
	}
	m.must(m.daemons[i].Stop(patience))
}

// checkCounters fails the test where lvsd has refused an advert.
func (m *match) checkCounters() {
	m.t.Helper()
	for reason, n := range m.mustStatus(m.ours).Routers[0].Counters.Discarded {
		if n > 0 {
			m.t.Errorf("lvsd has discarded %d adverts: %s", n, reason)
		}
	}
}

// waitServing waits until exactly these directors serve the address.
func (m *match) waitServing(serve ...int) {
	m.t.Helper()
	m.until(fmt.Sprintf("the directors %v to have the address", serve), func() (bool, error) {
		now, err := m.holders.Now()
		return now == [2]bool{slices.Contains(serve, 0), slices.Contains(serve, 1)}, err
	})
}

// watch has the client ask all the time from now on.
func (m *match) watch() {
	m.t.Helper()
	var err error
	m.echo, err = cluster.StartEcho(m.Client, m.setup.Addresses[0].Addr())
	m.must(err)
	m.t.Cleanup(func() { _ = m.echo.Stop() })
	m.waitAnswered(time.Now())
}

func (m *match) waitAnswered(t time.Time) {
	m.t.Helper()
	m.until("the client to get answers", func() (bool, error) { return m.echo.Answered(t), nil })
}

// A bound is what the protocol allows, without what a busy machine adds.
type bound struct {
	// gap is for how long the address may not answer, and both for how long both
	// directors may have it.
	gap, both time.Duration
	// within is the time after which it has to be where it belongs; 0: it is not bound.
	within time.Duration
}

// handOver is where director to takes over while the other is still there, or nothing
// moves.
func (m *match) handOver(to int) bound {
	b := bound{gap: handOver, both: overlap}
	if m.frr(1-to) && m.sixth() {
		// FRR's last word as Master is a router advertisement from the virtual MAC,
		// after which the switch sends to it until the next announcement of lvsd's.
		b.gap += 100 * time.Millisecond
	}
	return m.taken(to, b)
}

// silence is where the Master is not heard any more by director i.
func (m *match) silence(i int) bound {
	down := 3*m.setup.Advert + m.skew(i)
	return m.taken(i, bound{gap: down, both: overlap, within: down})
}

// leave is where the Master leaves, which is director i, and says so.
func (m *match) leave(i int) bound {
	b := bound{gap: m.skew(1 - i), both: overlap, within: m.skew(1 - i)}
	if i == m.ours {
		b.gap = handOver // It stays until it hears the other one.
	}
	return m.taken(1-i, b)
}

// meeting is where two Masters begin to hear each other. The first is the better one.
func (m *match) meeting() bound {
	b := m.handOver(0)
	b.both = m.setup.Advert + 3*m.setup.Advert + m.skew(1) // from the first advert on
	if m.frr(1) {
		b.gap += m.setup.Advert
	}
	if m.ours == 0 {
		// The other one may give way at once, and lvsd announces its addresses when
		// it has listened for so long whether that goes on (decision 48).
		b.gap += m.setup.Advert * 5 / 4
	}
	return b
}

func (m *match) frr(i int) bool { return m.software[i] == (cluster.FRR{}) }

func (m *match) sixth() bool { return m.setup.Addresses[0].Addr().Is6() }

// taken adds what FRR as director to needs to take an address of IPv6. Its first advert
// is lost, since its device has no carrier yet. While it is Backup its kernel answers
// what reaches it, by that device, and asks in vain for the client's MAC address: again
// only after a second.
func (m *match) taken(to int, b bound) bound {
	if m.frr(to) && m.sixth() {
		b.gap += time.Second
		b.both += m.setup.Advert
	}
	return b
}

// skew is Skew_Time of director i (RFC 9568 section 6.1).
func (m *match) skew(i int) time.Duration {
	return m.setup.Advert * time.Duration(256-m.setup.Priority[m.Directors[i].Name]) / 256
}

// frrMargin is for FRR: its daemons hand each step to each other, and have no priority over
// what else this machine does.
const frrMargin = time.Second

// phase lets something happen, waits until director to alone has the address and has
// for as long as it takes anybody to take over, and compares with what is allowed.
func (m *match) phase(what string, to int, b bound, happen func()) {
	m.t.Helper()
	ms := time.Millisecond
	begin := time.Now()
	happen()
	m.waitServing(to)
	alone := time.Now()
	for end := alone.Add(3*m.setup.Advert + m.skew(1) + gapMargin); time.Now().Before(end); time.Sleep(10 * ms) {
		m.must(m.daemons[to].Ended())
	}
	gap, lost := m.echo.Gap(begin), m.echo.Lost(begin)
	nobody, both := m.holders.Longest(begin, cluster.Nobody), m.holders.Longest(begin, cluster.Both)
	took := m.holders.FirstAt(begin, to).Sub(begin)
	m.phases = append(m.phases, fmt.Sprintf("%d/%d", gap.Round(ms).Milliseconds(), both.Round(ms).Milliseconds()))
	m.t.Logf("%-45s gap %v (%d lost), nobody for %v, both for %v, there after %v", what, gap.Round(ms/10), lost, nobody.Round(ms/10), both.Round(ms/10), took.Round(ms))
	slack, overlapSlack, late := gapMargin, overlapMargin, margin
	if b.within == 0 {
		slack = 2 * handOverMargin // No timer is in it.
	}
	if m.frr(0) || m.frr(1) {
		slack, overlapSlack, late = slack+frrMargin, overlapSlack+frrMargin, late+frrMargin
	}
	if gap > b.gap+slack {
		m.t.Errorf("%s: the address did not answer for %v, want at most %v + %v", what, gap, b.gap, slack)
	}
	if both > b.both+overlapSlack {
		m.t.Errorf("%s: both had the address for %v, want at most %v + %v", what, both, b.both, overlapSlack)
	}
	if b.within > 0 && took > b.within+late {
		m.t.Errorf("%s: the address was there after %v, want at most %v + %v", what, took, b.within, late)
	}
	if now := m.holders.Longest(alone, cluster.Both) + m.holders.Longest(alone, cluster.Nobody); now > 0 && b.both < 3*m.setup.Advert {
		m.t.Errorf("%s: the address was at its place, and then it was not, for %v", what, now)
	}
	m.waitServing(to)
}

// comeBack is where the link of director i is back, and director to is Master then.
func (m *match) comeBack(i, to int) bound {
	if m.frr(i) {
		return m.meeting() // It stays Master while its link is cut.
	}
	return m.handOver(to)
}

// order gives lvsd an order.
func (m *match) order(args ...string) {
	m.t.Helper()
	_, err := m.pair.order(m.ours, args...)
	m.must(err)
}
