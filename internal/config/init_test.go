package config

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
)

// Every process of lvsd runs what initializes this package, and most read no
// configuration. A table that is used there is built in all of them.
func TestTheLanguageIsBuiltOnlyWhereItIsUsed(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	trace, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, trace)
	}
	took := regexp.MustCompile(`init github.com/lvsd/lvsd/internal/config @.* (\d+) bytes`).FindSubmatch(trace)
	if took == nil {
		t.Fatalf("the runtime does not tell of this package:\n%s", trace)
	}
	if bytes, _ := strconv.Atoi(string(took[1])); bytes > 80_000 {
		t.Errorf("it takes %d bytes in every process: use no table where a variable of the package gets its value", bytes)
	}
}
