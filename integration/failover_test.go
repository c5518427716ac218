package integration

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/vrrp"
)

// outside6 is a virtual router of IPv6 addresses.
const outside6 = `
virtual_router "outside6" {
  interface       = "eth0"
  id              = 61
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "100ms"
  addresses       = ["fe80::13:200/64", "2001:db8:13::200/64"]

  extra_address "2001:db8:1::254/64" { interface = "eth1" }
}
`

// At 100 ms adverts and priority 100, a backup takes over 3 × interval + skew
// after it heard the last advert (RFC 9568 section 6.1).
const (
	interval   = 100 * time.Millisecond
	masterDown = 3*interval + interval*156/256
	// margin is the lab's for when something happens: one slow processor runs
	// every host of the cluster.
	margin = 400 * time.Millisecond
	// gapMargin is the lab's for a gap that has to do with a timer, and
	// handOverMargin for one that has not: while that processor is busy nobody
	// asks either, so that much of the time is no gap.
	gapMargin = 200 * time.Millisecond
	// handOver is how long an address may not answer when its Master leaves, or
	// is preempted.
	handOver       = 10 * time.Millisecond
	handOverMargin = 50 * time.Millisecond

	// How a Master leaves is told apart by what silence costs, and what a
	// successor's skew time: at these adverts, with the lowest priority for
	// the successor, 2.4 s and 598 ms, both far from 10 ms and the margin.
	slow       = 600 * time.Millisecond
	slowSkew   = slow * 255 / 256
	slowMargin = 300 * time.Millisecond
	// lifetime is how long the kernel keeps the addresses of a director whose
	// processes are all gone, with its own granularity.
	lifetime = 4*time.Second + 1500*time.Millisecond
)

// slowly is a virtual router's configuration at slow adverts.
var slowly = strings.NewReplacer(`"100ms"`, fmt.Sprintf("%q", slow), "lvs1 = 150, lvs2 = 100", "lvs1 = 250, lvs2 = 1")

// waitHolder waits until director i alone holds the address.
func (p *pair) waitHolder(i int, a netip.Addr) {
	p.t.Helper()
	p.until(p.Directors[i].Name+" alone to hold "+a.String(), func() (bool, error) {
		holders, err := p.Holders(a)
		return len(holders) == 1 && holders[0] == p.Directors[i], err
	})
}

// startBoth starts both daemons and waits until the first is Master and the
// second Backup.
func (p *pair) startBoth(a netip.Addr) {
	p.t.Helper()
	p.start(0)
	p.start(1)
	p.waitBackup(1)
	p.waitHolder(0, a)
}

// waitBackup waits until director i is Backup of all its virtual routers.
func (p *pair) waitBackup(i int) {
	p.t.Helper()
	p.until(p.Directors[i].Name+" to be Backup", func() (bool, error) {
		s, err := p.status(i)
		return err == nil && s.Ready && !slices.ContainsFunc(s.Routers, func(r vrrp.Status) bool { return r.State != vrrp.Backup }), nil
	})
}

// A move is what an address went through when it moved.
type move struct {
	// took is how long it took until the other director held it.
	took time.Duration
	// gap is how long it did not answer the client, up to a moment later.
	gap time.Duration
}

// move lets something happen and waits until director i alone holds the
// address.
func (p *pair) move(a netip.Addr, i int, happen func()) (m move) {
	p.t.Helper()
	e, err := cluster.StartEcho(p.Client, a)
	p.must(err)
	defer e.Stop()
	begin := time.Now()
	p.until("the client to get answers", func() (bool, error) { return e.Answered(begin), nil })
	begin = time.Now()
	happen()
	p.until(p.Directors[i].Name+" to hold "+a.String(), func() (bool, error) { return p.Directors[i].Holds(a) })
	m.took = time.Since(begin)
	p.waitHolder(i, a)
	time.Sleep(600 * time.Millisecond) // longer than any gap that is allowed after it
	m.gap = e.Gap(begin)
	return m
}

// wantGap fails the test where the address did not answer for longer than it
// may.
func (m move) wantGap(t *testing.T, what string, bound, margin time.Duration) {
	t.Helper()
	t.Logf("%s: gap %v (bound %v + %v for the lab), moved after %v",
		what, m.gap.Round(time.Millisecond), bound, margin, m.took.Round(time.Millisecond))
	if m.gap > bound+margin {
		t.Errorf("%s: the address did not answer for %v, want at most %v + %v for the lab", what, m.gap, bound, margin)
	}
}

// wantHandOver fails the test unless the Master, at slow adverts, told its
// successor that it leaves, and went on answering until that had taken over.
func (m move) wantHandOver(t *testing.T, what string) {
	t.Helper()
	m.wantGap(t, what, handOver, handOverMargin)
	if m.took > slowSkew+2*slowMargin {
		t.Errorf("%s: the address moved after %v, want at most the skew time, %v + %v for the lab: the successor was not told",
			what, m.took, slowSkew, 2*slowMargin)
	}
}

// terminate asks the daemon of director i to stop.
func (p *pair) terminate(i int) {
	p.t.Helper()
	p.must(p.daemons[i].Signal(syscall.SIGTERM))
}

