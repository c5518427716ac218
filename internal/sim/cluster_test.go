package sim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/sim"
)

// Two whole directors, each seed with its own faults.
func TestSimCluster(t *testing.T) {
	if *seedFlag >= 0 {
		if _, err := sim.ClusterChaos(uint64(*seedFlag), func(line string) { t.Log(line) }); err != nil {
			t.Fatal(err)
		}
		return
	}
	var virtual time.Duration
	start := time.Now()
	for seed := range runs() {
		d, err := sim.ClusterChaos(uint64(seed), nil)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s\nto see it all: go test ./internal/sim -run TestSimCluster -v -seed=%d", seed, err, lastLines(seed), seed)
		}
		virtual += d
	}
	t.Logf("%d seeds, %.1f simulated hours, %.0f hours a second", runs(), virtual.Hours(), virtual.Hours()/time.Since(start).Seconds())
}

// lastLines are the end of a seed's transcript.
func lastLines(seed int) string {
	var all []string
	_, _ = sim.ClusterChaos(uint64(seed), func(line string) { all = append(all, line) })
	return strings.Join(all[max(0, len(all)-80):], "\n")
}

func TestSimClusterIsDeterministic(t *testing.T) {
	for seed := range uint64(10) {
		var runs [2]string
		for i := range runs {
			_, err := sim.ClusterChaos(seed, func(line string) { runs[i] += line + "\n" })
			runs[i] += fmt.Sprint(err)
		}
		if runs[0] != runs[1] {
			t.Errorf("seed %d gives two different runs", seed)
		}
	}
}
