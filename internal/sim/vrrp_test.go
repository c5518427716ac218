package sim_test

import (
	"flag"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/sim"
)

var (
	seedFlag = flag.Int64("seed", -1, "run only this seed, and print all that happens")
	runsFlag = flag.Int("runs", 2000, "how many seeds to run")
)

// A few thousand networks of directors, each with its own faults.
func TestSimChaos(t *testing.T) {
	if *seedFlag >= 0 {
		if _, err := sim.Chaos(uint64(*seedFlag), func(line string) { t.Log(line) }); err != nil {
			t.Fatal(err)
		}
		return
	}
	var virtual time.Duration
	start := time.Now()
	for seed := range runs() {
		d, err := sim.Chaos(uint64(seed), nil)
		if err != nil {
			t.Fatalf("seed %d: %v\nto see it all: go test ./internal/sim -run TestSimChaos -v -seed=%d", seed, err, seed)
		}
		virtual += d
	}
	t.Logf("%d seeds, %.1f simulated hours, %.0f hours a second", runs(), virtual.Hours(), virtual.Hours()/time.Since(start).Seconds())
}

// runs is how many seeds to run: few where each takes long.
func runs() int {
	if testing.Short() || raceDetector {
		return min(*runsFlag, 200)
	}
	return *runsFlag
}
