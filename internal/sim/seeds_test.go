package sim

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"
)

var (
	seedFlag = flag.Int64("seed", -1, "run only this seed, and print all that happens")
	runsFlag = flag.Int("runs", 2000, "how many seeds to run")
)

// A chaos runs one seed: faults of all kinds for a while, then quiet. It returns
// how much virtual time has passed, and the first invariant that was broken. The
// same seed gives the same run; log may be nil.
type chaos func(seed uint64, log func(line string)) (time.Duration, error)

// A few thousand networks of directors, each with its own faults.
func TestSimChaos(t *testing.T) { testSeeds(t, networkChaos) }

// Two whole directors, each seed with its own faults.
func TestSimCluster(t *testing.T) { testSeeds(t, clusterChaos) }

// A sync group over two or three networks, on two or three directors, each seed with
// its own faults.
func TestSimSyncGroup(t *testing.T) { testSeeds(t, groupChaos) }

func testSeeds(t *testing.T, run chaos) {
	if *seedFlag >= 0 {
		if _, err := run(uint64(*seedFlag), func(line string) { t.Log(line) }); err != nil {
			t.Fatal(err)
		}
		return
	}
	runs := *runsFlag
	if testing.Short() || raceDetector {
		runs = min(runs, 200)
	}
	var virtual time.Duration
	start := time.Now()
	for seed := range uint64(runs) {
		d, err := run(seed, nil)
		if err != nil {
			all, _ := transcript(run, seed)
			t.Fatalf("seed %d: %v\n%s\nto see it all: go test ./internal/sim -run '%s$' -v -seed=%d", seed, err,
				strings.Join(all[max(0, len(all)-80):], "\n"), t.Name(), seed)
		}
		virtual += d
	}
	t.Logf("%d seeds, %.1f simulated hours, %.0f hours a second", runs, virtual.Hours(), virtual.Hours()/time.Since(start).Seconds())
}

// transcript returns what happens in a seed, and its error.
func transcript(run chaos, seed uint64) (lines []string, err error) {
	_, err = run(seed, func(line string) { lines = append(lines, line) })
	return lines, err
}

// The same seed is the same run, to the last line.
func TestSimIsDeterministic(t *testing.T) {
	for name, run := range map[string]chaos{"network": networkChaos, "cluster": clusterChaos, "group": groupChaos} {
		for seed := range uint64(20) {
			if one, two := fmt.Sprint(transcript(run, seed)), fmt.Sprint(transcript(run, seed)); one != two {
				t.Errorf("%s: seed %d gives two different runs", name, seed)
			}
		}
	}
}
