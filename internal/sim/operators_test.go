package sim

import (
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/director"
)

// Whatever operators order, and whenever, the addresses are always somewhere, and on
// two directors for no longer than a hand-over takes.
func TestSimOperatorsLoseNothing(t *testing.T) {
	moved := 0
	for seed := range uint64(300) {
		if seed == 299 {
			seed = 1075 // Both were to be in standby, the one since it was not Master yet, the other not any more.
		}
		c := NewCluster(seed)
		for _, n := range c.Nodes {
			n.Boot()
		}
		run(t, c.Network, 30*time.Second)
		c.Cover()
		for range 12 {
			n := c.Nodes[c.rng.IntN(2)]
			switch c.rng.IntN(5) {
			case 0, 1:
				n.order(director.Failover{})
			case 2, 3:
				n.order(director.StandBy{StandbyOrder: api.StandbyOrder{For: c.ms(20_000)}})
			case 4:
				n.order(director.Resume{})
			}
			was := c.Nodes[0].Holds
			run(t, c.Network, c.ms(6000))
			if was != c.Nodes[0].Holds {
				moved++
			}
		}
		run(t, c.Network, 20*time.Second)
		for _, n := range c.Nodes {
			n.order(director.Resume{})
		}
		run(t, c.Network, 20*time.Second)
		if err := c.settled(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if moved < 300 {
		t.Errorf("the addresses have moved %d times, which shows little", moved)
	}
}
