package sim

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// changesOnPurpose are all ways in which another director is made Master, or is not.
var changesOnPurpose = []struct {
	name   string
	change func(t *testing.T, n *Network, master, backup *Director)
	// master is who has the addresses at the end; empty: that is left to chance.
	master string
}{
	{"the Master is stopped", func(t *testing.T, n *Network, master, _ *Director) {
		master.Stop(false)
	}, "backup"},
	{"the Master is stopped, and nobody hears that it leaves", func(t *testing.T, n *Network, master, backup *Director) {
		n.Cut(master, backup)
		master.Stop(false)
		run(t, n, master.Config.Interval/2)
		n.Mend()
	}, "backup"},
	{"the Master's control plane dies", func(t *testing.T, n *Network, master, _ *Director) {
		master.Stop(true)
	}, "backup"},
	{"the Master's tracked interface goes down", func(t *testing.T, n *Network, master, _ *Director) {
		master.Fault(false)
	}, "backup"},
	{"the tracked interface comes back at once", func(t *testing.T, n *Network, master, _ *Director) {
		master.Fault(false)
		run(t, n, time.Millisecond)
		master.Repair()
	}, "master"},
	{"the Master's keeper is replaced", func(t *testing.T, n *Network, master, _ *Director) {
		master.Crash()
		run(t, n, master.Config.Interval)
		master.Resume()
	}, "master"},
	{"the backup gets the higher priority", func(t *testing.T, n *Network, master, backup *Director) {
		c := backup.Config
		c.Priority = 250
		backup.Update(c)
	}, "backup"},
	{"the Master gets the lower priority", func(t *testing.T, n *Network, master, backup *Director) {
		c := master.Config
		c.Priority = 1
		master.Update(c)
	}, "backup"},
	{"the Master is restarted", func(t *testing.T, n *Network, master, backup *Director) {
		master.Stop(false)
		run(t, n, 5*master.Config.Interval)
		master.Start()
	}, "master"},
	{"an operator wants the other director", func(t *testing.T, n *Network, master, _ *Director) {
		master.Failover(false)
	}, "backup"},
	{"an operator wants the other director by force", func(t *testing.T, n *Network, master, _ *Director) {
		master.Failover(true)
	}, "backup"},
	{"an operator wants it, and nobody hears that the Master leaves", func(t *testing.T, n *Network, master, backup *Director) {
		n.Cut(master, backup)
		master.Failover(false)
		run(t, n, master.Config.Interval/2)
		n.Mend()
	}, ""},
	{"an operator wants it, and nobody is there", func(t *testing.T, n *Network, master, backup *Director) {
		backup.Stop(false)
		run(t, n, master.Config.Interval)
		master.Failover(false)
		run(t, n, 5*master.Config.Interval)
		backup.Start()
	}, "master"},
	{"an operator wants it, and the successor is stopped", func(t *testing.T, n *Network, master, backup *Director) {
		master.Failover(false)
		run(t, n, 5*master.Config.Interval)
		backup.Stop(false)
		run(t, n, 5*master.Config.Interval)
		backup.Start()
	}, "master"},
	{"an operator wants it, and takes that back", func(t *testing.T, n *Network, master, _ *Director) {
		c := master.Config
		master.Failover(false)
		run(t, n, 5*master.Config.Interval)
		master.Update(c)
	}, "master"},
	{"the Master is stopped while it offers its role", func(t *testing.T, n *Network, master, _ *Director) {
		master.Failover(false)
		run(t, n, master.Config.Interval/10)
		master.Stop(false)
	}, "backup"},
	{"the interval changes, first on the Master", func(t *testing.T, n *Network, master, backup *Director) {
		for _, d := range []*Director{master, backup} {
			c := d.Config
			c.Interval *= 5
			d.Update(c)
			run(t, n, 3*c.Interval)
		}
	}, "master"},
	{"all lose the director process, one after the other, and come back", func(t *testing.T, n *Network, master, backup *Director) {
		backup.Stop(true)
		run(t, n, backup.Config.Interval)
		master.Stop(true)
		run(t, n, 6*master.Config.Interval)
		master.Start()
		backup.Start()
	}, "master"},
}

