package realserver

import (
	"context"
	"time"
)

// Again is how long a machine is not looked at at most: the kernel tells nobody that a
// parameter was changed.
const Again = 5 * time.Second

// Watch makes a pass when something has changed on the machine, when another configuration
// comes, and every five seconds, until ctx ends. It tells of each pass that changed
// something, or failed, and of the first.
func Watch(ctx context.Context, e Edge, s Store, c *Cluster, changed <-chan struct{}, configs <-chan *Cluster, tell func(Role, Result)) {
	tick := time.NewTicker(Again)
	defer tick.Stop()
	for first := true; ; first = false {
		role, result := Pass(e, s, c)
		if first || len(result.Done) > 0 || result.Err != nil {
			tell(role, result)
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-tick.C:
		case c = <-configs:
		}
	}
}
