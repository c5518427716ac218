package sim

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/ipvsctl"
)

// clusterChaos lets everything happen to whole directors, and in the end has
// them read a mistake.
func clusterChaos(seed uint64, log func(line string)) (time.Duration, error) {
	c := NewCluster(seed)
	c.Log = log
	for _, part := range []func() error{c.trouble, c.heal, c.settled, c.mistake} {
		if err := part(); err != nil {
			return c.now, err
		}
	}
	return c.now, nil
}

// trouble lets something happen every now and then.
func (c *Cluster) trouble() error {
	for _, n := range c.Nodes {
		n.SetRate(0.98 + 0.04*c.rng.Float64())
		n.Boot()
	}
	for range 5 + c.rng.IntN(20) {
		if err := c.Run(c.ms(6000)); err != nil {
			return err
		}
		c.fault(c.Nodes[c.rng.IntN(2)])
	}
	return nil
}

// fault does one thing to the cluster, and undoes it just as often.
func (c *Cluster) fault(n *Node) {
	switch c.rng.IntN(22) {
	case 0, 1:
		i := c.rng.IntN(servers)
		c.dead[i] = !c.dead[i]
		c.logf("server %v is dead: %t", serverAddr(i), c.dead[i])
	case 2:
		c.flaky = []float64{0, 0.1, 0.5}[c.rng.IntN(3)]
		c.logf("%.0f %% of all probes fail", 100*c.flaky)
	case 3, 4:
		c.logf("the files have %s", c.files.edit())
	case 5, 6:
		n.handle(director.Reload{})
	case 7:
		c.refusals = []float64{0, 0.1, 1}[c.rng.IntN(3)]
		c.logf("the kernels refuse %.0f %%", 100*c.refusals)
	case 8:
		c.logf("%s: ipvsadm --clear", n.Name)
		n.kernel.Flush()
	case 9:
		c.stall(n)
	case 10:
		c.crashOrBoot(n)
	case 11:
		if n.core == nil {
			c.crashOrBoot(n)
		} else {
			n.handle(director.Stop{})
		}
	case 12:
		c.disturb(func() { c.Loss = []float64{0, 0, 0.3, 1}[c.rng.IntN(4)] })
		c.logf("loss %.2f", c.Loss)
	case 13:
		c.facts(n)
	case 14:
		c.hangs = []float64{0, 1}[c.rng.IntN(2)]
		c.logf("readings hang: %v", c.hangs > 0)
		if c.hangs > 0 && c.chance(0.3) {
			c.hang(n)
		}
	case 15:
		c.drain(n)
	case 16:
		c.logf("no packets from %s", n.Name)
		c.Cut(n.Director, c.Nodes[1-n.number].Director)
	case 17:
		c.Mend()
	case 19:
		n.order(director.Failover{FailoverOrder: api.FailoverOrder{Force: c.chance(0.2)}})
	case 20:
		n.order(director.Resume{})
	case 21:
		n.order(director.StandBy{StandbyOrder: api.StandbyOrder{For: c.ms(60_000), Force: c.chance(0.2)}})
	case 18:
		n.blind = !n.blind
		c.logf("%s: can ask servers: %t", n.Name, !n.blind)
	}
}

// hang asks for the files again and again while every reading hangs.
func (c *Cluster) hang(n *Node) {
	for range 5 {
		n.handle(director.Reload{})
		if c.Run(31*time.Second) != nil {
			return
		}
	}
}

// drain is an administrator who sets every weight to 0.
func (c *Cluster) drain(n *Node) {
	c.logf("%s: ipvsadm sets every weight to 0", n.Name)
	t := n.kernel.Table()
	for _, key := range t.Keys() {
		for _, row := range t[key].Destinations {
			dk, d := row.Key, row.Value
			d.Weight = 0
			if err := n.kernel.ByHand(ipvsctl.Op{Kind: ipvsctl.SetDestination, Service: key, Destination: dk, Dest: d}); err != nil {
				c.fail(n.Name, "%v", err)
			}
		}
	}
}

func (c *Cluster) stall(n *Node) {
	switch {
	case n.core == nil:
	case n.stalled:
		n.Unstall()
	default:
		n.Stall()
	}
}

func (c *Cluster) crashOrBoot(n *Node) {
	switch {
	case n.core != nil:
		n.Kill(c.chance(0.5))
	case n.Router == nil && !c.files.mistake:
		n.Boot()
	}
}

// facts changes the machine: whether it forwards, or which addresses it has.
func (c *Cluster) facts(n *Node) {
	if c.chance(0.5) {
		n.facts.Forward4 = !n.facts.Forward4
		c.logf("%s: ip_forward %t", n.Name, n.facts.Forward4)
		return
	}
	own := n.facts.Addresses[0]
	n.facts.Addresses = []netip.Prefix{own, netip.PrefixFrom(serverAddr(c.rng.IntN(servers)), 24)}[:1+c.rng.IntN(2)]
	c.logf("%s: addresses %v", n.Name, n.facts.Addresses)
}

// heal ends every fault but dead servers and facts, and gives the directors the
// time to read the files once more.
func (c *Cluster) heal() error {
	c.logf("all faults end")
	c.flaky, c.refusals, c.hangs = 0, 0, 0
	c.disturb(func() { c.Loss = 0 })
	c.Mend()
	c.files.mistake = false
	for _, n := range c.Nodes {
		n.blind = false
		if n.stalled {
			n.Unstall()
		}
	}
	// Whatever hangs or is being stopped gets its time for that.
	if err := c.Run(50 * time.Second); err != nil {
		return err
	}
	for _, n := range c.Nodes {
		if n.core == nil {
			n.Boot()
		} else {
			n.handle(director.Reload{})
		}
		n.order(director.Resume{})
	}
	// The files change once more while they are being read.
	if err := c.Run(c.ms(500)); err != nil {
		return err
	}
	c.files.edit()
	c.files.mistake = false
	for _, n := range c.Nodes {
		n.handle(director.Reload{})
	}
	return c.Run(25 * time.Second)
}

// settled: one director is Master, and both have the table that the files, the
// servers and the roles ask for.
func (c *Cluster) settled() error {
	if err := c.Settled(); err != nil {
		return err
	}
	for _, n := range c.Nodes {
		if want := c.files.config(n.number).Digest; n.running().Digest != want {
			return fmt.Errorf("%s runs %s, and the files are %s", n.Name, n.running().Digest, want)
		}
		if err := n.quiet(); err != nil {
			return err
		}
	}
	return nil
}

// mistake reads files with a mistake: nothing changes but what the directors
// tell about it.
func (c *Cluster) mistake() error {
	c.files.version++
	c.files.mistake = true
	for _, n := range c.Nodes {
		n.handle(director.Reload{})
	}
	if err := c.Run(3 * time.Second); err != nil {
		return err
	}
	for _, n := range c.Nodes {
		if err := n.quiet("reload-refused"); err != nil {
			return err
		}
	}
	return nil
}
