package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"
)

// Until the orders are asked for, SIGHUP ends the process. Go initializes packages by
// their paths, each after those that it imports, so one more import there can put the
// milliseconds of all others before it.
func TestSignalsAreAskedForAsSoonAsTheyCanBe(t *testing.T) {
	c := exec.Command("/proc/self/exe", "-test.run=^$")
	c.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^init (\S+) @`).FindAllSubmatch(out, -1) {
		all = append(all, string(m[1]))
	}
	asked := slices.Index(all, "github.com/lvsd/lvsd/internal/orders")
	if asked < 1 || all[asked-1] != "os/signal" {
		t.Errorf("it is initialized in another place than right after os/signal: %v", all[:asked+1])
	}
}