// Changes of the Master that are made on purpose never leave a moment without
// a holder of the addresses, whatever the interval, version and delay.
func TestSimNothingIsLost(t *testing.T) {
	for _, tt := range changesOnPurpose {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(60) {
				n, master, backup := pair(seed)
				run(t, n, 5*master.Config.Interval)
				if master.State() != vrrp.Master {
					t.Fatalf("seed %d: %s is %s", seed, master.Name, master.State())
				}
				n.Cover()
				tt.change(t, n, master, backup)
				run(t, n, 30*master.Config.Interval)
				if err := n.Settled(); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				want := map[string]*Director{"master": master, "backup": backup}[tt.master]
				if tt.master != "" && want.State() != vrrp.Master {
					t.Fatalf("seed %d: the %s of before is %s", seed, tt.master, want.State())
				}
			}
		})
	}
}

// pair is two directors, of which the first has the higher priority.
func pair(seed uint64) (n *Network, master, backup *Director) {
	n = NewNetwork(seed)
	c := vrrp.Config{Name: "outside", Interface: "eth0", VRID: 51, Version: 3, Preempt: true,
		Interval:  []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second}[seed%3],
		Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.100/24")}}
	switch seed % 4 {
	case 1:
		c.Version, c.Interval = 2, time.Second
	case 2:
		c.Addresses = []netip.Prefix{netip.MustParsePrefix("2001:db8::100/64")}
	}
	n.Delay = time.Duration(seed) * 100 * time.Microsecond
	c.Priority = 150
	master = n.Add(c)
	c.Priority = 100
	backup = n.Add(c)
	master.Start()
	backup.Start()
	return n, master, backup
}

func run(t *testing.T, n *Network, d time.Duration) {
	t.Helper()
	if err := n.Run(d); err != nil {
		t.Fatal(err)
	}
}

// "A crash of the control plane is no outage of a lone director."
func TestSimLoneDirectorKeepsItsAddresses(t *testing.T) {
	n := NewNetwork(1)
	d := n.Add(vrrp.Config{VRID: 1, Version: 3, Priority: 100, Interval: time.Second, Preempt: true,
		Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.100/24")}})
	d.Start()
	run(t, n, 10*time.Second)
	n.Cover()
	d.Stop(true)
	run(t, n, 5*time.Second)
	if d.Router != nil || !d.Holds {
		t.Fatalf("five intervals after it was abandoned: running=%t, addresses held=%t", d.Router != nil, d.Holds)
	}
	d.Start()
	run(t, n, 10*time.Second)
	if d.State() != vrrp.Master {
		t.Errorf("after the next start it is %s", d.State())
	}
}

// A Master that was stopped for longer than its peers wait never speaks before
// it has listened, and lets go at the first advert.
func TestSimStalledMasterListensFirst(t *testing.T) {
	for seed := range uint64(100) {
		n, master, backup := pair(seed)
		run(t, n, 5*master.Config.Interval)
		master.Sleep(seed%2 == 0)
		run(t, n, 6*master.Config.Interval)
		sent := master.Router.Status().Counters.AdvertsSent
		master.Wake()
		run(t, n, 2*master.Config.Interval)
		if master.State() == vrrp.Master || backup.State() != vrrp.Master {
			t.Fatalf("seed %d: after the stall %s is %s, %s is %s", seed, master.Name, master.State(), backup.Name, backup.State())
		}
		if got := master.Router.Status().Counters; got.Stalls == 0 || got.AdvertsSent != sent {
			t.Errorf("seed %d: %d stalls were counted, %d adverts sent", seed, got.Stalls, got.AdvertsSent-sent)
		}
	}
}
