package sim

import "time"

// A Cluster is two whole directors on a network: their cores, their virtual
// routers, their kernels' IPVS tables, the real servers that they probe and the
// files that configure them.
type Cluster struct {
	*Network
	Nodes []*Node

	files files
	// dead are the real servers that do not answer, by their number.
	dead [servers]bool
	// flaky is the probability that a probe fails although its server lives,
	// refusals that a kernel refuses an operation, and hangs that a reading of
	// the files hangs.
	flaky, refusals, hangs float64
}

// NewCluster returns two directors that are down, without faults.
func NewCluster(seed uint64) *Cluster {
	c := &Cluster{Network: NewNetwork(seed)}
	c.files = newFiles(c.rng)
	for i := range 2 {
		n := newNode(c, i)
		c.Nodes = append(c.Nodes, n)
		c.checks = append(c.checks, n.follow)
	}
	for _, n := range c.Nodes {
		c.timers = append(c.timers, timer{func() time.Duration { return n.coreAt }, n.expire})
	}
	return c
}

// ms returns a random time below that many milliseconds.
func (c *Cluster) ms(n int) time.Duration { return c.upTo(time.Duration(n) * time.Millisecond) }
