package integration

import (
	"flag"
	"testing"

	"github.com/lvsd/lvsd/integration/cluster"
)

func TestMain(m *testing.M) {
	cluster.Main()
	flag.Parse()
	if !cluster.InLab() {
		_ = flag.Set("test.parallel", "8") // Those that run elsewhere mostly wait.
	}
	m.Run()
}
