package sim

import (
	"testing"
	"time"
)

// A director whose way to the servers is cut hands over to one that sees them, whether that
// one preempts or not, and where that one is as blind, nothing moves. No service loses rows.
func TestSimADirectorThatIsCutOff(t *testing.T) {
	moved, stayed := 0, 0
	for seed := range uint64(200) {
		c := NewCluster(seed)
		c.files.isolation, c.files.preempt = true, seed%2 == 0
		for _, n := range c.Nodes {
			n.Boot()
		}
		run(t, c.Network, 30*time.Second)
		master := c.Nodes[0]
		if c.Nodes[1].Holds {
			master = c.Nodes[1]
		}
		peer := c.Nodes[1-master.number]
		both := seed%4 < 2
		master.cut, peer.cut = true, both
		before := master.want.Table
		run(t, c.Network, 40*time.Second)
		if master.penalty() == 0 {
			continue // It has too few servers to tell.
		}
		for key, service := range master.want.Table { // A service by way of this director itself goes with the role.
			if rows := len(before[key].Destinations); len(service.Destinations) < rows {
				t.Fatalf("seed %d: of %d rows of %v there are %d", seed, rows, key, len(service.Destinations))
			}
		}
		switch {
		case both && !master.Holds:
			t.Fatalf("seed %d: the role has moved to a director that is as blind", seed)
		case !both && (master.Holds || !peer.Holds):
			t.Fatalf("seed %d: it is still on the director that is cut off (preempt %v)", seed, c.files.preempt)
		case both:
			stayed++
		default:
			moved++
		}
		master.cut, peer.cut = false, false
		run(t, c.Network, 40*time.Second)
		if err := c.settled(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if moved < 40 || stayed < 40 {
		t.Errorf("it has moved %d times and stayed %d times, which shows little", moved, stayed)
	}
}