// waitEnd waits until the daemon of director i, which was told to stop, has
// ended well.
func (p *pair) waitEnd(i int) {
	p.t.Helper()
	p.must(p.daemons[i].Wait(patience))
}

// outsides are the virtual routers of both families.
var outsides = []struct {
	name   string
	config string
	addr   netip.Addr
}{
	{"IPv4", outside, cluster.VIP},
	{"IPv6", outside6, cluster.VIP6},
}

func TestExactlyOneDirectorHoldsTheAddress(t *testing.T) {
	for _, tt := range outsides {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, map[string]string{"director.hcl": tt.config})
			p.startBoth(tt.addr)

			m := p.move(tt.addr, 1, func() { p.must(p.Directors[0].Cut("eth0")) })
			m.wantGap(t, "the master's link is cut", masterDown+50*time.Millisecond, gapMargin)

			m = p.move(tt.addr, 0, func() { p.must(p.Directors[0].Restore("eth0")) })
			m.wantGap(t, "it returns", handOver, handOverMargin)
		})
	}
}

func TestAMasterThatLeavesHandsOver(t *testing.T) {
	for _, tt := range outsides {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, map[string]string{"director.hcl": slowly.Replace(tt.config)})
			p.startBoth(tt.addr)

			m := p.move(tt.addr, 1, func() { p.terminate(0) })
			m.wantHandOver(t, "it is stopped properly")
			p.waitEnd(0)

			m = p.move(tt.addr, 0, func() { p.start(0) })
			m.wantGap(t, "it is started again", handOver, handOverMargin)

			p.waitBackup(1)
			m = p.move(tt.addr, 1, func() { p.kill(p.daemons[0]) })
			m.wantHandOver(t, "its daemon is killed")
		})
	}
}

func TestAMasterWhoseProcessesAreGone(t *testing.T) {
	for _, tt := range []struct {
		name   string
		signal syscall.Signal
	}{
		{"all are killed at once", syscall.SIGKILL},
		{"all are stopped", syscall.SIGSTOP},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, map[string]string{"director.hcl": outside})
			p.startBoth(cluster.VIP)
			begin := time.Now()
			p.must(p.Directors[0].SignalAll(tt.signal))
			p.until("the backup to take over", func() (bool, error) { return p.Directors[1].Holds(cluster.VIP) })
			if took := time.Since(begin); took > masterDown+margin {
				t.Errorf("the backup took over after %v, want at most %v", took, masterDown+margin)
			}
			p.until("the kernel to take the address back", func() (bool, error) {
				held, err := p.Directors[0].Holds(cluster.VIP)
				return !held, err
			})
			if took := time.Since(begin); took > lifetime {
				t.Errorf("the address was gone after %v, want at most %v", took, lifetime)
			}
			p.waitHolder(1, cluster.VIP)
			if tt.signal == syscall.SIGSTOP {
				p.must(p.Directors[0].SignalAll(syscall.SIGCONT))
				p.waitHolder(0, cluster.VIP) // it preempts, as it should
			}
		})
	}
}

func TestATrackedInterfaceAndTheServersGatewayMoveTogether(t *testing.T) {
	tracked := strings.Replace(outside, "  extra_address", "  track \"interface\" \"eth1\" {}\n\n  extra_address", 1)
	p := newPair(t, map[string]string{"director.hcl": slowly.Replace(tracked)})
	p.startBoth(cluster.VIP)
	p.waitHolder(0, cluster.Gateways[0])
	m := p.move(cluster.VIP, 1, func() { p.must(p.Directors[0].Cut("eth1")) })
	m.wantHandOver(t, "the inside link of the master is cut")
	p.waitHolder(1, cluster.Gateways[0])
	if s := p.mustStatus(0); s.Routers[0].State != vrrp.Initialize || !strings.Contains(s.Routers[0].Fault, "eth1") {
		t.Errorf("status of the one that stands back: %v, %q; want Initialize and a word of eth1", s.Routers[0].State, s.Routers[0].Fault)
	}
	p.must(p.Directors[0].Restore("eth1"))
	p.waitHolder(0, cluster.VIP)
	p.waitHolder(0, cluster.Gateways[0])
}

func TestAnInterfaceThatIsMissingGoesAndComesBack(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": strings.Replace(outside, `"eth0"`, `"late0"`, 1)})
	p.start(0)
	p.until("a word of the missing interface", func() (bool, error) {
		s, err := p.status(0)
		return err == nil && len(s.Routers) == 1 && strings.Contains(s.Routers[0].Fault, "late0"), nil
	})
	for range 2 {
		p.run(0, "ip", "link", "add", "late0", "type", "dummy")
		p.run(0, "ip", "addr", "add", "10.13.0.17/24", "dev", "late0")
		p.run(0, "ip", "link", "set", "late0", "up")
		p.waitHolder(0, cluster.VIP)
		p.run(0, "ip", "link", "del", "late0")
		p.until("it to stand back", func() (bool, error) {
			s, err := p.status(0)
			return err == nil && s.Routers[0].State == vrrp.Initialize, nil
		})
	}
}
