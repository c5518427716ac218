package sim

import (
	"fmt"
	"time"
)

// A Cluster is two whole directors on a network: their cores, their virtual
// routers, their kernels' IPVS tables, the real servers that they probe and the
// files that configure them. Like a Network it is deterministic, checks its
// invariants after every event, and stops at the first one that is broken.
type Cluster struct {
	*Network
	Nodes []*Node

	files files
	// dead are the real servers that do not answer, by their number.
	dead [servers]bool
	// flaky is the probability that a probe fails although its server lives,
	// and refusals that a kernel refuses an operation.
	flaky, refusals float64
	// hangs is the probability that a reading of the files hangs.
	hangs float64

	jobs   []job
	broken error
}

// A job is something that happens at a moment.
type job struct {
	at time.Duration
	do func()
}

// NewCluster returns two directors that are down, without faults.
func NewCluster(seed uint64) *Cluster {
	c := &Cluster{Network: NewNetwork(seed)}
	c.files = newFiles(c.rng)
	for i := range 2 {
		c.Nodes = append(c.Nodes, newNode(c, i))
	}
	return c
}

// after lets something happen after a time.
func (c *Cluster) after(d time.Duration, do func()) {
	c.jobs = append(c.jobs, job{c.now + d, do})
}

// Run lets the time pass, and returns the first broken invariant.
func (c *Cluster) Run(d time.Duration) error {
	end := c.now + d
	for {
		if c.watch.broken != nil {
			return c.watch.broken
		}
		if c.broken != nil {
			return c.broken
		}
		at, step := c.next()
		if at > end {
			c.now = end
			return nil
		}
		c.now = max(c.now, at)
		step()
		c.watch.check()
		for _, n := range c.Nodes {
			n.follow()
		}
	}
}

// next returns the next event: of the network, of a core or a job.
func (c *Cluster) next() (time.Duration, func()) {
	at, step := c.Network.next()
	for _, n := range c.Nodes {
		if n.coreAt < at {
			at, step = n.coreAt, n.expire
		}
	}
	next := -1
	for i := range c.jobs {
		if c.jobs[i].at < at {
			at, next = c.jobs[i].at, i
		}
	}
	if next < 0 {
		return at, step
	}
	do := c.jobs[next].do
	return at, func() {
		c.jobs[next] = c.jobs[len(c.jobs)-1]
		c.jobs = c.jobs[:len(c.jobs)-1]
		do()
	}
}

// fail notes that an invariant is broken.
func (c *Cluster) fail(n *Node, format string, args ...any) {
	if c.broken == nil {
		c.broken = fmt.Errorf("at %s: %s: %s", c.now, n.Name, fmt.Sprintf(format, args...))
		c.logf("BROKEN: %v", c.broken)
	}
}

// ms returns a random time below that many milliseconds.
func (c *Cluster) ms(n int) time.Duration { return c.upTo(time.Duration(n) * time.Millisecond) }
