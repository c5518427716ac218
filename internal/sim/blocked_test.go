package sim

import (
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// A link comes back on a port that forwards only 15 s later (spanning tree). The director
// there hears nobody and becomes Master beside the living one. Once they hear each other,
// nobody is Master beside another for longer than one Master_Down, and never is none.
func TestSimAPortThatForwardsLate(t *testing.T) {
	keep := func(c *vrrp.Config) { c.Preempt = false }
	delayed := func(c *vrrp.Config) { c.PreemptDelay = 60 * time.Second }
	patient := func(c *vrrp.Config) { c.LinkUpDelay = 20 * time.Second }
	both := func(f ...func(*vrrp.Config)) func(int, *vrrp.Config) {
		return func(_ int, c *vrrp.Config) {
			for _, f := range f {
				f(c)
			}
		}
	}
	only := func(which int, f func(*vrrp.Config)) func(int, *vrrp.Config) {
		return func(i int, c *vrrp.Config) {
			if i == which {
				f(c)
			}
		}
	}
	const first, second = 0, 1
	for _, tt := range []struct {
		name      string
		configure func(int, *vrrp.Config)
		blocked   vrrp.State // the state of the first one at the end of that
		master    int        // in the end; -1: either
	}{
		{"without preemption, the one that served keeps it", both(keep), vrrp.Master, second},
		{"with preemption, the better one has it", both(), vrrp.Master, first},
		{"also with a delay, as the one that served has to follow the RFC", both(delayed), vrrp.Master, first},
		{"the one that served follows the RFC: either has it", only(first, keep), vrrp.Master, -1},
		{"the one that came preempts", only(second, keep), vrrp.Master, first},
		{"an option has it wait for the port", both(keep, patient), vrrp.Backup, second},
		{"and preempt from then on", both(patient), vrrp.Backup, first},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(60) {
				n, one, two := pair(seed)
				for i, d := range n.Directors {
					c := d.Config
					tt.configure(i, &c)
					d.Update(c)
				}
				run(t, n, 10*time.Second) // Master_Down, and any start.
				if two.State() == vrrp.Master {
					t.Skip("it was faster")
				}
				one.Fault(true)
				run(t, n, 5*one.Config.Interval)
				n.Cover()
				n.Cut(one, two)
				n.Cut(two, one)
				one.Repair()
				run(t, n, 15*time.Second+n.upTo(one.Config.Interval))
				if one.State() != tt.blocked || two.State() != vrrp.Master {
					t.Fatalf("seed %d: while the port blocks, they are %s and %s", seed, one.State(), two.State())
				}
				n.Mend()
				run(t, n, 8*one.Config.Interval)
				if err := n.Settled(); err != nil && tt.blocked == vrrp.Master {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if tt.master >= 0 && n.Directors[tt.master].State() != vrrp.Master {
					t.Fatalf("seed %d: %s is %s", seed, n.Directors[tt.master].Name, n.Directors[tt.master].State())
				}
			}
		})
	}
}

// Where both have served, or neither has, the RFC decides: the better one has it.
func TestSimMastersThatMeetAfterAPartition(t *testing.T) {
	for _, served := range []bool{true, false} {
		for seed := range uint64(60) {
			n, one, two := pair(seed)
			for _, d := range n.Directors {
				c := d.Config
				c.Preempt = false
				d.Update(c)
			}
			if served {
				run(t, n, 6*time.Minute)
			}
			n.Cut(one, two)
			n.Cut(two, one)
			run(t, n, 15*time.Second+n.upTo(one.Config.Interval))
			n.Cover()
			n.Mend()
			run(t, n, 8*one.Config.Interval)
			if one.State() != vrrp.Master || two.State() != vrrp.Backup {
				t.Errorf("seed %d, has served for minutes: %t; they are %s and %s", seed, served, one.State(), two.State())
			}
		}
	}
}
