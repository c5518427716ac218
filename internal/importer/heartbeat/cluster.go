package heartbeat

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A medium is a way by which the nodes hear each other.
type medium struct {
	*line
	device string
	peer   netip.Addr // of ucast
}

// A cluster is what ha.cf says.
type cluster struct {
	nodes     []string // by the names that lvsd has for them
	named     []*line  // the lines that name nodes
	media     []medium
	keepalive time.Duration
	deadtime  time.Duration
	initdead  time.Duration // 0: nothing is said
	deadping  time.Duration // the same
	failback  bool
	said      map[string]*line // the times, and auto_failback
	pings     []*line
	ipfail    *line
}

// node returns the name of a node as lvsd has it, which is that of its host up to the first
// dot. Heartbeat does not tell capital letters from small ones.
func (c *cluster) node(name string) (node string, known bool) {
	name = before(name, ".")
	i := slices.IndexFunc(c.nodes, func(n string) bool { return strings.EqualFold(n, name) })
	if i < 0 {
		return name, false
	}
	return c.nodes[i], true
}

// add adds a node, if it is not there.
func (c *cluster) add(l *line, name string) error {
	node, known := c.node(name)
	switch {
	case known:
		return nil
	case node == "":
		return refuse(l.Place, "the name of a node was expected, as uname -n prints it, and not %q", bounded(name))
	case len(c.nodes) == maxNodes:
		return refuse(l.Place, "there are more than %d nodes", maxNodes)
	}
	c.nodes = append(c.nodes, node)
	return nil
}
